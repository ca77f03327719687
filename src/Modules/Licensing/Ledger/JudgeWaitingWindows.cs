using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.Licensing.Ledger;

/// <summary>
/// Judges windows that are due and whose cluster is known: what news of a cluster left over because so much waited for it, and what was
/// stored a moment after that news came.
/// </summary>
internal sealed class JudgeWaitingWindows() : Sweeper("licensing.judge-waiting-windows", "licensing", TimeSpan.FromSeconds(5))
{
    private const int Batch = 100;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("windows wait for every customer's clusters");

        // Of a cluster that is known none stays due: it is judged, or waits for the next news.
        var ids = await db.Set<WaitingWindow>().Where(item => item.Due && db.Set<LedgerCluster>().Any(cluster => cluster.Id == item.ClusterId))
            .Select(item => item.ClusterId).Distinct().Take(Batch).ToListAsync(cancellationToken);
        if (ids.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await WaitingWindow.JudgeAsync(db, scope.GetRequiredService<Ledger>(), ids, cancellationToken);

            // What was judged is in the ledger by now; what is told of it in the audit log is saved here.
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }
}
