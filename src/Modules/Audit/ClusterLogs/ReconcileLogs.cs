using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.ClusterLogs;

/// <summary>
/// Joins the log of a customer with those that its clusters keep themselves. What a cluster says was done to it and the customer's log
/// does not have, or the other way round, is told in the customer's log, once; and that it has come, when it comes after all.
/// </summary>
internal sealed partial class ReconcileLogs(AppendOnlyTest test, ClusterLogFindings counts, IOptions<AuditOptions> options, TimeProvider time, ILogger<ReconcileLogs> logger) : Sweeper("audit.reconcile-logs", "audit", TimeSpan.FromSeconds(15))
{
    private const int Batch = 50;

    /// <summary>How often it is looked whether what is missing has come.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromHours(1);

    /// <summary>How much of one cluster is told and looked at in one step; the rest in the next.</summary>
    private const int MostFindings = 100;

    private const int MostLines = 1_000;

    /// <summary>How far back entries of an epoch before may still wait.</summary>
    private static readonly TimeSpan LookBack = TimeSpan.FromDays(7);

    // Less than the term of the lease.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var (db, events, begun) = (scope.GetRequiredService<ControlPlaneDbContext>(), scope.GetRequiredService<IEvents>(), time.GetTimestamp());
        db.Scope.OpenAll("every customer's clusters keep logs");
        while (test.Refusal is null && time.GetElapsedTime(begun) < Longest)
        {
            var now = time.GetUtcNow();
            var clusters = await db.Set<ClusterLog>().AsNoTracking().Where(row => row.DueAt <= now).OrderBy(row => row.DueAt).Take(Batch).Select(row => row.ClusterId).ToListAsync(cancellationToken);

            // What is not in the index yet would look as if it were missing.
            if (clusters.Count == 0 || await db.Set<Progress>().CountAsync(row => row.Done && (row.Name == FillIndex.Name || row.Name == ImportEntries.Name), cancellationToken) < 2)
            {
                return;
            }

            await StepsAsync(db, events, clusters, now, cancellationToken);
            if (clusters.Count < Batch)
            {
                return;
            }
        }
    }

    // All at once; where that fails each alone, so that one whose log cannot be reconciled keeps the others from nothing.
    private async Task StepsAsync(ControlPlaneDbContext db, IEvents events, List<Guid> clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            await StepAsync(db, events, clusters, now, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && db.Dialect.UnavailableBehind(exception) is null)
        {
            db.ChangeTracker.Clear();
            if (clusters.Count > 1)
            {
                foreach (var cluster in clusters)
                {
                    await StepsAsync(db, events, [cluster], now, cancellationToken);
                }

                return;
            }

            LogFailed(logger, exception, clusters[0]);
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            var rows = (await ClusterLog.LockAsync(db, clusters, cancellationToken)).Values;
            foreach (var row in rows)
            {
                row.DueAt = now + Again;
            }

            await ClusterLog.StoreAsync(db, rows, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private async Task StepAsync(ControlPlaneDbContext db, IEvents events, List<Guid> clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        List<ClusterLog> due = [.. (await ClusterLog.LockAsync(db, clusters, cancellationToken)).Values];
        var lines = (await (from log in db.Set<ClusterLog>().AsNoTracking()
                            where clusters.Contains(log.ClusterId)
                            join line in db.Set<ClusterLogLine>().AsNoTracking() on new { log.ClusterId, log.Epoch } equals new { line.ClusterId, line.Epoch }
                            where line.Position == 0 || (line.Position >= log.Matched && line.Position < log.Matched + MostLines)
                            orderby line.ClusterId, line.Position
                            select line).ToListAsync(cancellationToken)).ToLookup(line => line.ClusterId);
        var told = (await db.Set<Unmatched>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId)).ToListAsync(cancellationToken)).ToLookup(row => row.ClusterId);
        var (vendors, findings) = (await VendorsAsync(db, due, cancellationToken), new List<(ClusterLog Log, Unmatched Finding)>());
        foreach (var log in due)
        {
            var step = new Step(log, [.. lines[log.ClusterId]], [.. told[log.ClusterId]], vendors[log.ClusterId], now, options.Value.ReconcileAfter);
            foreach (var finding in step.Find(log.Matched == 0 ? await OlderAsync(db, log, cancellationToken) : [], step.WantsKeys ? await KeysAsync(db, log, cancellationToken) : []))
            {
                if (await finding.AddAsync(db, cancellationToken))
                {
                    findings.Add((log, finding));
                }
            }
        }

        // Only now: what is told once stays to be told when another of them fails, and each is found anew then.
        await ClusterLog.StoreAsync(db, due, cancellationToken);
        findings.ForEach(one => Tell(events, one.Log, one.Finding));
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    // What came in epochs before, and may not have been looked for yet when this one began.
    private static Task<List<ClusterLogLine>> OlderAsync(ControlPlaneDbContext db, ClusterLog log, CancellationToken cancellationToken)
    {
        var since = log.BegunAt - LookBack;
        return db.Set<ClusterLogLine>().AsNoTracking().Where(line => line.ClusterId == log.ClusterId && line.Epoch < log.Epoch && line.TakenAt >= since).OrderBy(line => line.Epoch).ThenBy(line => line.Position).ToListAsync(cancellationToken);
    }

    // In whichever epoch: a key that was announced in one may be taken in the next.
    private static async Task<HashSet<string>> KeysAsync(ControlPlaneDbContext db, ClusterLog log, CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var content in db.Set<ClusterLogLine>().AsNoTracking().Where(line => line.ClusterId == log.ClusterId).Select(line => line.Content).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (Reconciliation.KeyOf(ClusterLogEntry.Parse(content)) is { } key)
            {
                keys.Add(key);
            }
        }

        return keys;
    }

    // By the index, in the order of the log; what they say is read from the log.
    private static async Task<Dictionary<Guid, Told>> VendorsAsync(ControlPlaneDbContext db, List<ClusterLog> due, CancellationToken cancellationToken)
    {
        var (clusters, types) = (due.Select(row => (Guid?)row.ClusterId).ToList(), Reconciliation.Types);
        var hits = await db.Set<IndexedEntry>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId) && types.Contains(row.Type) && row.Log == "customer")
            .OrderBy(row => row.LogId).ThenBy(row => row.Position).Select(row => new { Cluster = row.ClusterId!.Value, row.LogId, row.Position }).ToListAsync(cancellationToken);
        var leaves = await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. hits.Select(hit => new object?[] { hit.LogId, hit.Position })], ["content"], cancellationToken);
        var since = await SinceAsync(db, [.. due.Select(LogOf).Distinct()], cancellationToken);
        var sides = due.ToDictionary(row => row.ClusterId, row => new Told(new VendorSide(row.ClusterId), since.TryGetValue(LogOf(row), out var at) ? at : null));
        foreach (var (hit, leaf) in hits.Zip(leaves))
        {
            try
            {
                using var json = JsonDocument.Parse((byte[])leaf![0]!);
                sides[hit.Cluster].Side.Add(json.RootElement);
            }
            catch (Exception exception) when (exception is JsonException or FormatException or NullReferenceException)
            {
                // An entry that is damaged, or gone, is told by whoever verifies the log. It counts as not there.
            }
        }

        return sides;
    }

    // Of logs whose oldest entries are pruned: when the first was recorded that is left.
    private static async Task<Dictionary<Guid, DateTimeOffset>> SinceAsync(ControlPlaneDbContext db, List<Guid> logs, CancellationToken cancellationToken)
    {
        var minima = await db.Set<LogMinimum>().AsNoTracking().Where(row => logs.Contains(row.LogId)).GroupBy(row => row.LogId).Select(group => new { LogId = group.Key, Minimum = group.Max(row => row.Minimum) }).Where(row => row.Minimum > 0).ToListAsync(cancellationToken);
        var firsts = await db.Set<IndexedEntry>().AsNoTracking().Where(row => logs.Contains(row.LogId)).Join(db.Set<LogMinimum>(), row => new { row.LogId, row.Position }, minimum => new { minimum.LogId, Position = minimum.Minimum }, (row, minimum) => new { row.LogId, row.Position, row.RecordedAt }).ToListAsync(cancellationToken);
        return minima.ToDictionary(row => row.LogId, row => firsts.FirstOrDefault(first => first.LogId == row.LogId && first.Position == row.Minimum)?.RecordedAt ?? DateTimeOffset.MaxValue);
    }

    private static Guid LogOf(ClusterLog log) => Log.IdOf(Log.NameOf("customer", log.CustomerId));

    private void Tell(IEvents events, ClusterLog log, Unmatched finding)
    {
        if (!finding.Found)
        {
            counts.Missing(finding.Side);
            LogUnmatched(logger, log.ClusterId, finding.Reference, finding.Side);
        }

        events.Audit(new AuditFact(finding.Found ? "audit.entry-matched" : "audit.entry-unmatched", AuditLog.Customer, "log", log.Origin)
        {
            CustomerId = log.CustomerId,
            ClusterId = log.ClusterId,
            Outcome = finding.Found ? AuditOutcome.Success : AuditOutcome.Failed,
            Actor = new AuditActor("system", "audit", "local"),
            Changes = [Change.Add("/side", finding.Side), Change.Add("/reference", finding.Reference)],
        });
    }

    /// <summary>What a customer's log says of a cluster.</summary>
    /// <param name="Side">What was done to it.</param>
    /// <param name="Since">When its first entry was recorded that is left; null: none is pruned.</param>
    private sealed record Told(VendorSide Side, DateTimeOffset? Since);

    /// <summary>One cluster's log beside its customer's.</summary>
    private sealed class Step
    {
        private readonly ClusterLog log;
        private readonly IReadOnlyList<ClusterLogLine> lines;
        private readonly Told vendor;
        private readonly DateTimeOffset now;
        private readonly TimeSpan grace;
        private readonly DateTimeOffset begun;
        private readonly HashSet<(long, string, string)> told;
        private readonly List<Unmatched> missing;
        private readonly List<ToldRotation> rotations;

        public Step(ClusterLog log, IReadOnlyList<ClusterLogLine> lines, IReadOnlyList<Unmatched> told, Told vendor, DateTimeOffset now, TimeSpan grace)
        {
            (this.log, this.lines, this.vendor, this.now, this.grace) = (log, lines, vendor, now, grace);

            // A log that begins while its cluster is refused is shown only later.
            var first = lines.Count > 0 && lines[0].Position == 0 ? ClusterLogEntry.Parse(lines[0].Content).At : log.BegunAt;
            begun = first < log.BegunAt ? first : log.BegunAt;
            this.told = told.Where(row => !row.Found).Select(row => (row.Epoch, row.Side, row.Reference)).ToHashSet();
            missing = told.Where(row => !row.Found && !told.Any(other => other.Found && other.Epoch == row.Epoch && other.Side == row.Side && other.Reference == row.Reference)).ToList();

            // Only of a log that goes on, is not full, and whose cluster has said since that there is no more of it.
            rotations = log.Refusal is not null || log.Size >= ClusterLogName.MostEntries ? []
                : vendor.Side.Rotations.Where(one => one.RecordedAt > log.BegunAt && log.ConfirmedAt - one.RecordedAt >= grace && !this.told.Contains((log.Epoch, Unmatched.Cluster, one.Reference))).ToList();
        }

        /// <summary>Whether it matters which keys the cluster has noted.</summary>
        public bool WantsKeys => rotations.Count > 0 || missing.Exists(row => row.Side == Unmatched.Cluster);

        public IEnumerable<Unmatched> Find(IReadOnlyList<ClusterLogLine> older, HashSet<string> keys)
        {
            var found = missing.Where(row => row.Side == Unmatched.Cluster ? keys.Contains(row.Reference) : (row.Epoch == log.Epoch || !Reconciliation.IsCounted(row.Reference)) && vendor.Side.Has(row.Reference, begun)).Take(MostFindings).ToList();
            var findings = found.Select(row => Finding(row.Epoch, row.Side, row.Reference, true)).ToList();
            var waits = (DateTimeOffset?)null;
            foreach (var line in older.Concat(lines.Where(line => line.Position >= log.Matched)))
            {
                if (MissingOf(line) is { } wanted)
                {
                    if (now - line.TakenAt < grace || findings.Count >= MostFindings)
                    {
                        waits = findings.Count >= MostFindings ? now : line.TakenAt + grace;
                        break;
                    }

                    findings.Add(Finding(line.Epoch, Unmatched.Vendor, wanted, false));
                }

                log.Matched = line.Epoch == log.Epoch ? line.Position + 1 : log.Matched;
            }

            var unknown = rotations.Where(one => !keys.Contains(one.Reference)).DistinctBy(one => one.Reference).ToList();
            findings.AddRange(unknown.Take(MostFindings - findings.Count).Select(one => Finding(log.Epoch, Unmatched.Cluster, one.Reference, false)));
            var isMore = findings.Count >= MostFindings || (waits is null && lines.Count >= MostLines);
            log.DueAt = isMore ? now : waits ?? (missing.Count - found.Count + findings.Count(one => !one.Found) > 0 ? now + Again : null);
            return findings;
        }

        // What cannot be told from what was pruned is not missing. How often something was is known of a whole log alone.
        private string? MissingOf(ClusterLogLine line)
        {
            var entry = ClusterLogEntry.Parse(line.Content);
            return Reconciliation.WantedBy(entry) is not { } wanted || vendor.Side.Has(wanted, line.Epoch == log.Epoch ? begun : DateTimeOffset.MinValue) || told.Contains((line.Epoch, Unmatched.Vendor, wanted))
                || (vendor.Since is { } since && (Reconciliation.IsCounted(wanted) || entry.At - since < grace)) ? null : wanted;
        }

        private Unmatched Finding(long epoch, string side, string reference, bool found) => new() { ClusterId = log.ClusterId, Epoch = epoch, Side = side, Reference = reference, Found = found, CustomerId = log.CustomerId, At = now };
    }

    [LoggerMessage(6059, LogLevel.Error, "The log of cluster {Cluster} cannot be reconciled; it is tried again in an hour")]
    private static partial void LogFailed(ILogger logger, Exception exception, Guid cluster);

    [LoggerMessage(6042, LogLevel.Error, "The log of a customer and that of its cluster {Cluster} do not say the same: {Reference} is missing on the side of the {Side}")]
    private static partial void LogUnmatched(ILogger logger, Guid cluster, string reference, string side);
}
