using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Health;

/// <summary>Judges again what time alone changes: backups grow old, certificates expire, usage stays out. Looks only at clusters whose time has come.</summary>
internal sealed class RejudgeHealth(TimeProvider time) : Sweeper("fleet.rejudge-health", "fleet", TimeSpan.FromSeconds(2))
{
    private const int Batch = 500;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("health is judged again for every customer's clusters");
        while (await BatchAsync(db, cancellationToken) == Batch)
        {
        }
    }

    private async Task<int> BatchAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (!await db.Set<HealthDeadline>().AnyAsync(row => row.At <= now, cancellationToken))
        {
            return 0;
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var due = await db.Set<HealthDeadline>().AsNoTracking().Where(row => row.At <= now).OrderBy(row => row.At).Take(Batch).ToListAsync(cancellationToken);
        var ids = due.ConvertAll(row => row.ClusterId);
        var stored = await StoredHealth.ReadAsync(db, due.ConvertAll(row => (row.ClusterId, row.CustomerId)), cancellationToken);
        var usage = await db.Set<LastUsage>().AsNoTracking().Where(row => ids.Contains(row.ClusterId)).ToDictionaryAsync(row => row.ClusterId, row => row.ReceivedAt, cancellationToken);
        var bundles = await db.Set<LastContact>().AsNoTracking().Where(row => ids.Contains(row.ClusterId) && row.NextSeconds > Liveness.Judge.LongestCheckIn).ToDictionaryAsync(row => row.ClusterId, row => row.NextSeconds, cancellationToken);
        var floor = await IntakeClock.FloorAsync(db, cancellationToken);
        var changes = new HealthChanges(now);
        var rows = new List<StoredHealth>(due.Count);
        var before = new List<(HealthGist Gist, RuleTurn Turn)>(due.Count);
        var deadlines = new List<(Guid, Guid, DateTimeOffset)>();
        for (var i = 0; i < due.Count; i++)
        {
            var state = stored[i] ?? StoredHealth.New(due[i].ClusterId, due[i].CustomerId);

            // Of a site that hands in bundles none is missed before the next one is due.
            var last = usage.TryGetValue(state.ClusterId, out var arrived) ? arrived.AddSeconds(bundles.GetValueOrDefault(state.ClusterId)) : (DateTimeOffset?)null;
            var gist = HealthGist.Of(state);
            before.Add((gist, Judge(state, last, floor, now)));
            rows.Add(state);
            if (state.RejudgeAt is { } next)
            {
                deadlines.Add((state.ClusterId, state.CustomerId, next));
            }
        }

        var written = await StoredHealth.WriteAsync(db, rows, cancellationToken);
        if (written.Contains(false))
        {
            // A message came in between; the deadlines stand, so the next run judges all of them.
            return 0;
        }

        for (var i = 0; i < rows.Count; i++)
        {
            changes.Add(before[i].Gist, before[i].Turn, rows[i], []);
        }

        // One that was set since, as usage that arrives does, stands: what it is about was not looked at here.
        await db.Set<HealthDeadline>().Where(row => ids.Contains(row.ClusterId) && row.At <= now).ExecuteDeleteAsync(cancellationToken);
        await HealthDeadline.AddAsync(db, deadlines, cancellationToken);
        await changes.WriteAsync(db, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return due.Count;
    }

    private static RuleTurn Judge(StoredHealth state, DateTimeOffset? lastUsage, DateTimeOffset floor, DateTimeOffset now)
    {
        var health = Wire.Parser.ParseFrom(state.Body);
        var rules = RuleStates.Read(state.Rules);
        state.UsageFrom = UsageSince(lastUsage, rules, floor);
        var judgement = Judgement.Of(health, state.Rank < 0 ? null : rules, state.At, now, new OurKnowledge(false, state.UsageFrom, null));
        RecordHealth.Keep(state, health, judgement, now);
        return new RuleTurn(rules, RuleStates.ByKey(judgement.States));
    }

    /// <summary>From when missing usage counts: while our own intake stood still nobody could send any. What was found missing before stays so until usage comes.</summary>
    public static DateTimeOffset? UsageSince(DateTimeOffset? last, IReadOnlyDictionary<string, RuleState> rules, DateTimeOffset floor) =>
        last is { } arrived && arrived < floor && !rules.ContainsKey(Rules.UsageGap.Id) ? floor : last;
}
