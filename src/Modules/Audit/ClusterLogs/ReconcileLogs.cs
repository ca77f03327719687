using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
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
internal sealed partial class ReconcileLogs(AppendOnlyTest test, IOptions<AuditOptions> options, TimeProvider time, ILogger<ReconcileLogs> logger) : Sweeper("audit.reconcile-logs", "audit", TimeSpan.FromSeconds(15))
{
    private const int Batch = 50;

    /// <summary>How often it is looked whether what is missing has come.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromHours(1);

    // Less than the term of the lease.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var (db, events, begun) = (scope.GetRequiredService<ControlPlaneDbContext>(), scope.GetRequiredService<IEvents>(), time.GetTimestamp());
        db.Scope.OpenAll("every customer's clusters keep logs");
        while (test.Refusal is null && await StepAsync(db, events, cancellationToken) && time.GetElapsedTime(begun) < Longest)
        {
        }
    }

    private async Task<bool> StepAsync(ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var clusters = await db.Set<ClusterLog>().AsNoTracking().Where(row => row.DueAt <= now).OrderBy(row => row.DueAt).Take(Batch).Select(row => row.ClusterId).ToListAsync(cancellationToken);

        // What is not in the index yet would look as if it were missing.
        if (clusters.Count == 0 || await db.Set<Progress>().CountAsync(row => row.Done && (row.Name == FillIndex.Name || row.Name == ImportEntries.Name), cancellationToken) < 2)
        {
            return false;
        }

        List<ClusterLog> due = [.. (await ClusterLog.LockAsync(db, clusters, cancellationToken)).Values];
        var lines = (await (from log in db.Set<ClusterLog>().AsNoTracking()
                            where clusters.Contains(log.ClusterId)
                            join line in db.Set<ClusterLogLine>().AsNoTracking() on new { log.ClusterId, log.Epoch } equals new { line.ClusterId, line.Epoch }
                            orderby line.ClusterId, line.Position
                            select line).ToListAsync(cancellationToken)).ToLookup(line => line.ClusterId);
        var told = (await db.Set<Unmatched>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId)).ToListAsync(cancellationToken)).ToLookup(row => row.ClusterId);
        var vendors = await VendorsAsync(db, due, cancellationToken);
        foreach (var log in due)
        {
            var step = new Step(log, [.. lines[log.ClusterId]], [.. told[log.ClusterId].Where(row => row.Epoch == log.Epoch)], vendors[log.ClusterId], now, options.Value.ReconcileAfter);
            foreach (var finding in step.Find())
            {
                if (await finding.AddAsync(db, cancellationToken))
                {
                    Tell(events, log, finding);
                }
            }
        }

        await ClusterLog.StoreAsync(db, due, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return due.Count == Batch;
    }

    // By the index, in the order of the log; what they say is read from the log.
    private static async Task<Dictionary<Guid, VendorSide>> VendorsAsync(ControlPlaneDbContext db, List<ClusterLog> due, CancellationToken cancellationToken)
    {
        var (clusters, types) = (due.Select(row => (Guid?)row.ClusterId).ToList(), Reconciliation.Types);
        var hits = await db.Set<IndexedEntry>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId) && types.Contains(row.Type) && row.Log == "customer")
            .OrderBy(row => row.LogId).ThenBy(row => row.Position).Select(row => new { Cluster = row.ClusterId!.Value, row.LogId, row.Position }).ToListAsync(cancellationToken);
        var leaves = await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. hits.Select(hit => new object?[] { hit.LogId, hit.Position })], ["content"], cancellationToken);
        var sides = due.ToDictionary(row => row.ClusterId, row => new VendorSide(row.ClusterId));
        foreach (var (hit, leaf) in hits.Zip(leaves))
        {
            try
            {
                using var json = JsonDocument.Parse((byte[])leaf![0]!);
                sides[hit.Cluster].Add(json.RootElement);
            }
            catch (Exception exception) when (exception is JsonException or FormatException or NullReferenceException)
            {
                // An entry that is damaged, or gone, is told by whoever verifies the log. It counts as not there.
            }
        }

        return sides;
    }

    private void Tell(IEvents events, ClusterLog log, Unmatched finding)
    {
        if (!finding.Found)
        {
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

    /// <summary>One cluster's log beside its customer's.</summary>
    private sealed class Step(ClusterLog log, IReadOnlyList<ClusterLogLine> lines, IReadOnlyList<Unmatched> told, VendorSide vendor, DateTimeOffset now, TimeSpan grace)
    {
        public IEnumerable<Unmatched> Find()
        {
            var entries = lines.Select(line => ClusterLogEntry.Parse(line.Content)).ToList();
            var own = entries.Select(Reconciliation.KeyOf).OfType<string>().ToHashSet(StringComparer.Ordinal);
            var missing = told.Where(row => !row.Found && !told.Any(other => other.Found && other.Side == row.Side && other.Reference == row.Reference)).ToList();
            var found = missing.Where(row => row.Side == Unmatched.Vendor ? vendor.Has(row.Reference) : own.Contains(row.Reference)).ToList();
            var findings = found.Select(row => Finding(row.Side, row.Reference, true)).ToList();
            var waits = (DateTimeOffset?)null;
            for (var i = (int)log.Matched; i < entries.Count; i++)
            {
                if (Reconciliation.WantedBy(entries[i]) is { } wanted && !vendor.Has(wanted))
                {
                    if (lines[i].TakenAt + grace > now)
                    {
                        waits = lines[i].TakenAt + grace;
                        break;
                    }

                    findings.Add(Finding(Unmatched.Vendor, wanted, false));
                }

                log.Matched = i + 1;
            }

            // Only of a log that goes on, is not full, and whose cluster has said since that there is no more of it.
            if (log.Refusal is null && log.Size < ClusterLogName.MostEntries)
            {
                findings.AddRange(vendor.Rotations.Where(one => one.RecordedAt > log.BegunAt && one.RecordedAt + grace <= log.ConfirmedAt && !own.Contains(one.Reference)).Select(one => Finding(Unmatched.Cluster, one.Reference, false)));
            }

            log.DueAt = waits ?? (missing.Count - found.Count + findings.Count(one => !one.Found) > 0 ? now + Again : null);
            return findings;
        }

        private Unmatched Finding(string side, string reference, bool found) => new() { ClusterId = log.ClusterId, Epoch = log.Epoch, Side = side, Reference = reference, Found = found, CustomerId = log.CustomerId, At = now };
    }

    [LoggerMessage(6042, LogLevel.Error, "The log of a customer and that of its cluster {Cluster} do not say the same: {Reference} is missing on the side of the {Side}")]
    private static partial void LogUnmatched(ILogger logger, Guid cluster, string reference, string side);
}
