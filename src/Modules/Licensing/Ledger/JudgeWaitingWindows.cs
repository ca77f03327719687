using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.Licensing.Ledger;

/// <summary>
/// Judges windows that still wait for a cluster which is known by now. News of a cluster judge what waits for it; but of a cluster that is
/// not known there is no row to lock, so on servers a window of which one replica finds that nobody knows its cluster may be stored a
/// moment after another replica looked for what waits.
/// </summary>
internal sealed class JudgeWaitingWindows() : Sweeper("licensing.judge-waiting-windows", "licensing", TimeSpan.FromSeconds(5))
{
    private const int Batch = 100;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("windows wait for every customer's clusters");

        // Each gets another reason or none, so that none is found twice.
        var ids = await db.Set<WaitingWindow>().Where(item => item.Reason == WaitingWindow.ClusterUnknown && db.Set<LedgerCluster>().Any(cluster => cluster.Id == item.ClusterId))
            .Select(item => item.ClusterId).Distinct().Take(Batch).ToListAsync(cancellationToken);
        if (ids.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await WaitingWindow.JudgeAsync(db, scope.GetRequiredService<Ledger>(), ids, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }
}
