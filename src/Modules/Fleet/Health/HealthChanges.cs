using System.Globalization;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Events;
using MissionControl.Fleet.History;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Health;

/// <summary>What others see of a cluster's health: only when it differs is anything but the row itself written.</summary>
internal readonly record struct HealthGist(string Status, string? WorstReason, string ProductVersion, int NodesUp, int NodesAll, string Broken, DateTimeOffset? RejudgeAt, bool IsNew)
{
    public static HealthGist Of(StoredHealth state) => new(state.Status, state.WorstReason, state.ProductVersion, state.NodesUp, state.NodesAll, state.Broken, state.RejudgeAt, state.Rank < 0);
}

/// <summary>Collects what a group of judgements leads to, and writes it in bulk: history, deadlines, events and what lists show.</summary>
internal sealed class HealthChanges(DateTimeOffset now)
{
    private readonly List<object?[]> blocks = [];
    private readonly List<(Guid Cluster, Guid Customer, DateTimeOffset At)> deadlines = [];
    private readonly List<object?[]> events = [];
    private readonly List<object?[]> turns = [];
    private readonly List<Guid> changed = [];

    /// <summary>Takes a cluster's judgement.</summary>
    /// <param name="before">What others saw of it before.</param>
    /// <param name="turn">How its rules were judged before, and are now.</param>
    /// <param name="state">As judged now.</param>
    /// <param name="sealedBlocks">Samples that go to the history.</param>
    public void Add(HealthGist before, RuleTurn turn, StoredHealth state, IReadOnlyList<object?[]> sealedBlocks)
    {
        blocks.AddRange(sealedBlocks);
        turns.AddRange(RuleChange.Rows(state, turn, before.IsNew, now));
        var after = HealthGist.Of(state);
        if (before.RejudgeAt != after.RejudgeAt && after.RejudgeAt is { } at)
        {
            deadlines.Add((state.ClusterId, state.CustomerId, at));
        }

        if (before with { RejudgeAt = after.RejudgeAt } != after)
        {
            changed.Add(state.ClusterId);
        }

        if (before.Status != after.Status && !before.IsNew)
        {
            events.Add(ClusterEvent.Ours(
                state.ClusterId, state.CustomerId, string.Create(CultureInfo.InvariantCulture, $"{ClusterEvent.OursPrefix}health:{state.Version}"), $"health-{after.Status}",
                after.Status switch { "red" => "severe", "yellow" => "warning", _ => "info" }, state.WorstReason ?? $"Health is {after.Status} again; it was {before.Status}.", now));
        }
    }

    public async Task WriteAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        await db.Dialect.InsertIfAbsentAsync(db, HistoryBlock.Table with { Rows = blocks }, cancellationToken);
        await db.Dialect.InsertIfAbsentAsync(db, RuleChange.Table with { Rows = turns }, cancellationToken);
        await HealthDeadline.SetAsync(db, deadlines, cancellationToken);
        await db.Dialect.InsertIfAbsentAsync(db, ClusterEvent.Table with { Rows = events }, cancellationToken);
        await ClusterOverview.RefreshAsync(db, changed, now, cancellationToken);
    }
}
