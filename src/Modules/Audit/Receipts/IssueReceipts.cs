using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Witnesses;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Receipts;

/// <summary>
/// In every replica: answers entries that require a receipt. Whoever waits for one has a second, so the log is signed for it at once and
/// not with the next round; a receipt leaves only behind the checkpoint that it is made of. A log that may not be signed answers nobody:
/// who waits is refused by its own deadline. Two replicas may answer the same entry, which says the same twice.
/// </summary>
internal sealed partial class IssueReceipts(WantedReceipts wanted, SignCheckpoints signer, IServiceScopeFactory scopes, TimeProvider time, ILogger<IssueReceipts> logger) : BackgroundService
{
    private const int Batch = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Those that come meanwhile share the next checkpoint: at most ten in a second of a log, however many receipts are wanted.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(100);

    // Nobody waits any more; it is not kept for a log that may be signed tomorrow.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await wanted.WaitAsync(Interval, stoppingToken);
                while (await IssueAsync(stoppingToken) == Batch)
                {
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailed(logger, exception);
            }

            await Task.Delay(Breath, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Answers those that have waited longest.</summary>
    /// <returns>How many wait no more.</returns>
    internal async Task<int> IssueAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var rows = await WantedReceipts.ReadAsync(db, Batch, cancellationToken);
        if (rows.Count == 0)
        {
            return 0;
        }

        var sound = await signer.SignNowAsync(db, [.. rows.Select(row => row.Wanted.Log).Distinct()], cancellationToken);
        var due = sound is null ? rows.Where(row => row.Since + Patience < time.GetUtcNow()) : rows;
        var settled = due.Select(row => row.Wanted).ToList();
        if (settled.Count == 0)
        {
            return 0;
        }

        var receipts = await MakeAsync(db, [.. settled.Where(one => sound?.Contains(one.Log) == true)], cancellationToken);
        var events = scope.ServiceProvider.GetRequiredService<IEvents>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        foreach (var receipt in receipts)
        {
            events.Publish(receipt);
        }

        await WantedReceipts.RemoveAsync(db, settled, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (receipts.Count < settled.Count)
        {
            LogRefused(logger, settled.Count - receipts.Count);
        }

        return settled.Count;
    }

    // All of a log at once: entries that were appended together share most of what proves them.
    private static async Task<List<ReceiptIssued>> MakeAsync(ControlPlaneDbContext db, List<WantedReceipt> wanted, CancellationToken cancellationToken)
    {
        var heads = await AskWitnesses.HeadsAsync(db, [.. wanted.Select(one => one.Log).Distinct()], cancellationToken);
        var leaves = await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. wanted.Select(one => new object?[] { one.Log, one.Position })], ["content"], cancellationToken);
        var seen = await SeenAsync(db, wanted, cancellationToken);
        var receipts = new List<ReceiptIssued>();
        foreach (var log in wanted.Zip(leaves, (one, leaf) => (Wanted: one, Leaf: leaf?[0] as byte[])).Where(one => one.Leaf is not null).GroupBy(one => one.Wanted.Log))
        {
            if (!heads.TryGetValue(log.Key, out var head))
            {
                continue;
            }

            var size = head.Checkpoint.Size;
            var some = log.Where(one => one.Wanted.Position < size).ToList();
            var known = some.Select(one => seen(one.Wanted)).Where(from => from > 0 && from <= size).Distinct().ToList();
            try
            {
                var paths = await TileReader.ResolveAsync(db, log.Key, [.. some.Select(one => ProofPlan.Inclusion(one.Wanted.Position, size)), .. known.Select(from => ProofPlan.Consistency(from, size))], cancellationToken);
                foreach (var ((one, leaf), path) in some.Zip(paths))
                {
                    // What does not prove the entry is no receipt, whatever the rows say.
                    if (MerkleProof.VerifyInclusion(TreeHash.OfLeaf(leaf), one.Position, size, path, head.Checkpoint.Root))
                    {
                        var at = known.IndexOf(seen(one));
                        receipts.Add(new ReceiptIssued(one.EventId, one.Log, one.Position, new LogProof(one.Position, path, head.Note) { Extra = leaf }.ToString(), at < 0 ? null : new AddCheckpoint(known[at], paths[some.Count + at], head.Note).ToString()));
                    }
                }
            }
            catch (InvalidOperationException exception) when (db.Dialect.UnavailableBehind(exception) is null)
            {
                // A tile is not there: whoever checks the log tells it, and the others are answered.
            }
        }

        return receipts;
    }

    // What the clusters that the entries concern have seen of their customer's log, as they said last.
    private static async Task<Func<WantedReceipt, long>> SeenAsync(ControlPlaneDbContext db, List<WantedReceipt> wanted, CancellationToken cancellationToken)
    {
        var clusters = wanted.Select(one => one.ClusterId).OfType<Guid>().Distinct().ToList();
        db.Scope.OpenAll("the entries are of every customer's clusters");
        var sizes = await db.Set<WitnessRow>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId)).Select(row => new { row.ClusterId, row.CustomerId, row.CustomerSize }).ToDictionaryAsync(row => (row.ClusterId, Log.IdOf(Log.NameOf("customer", row.CustomerId))), row => row.CustomerSize, cancellationToken);
        return one => one.ClusterId is { } cluster ? sizes.GetValueOrDefault((cluster, one.Log)) : 0;
    }

    [LoggerMessage(6020, LogLevel.Error, "{Count} entries of audit logs get no receipt, because their logs are not signed at present: what was to be proven before it is done is not done")]
    private static partial void LogRefused(ILogger logger, int count);

    [LoggerMessage(6021, LogLevel.Error, "Receipts of the audit logs could not be issued; it is tried again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
