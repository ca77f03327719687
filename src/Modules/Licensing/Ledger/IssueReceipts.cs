using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Platform.Time;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Licensing.Ledger;

/// <summary>
/// Signs a receipt for every cluster whose windows were judged, and hands it to callhome. Signing happens outside any transaction;
/// a group that comes in between leaves a due row of its own and is told in the next receipt.
/// </summary>
internal sealed class IssueReceipts(ReceiptKey key, TimeProvider time) : Sweeper("licensing.issue-receipts", "licensing", TimeSpan.FromSeconds(1))
{
    private const int Batch = 500;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var events = scope.GetRequiredService<IEvents>();
        db.Scope.OpenAll("receipts go to every customer's clusters");
        while (await IssueAsync(db, events, cancellationToken) == Batch)
        {
            db.ChangeTracker.Clear();
        }
    }

    private async Task<int> IssueAsync(ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        var due = await db.Set<DueReceipt>().AsNoTracking().OrderBy(row => row.Id).Take(Batch).ToListAsync(cancellationToken);
        if (due.Count == 0)
        {
            return 0;
        }

        var clusters = due.Select(row => row.ClusterId).Distinct().ToList();
        var ledgers = await db.Set<ClusterLedger>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId)).ToListAsync(cancellationToken);
        var epochs = await db.Set<LedgerCluster>().AsNoTracking().Where(row => clusters.Contains(row.Id)).ToDictionaryAsync(row => row.Id, row => row.Epoch, cancellationToken);
        var now = time.GetUtcNow();
        var signer = key.Signer;
        var receipts = ledgers.ConvertAll(row =>
            new SetDesiredState(row.ClusterId, "receipts", null, Dsse.Sign(UsageReceipt.PayloadType, Of(row, epochs.GetValueOrDefault(row.ClusterId), now).ToBytes(), signer), row.Version));

        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        receipts.ForEach(events.Publish);
        var ids = due.ConvertAll(row => row.Id);
        await db.Set<DueReceipt>().Where(row => ids.Contains(row.Id)).ExecuteDeleteAsync(cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return due.Count;
    }

    private static UsageReceipt Of(ClusterLedger row, long epoch, DateTimeOffset now)
    {
        var coverage = Coverage.FromBytes(row.Coverage);
        return new UsageReceipt(
            1, row.ClusterId.ToString("D"), epoch, JsonSerializer.Deserialize<List<WindowResult>>(row.Results, JsonSerializerOptions.Web) ?? [],
            [.. coverage.Gaps.Take(UsageReceipt.MaxEntries).Select(gap => new WindowGap(Hour(gap.First), Hour(gap.Last + 1)))], UsageWindow.Text(now),
            coverage.CompleteThrough < coverage.From ? null : Hour(coverage.CompleteThrough + 1));
    }

    private static string Hour(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}

/// <summary>The key that signs receipts, readable by this role alone; its public half stands in the anchor document.</summary>
internal sealed class ReceiptKey(DataDirectory data, TimeProvider time) : IDisposable
{
    private readonly SignerRing ring = new(data.PathOf("keys/receipt.pem"), time);

    public ISigner Signer => ring.Current;

    public void Dispose() => ring.Dispose();
}
