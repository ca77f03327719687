using System.Text.Json;
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
    private const int MostLogs = 20;

    // Who appends wakes it; it looks by itself for what another process left behind, and more often while something is left.
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    // Those that come meanwhile share the next checkpoint: at most ten in a second of a log, however many receipts are wanted.
    private static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(100);

    // Nobody waits any more; it is not kept for a log that may be signed tomorrow.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isLeft = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await wanted.WaitAsync(isLeft ? Again : Idle, stoppingToken);
                (isLeft, var settled) = (true, 1);
                while (isLeft && settled > 0)
                {
                    (settled, isLeft) = await IssueAsync(stoppingToken);
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
    /// <returns>How many wait no more, and whether others may.</returns>
    private async Task<(int Settled, bool IsLeft)> IssueAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var rows = await WantedReceipts.ReadAsync(db, Batch, cancellationToken);
        if (rows.Count == 0)
        {
            return (0, false);
        }

        // First, so that they never pile up, whatever fails after it.
        var over = rows.Where(row => row.Wanted is null || row.Since + Patience < time.GetUtcNow()).ToList();
        await SettleAsync(scope.ServiceProvider, db, [.. over.Select(row => row.Id)], [], cancellationToken);
        var waiting = rows.Except(over).Select(row => row.Wanted!).ToList();
        var logs = waiting.Select(one => one.Log).Distinct().Take(MostLogs).ToList();
        if (logs.Count == 0 || await signer.SignNowAsync(db, logs, cancellationToken) is not var (sound, later))
        {
            return (over.Count, waiting.Count > 0 || rows.Count == Batch);
        }

        var settled = waiting.Where(one => logs.Contains(one.Log) && !later.Contains(one.Log)).ToList();
        await SettleAsync(scope.ServiceProvider, db, [.. settled.Select(one => one.Id)], await MakeAsync(db, [.. settled.Where(one => sound.Contains(one.Log))], cancellationToken), cancellationToken);
        return (over.Count + settled.Count, waiting.Count > settled.Count || rows.Count == Batch);
    }

    private async Task SettleAsync(IServiceProvider scope, ControlPlaneDbContext db, List<string> settled, List<ReceiptIssued> receipts, CancellationToken cancellationToken)
    {
        if (settled.Count == 0)
        {
            return;
        }

        var events = scope.GetRequiredService<IEvents>();
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
                    if (MerkleProof.VerifyInclusion(TreeHash.OfLeaf(leaf), one.Position, size, path, head.Checkpoint.Root) && Tells(leaf!, one.EventId))
                    {
                        var at = known.IndexOf(seen(one));
                        receipts.Add(new ReceiptIssued(one.EventId, one.Log, one.Position, new LogProof(one.Position, path, head.Note) { Extra = leaf }.ToString(), at < 0 ? null : new AddCheckpoint(known[at], paths[some.Count + at], head.Note).ToString()));
                    }
                }
            }
            catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException && db.Dialect.UnavailableBehind(exception) is null)
            {
                // A tile is not there, or has another length: whoever checks the log tells it, and the others are answered.
            }
        }

        return receipts;
    }

    // The row is anybody's who has the role's login; the leaf is what was signed.
    private static bool Tells(byte[] leaf, Guid eventId)
    {
        try
        {
            using var entry = JsonDocument.Parse(leaf);
            return entry.RootElement.GetProperty("eventId").GetGuid() == eventId;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return false;
        }
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
