using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;

namespace MissionControl.Licensing.Licenses;

/// <summary>Signs leases anew long before they run out, when a month begins, and when a cluster's keys have changed.</summary>
internal sealed class RenewLeases(LeaseSigning leases, TimeProvider time) : Sweeper("licensing.renew-leases", "licensing", TimeSpan.FromSeconds(5))
{
    private const int Batch = 200;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var events = scope.GetRequiredService<IEvents>();
        db.Scope.OpenAll("leases go to every customer's clusters");
        while (await RenewAsync(db, events, cancellationToken) == Batch)
        {
            db.ChangeTracker.Clear();
        }
    }

    /// <summary>Clusters changed: their leases are due at once, also those that take a licence away, for they name their keys.</summary>
    public static Task DueAsync(ControlPlaneDbContext db, List<Guid> clusters, CancellationToken cancellationToken) =>
        db.Set<License>().Where(row => db.Set<LicensedCluster>().Any(link => link.LicenseId == row.Id && clusters.Contains(link.ClusterId)))
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.DueAt, DateTimeOffset.UnixEpoch).SetProperty(row => row.Version, row => row.Version + 1), cancellationToken);

    // Whoever changed a licence meanwhile has signed it: then this fails by its version, and is done again in a moment.
    private async Task<int> RenewAsync(ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var due = await db.Set<License>().Where(row => row.DueAt <= now).OrderBy(row => row.DueAt).Take(Batch).ToListAsync(cancellationToken);
        if (due.Count == 0)
        {
            return 0;
        }

        var ids = due.ConvertAll(row => row.Id);
        var clusters = (await db.Set<LicensedCluster>().Where(row => row.LicenseId != null && ids.Contains(row.LicenseId.Value)).ToListAsync(cancellationToken)).ToLookup(row => row.LicenseId!.Value);
        due.Where(row => !clusters.Contains(row.Id)).ToList().ForEach(row => row.Rest());
        await leases.SignAsync([.. due.Select(row => (row, (IReadOnlyList<LicensedCluster>)[.. clusters[row.Id]]))], db, events, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        return due.Count;
    }
}
