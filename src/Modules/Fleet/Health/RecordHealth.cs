using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.History;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Health;

/// <summary>
/// Judges and stores a commit group of health messages in a handful of bulk statements, whatever its size: one read and one write of
/// a row for each cluster, also of several groups at once. Safe when a group comes twice or after a later one.
/// </summary>
internal sealed class RecordHealth(ControlPlaneDbContext db, TimeProvider time) : IBatchHandler<ItemsReceived>
{
    /// <summary>A cluster's clock may run this far ahead of ours; beyond it our own counts.</summary>
    private static readonly TimeSpan MaxAhead = TimeSpan.FromMinutes(10);

    public async Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ItemsReceived> messages, CancellationToken cancellationToken)
    {
        var items = Received.Items(messages);
        var groups = items.GroupBy(Received.Cluster)
            .Select(group => new Group(group.Key, Received.Customer(group.First()), [.. group.OrderBy(Received.Rank).Select(item => (item, Wire.Parser.ParseFrom(item.Body)))])).ToList();
        var judged = await JudgeAsync(groups, cancellationToken);
        return token => WriteAsync(items, groups, judged, token);
    }

    private async Task WriteAsync(List<ReceivedItem> items, List<Group> waiting, List<Result> judged, CancellationToken cancellationToken)
    {
        await LastContact.KeepAsync(db, items, time.GetUtcNow(), cancellationToken);
        var changed = new HealthChanges(time.GetUtcNow());
        while (true)
        {
            var written = await StoredHealth.WriteAsync(db, judged.ConvertAll(result => result.State), cancellationToken);
            var lost = new List<Group>();
            for (var i = 0; i < written.Length; i++)
            {
                if (written[i])
                {
                    changed.Add(judged[i].Before, judged[i].Turn, judged[i].State, judged[i].Blocks);
                }
                else
                {
                    lost.Add(waiting[i]);
                }
            }

            if (lost.Count == 0)
            {
                break;
            }

            // The sweeper or another replica wrote between our read and our write: those clusters are read again.
            (waiting, judged) = (lost, await JudgeAsync(lost, cancellationToken));
        }

        await changed.WriteAsync(db, cancellationToken);
    }

    private async Task<List<Result>> JudgeAsync(List<Group> groups, CancellationToken cancellationToken)
    {
        var stored = await StoredHealth.ReadAsync(db, groups.ConvertAll(group => (group.Cluster, group.Customer)), cancellationToken);
        var results = new List<Result>(groups.Count);
        for (var i = 0; i < groups.Count; i++)
        {
            results.Add(Apply(groups[i], stored[i] ?? StoredHealth.New(groups[i].Cluster, groups[i].Customer)));
        }

        return results;
    }

    private static Result Apply(Group group, StoredHealth state)
    {
        var before = HealthGist.Of(state);
        var rulesBefore = RuleStates.Read(state.Rules);
        var rules = rulesBefore;
        var samples = new SampleRecorder(state);
        foreach (var (item, health) in group.Items)
        {
            var rank = Received.Rank(item);
            var received = DateTimeOffset.FromUnixTimeMilliseconds(item.ReceivedAtMs);
            var at = InstantOf(item, received);
            var judgement = Judgement.Of(health, state.Rank < 0 ? null : rules, at, received, ours: null);
            if (rank > state.Rank)
            {
                state.Rank = rank;
                state.At = at;
                state.ReceivedAt = received;
                state.Body = item.Body.ToByteArray();
                Keep(state, health, judgement, received);
                rules = RuleStates.ByKey(judgement.States);
            }

            samples.Add(at, rank, SampleRecorder.Values(health, judgement.Status));
        }

        return new Result(before, new RuleTurn(rulesBefore, rules), state, samples.Finish());
    }

    /// <summary>Takes a judgement over into the row.</summary>
    public static void Keep(StoredHealth state, Wire health, Judgement judgement, DateTimeOffset now)
    {
        var status = Rule.Word(judgement.Status);
        state.StatusSince = state.Status == status && state.StatusSince > DateTimeOffset.UnixEpoch ? state.StatusSince : now;
        state.Status = status;
        state.WorstReason = judgement.WorstReason is { } reason ? WellFormedText.Cut(reason, 300) : null;
        state.Rules = RuleStates.Write(judgement.States);
        state.Broken = BrokenRules.Of(judgement.States);
        state.RejudgeAt = Evaluate.NextChange(health, state.UsageFrom, now);
        state.ProductVersion = Version(health);
        state.NodesUp = health.Nodes.Count(node => node.State is "running");
        state.NodesAll = Math.Max(health.Nodes.Count, health.HasExpectedNodes ? health.ExpectedNodes : 0);
    }

    // What most nodes run; while they differ, rule version-skew says so.
    private static string Version(Wire health)
    {
        var first = health.Nodes.Count == 0 ? "" : health.Nodes[0].Version;
        foreach (var node in health.Nodes)
        {
            if (node.Version != first)
            {
                return WellFormedText.Cut(health.Nodes.Where(other => other.Version.Length > 0).GroupBy(other => other.Version, StringComparer.Ordinal).MaxBy(group => group.Count())?.Key ?? "", 100);
            }
        }

        return WellFormedText.Cut(first, 100);
    }

    private static DateTimeOffset InstantOf(ReceivedItem item, DateTimeOffset received) =>
        item.AtMs <= 0 || item.AtMs > received.ToUnixTimeMilliseconds() + MaxAhead.TotalMilliseconds ? received : DateTimeOffset.FromUnixTimeMilliseconds(item.AtMs);

    private sealed record Group(Guid Cluster, Guid Customer, IReadOnlyList<(ReceivedItem Item, Wire Health)> Items);

    private sealed record Result(HealthGist Before, RuleTurn Turn, StoredHealth State, IReadOnlyList<object?[]> Blocks);
}
