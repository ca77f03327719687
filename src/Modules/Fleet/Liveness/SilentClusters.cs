using Microsoft.EntityFrameworkCore;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Liveness;

/// <summary>A cluster whose liveness may have to change.</summary>
/// <param name="Id">The cluster.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="ReceivedAt">When it was last heard of.</param>
/// <param name="NextSeconds">The interval it was given.</param>
/// <param name="Before">As last judged.</param>
/// <param name="Since">Since when.</param>
internal sealed record SilentCluster(Guid Id, Guid CustomerId, DateTimeOffset ReceivedAt, int NextSeconds, LivenessState Before, DateTimeOffset Since);

/// <summary>Finds the few clusters that matter: those beyond their deadline, and those that were and are heard again.</summary>
internal static class SilentClusters
{
    /// <summary>Read outside of a write transaction: intake must not wait for it.</summary>
    public static async Task<List<SilentCluster>> ReadAsync(ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var overdue = await (
            from contact in db.Set<LastContact>().AsNoTracking()
            where contact.LateAt < now
            join cluster in db.Set<FleetCluster>().AsNoTracking() on contact.ClusterId equals cluster.Id
            where cluster.State == "active"
            join liveness in db.Set<ClusterLiveness>().AsNoTracking() on contact.ClusterId equals liveness.ClusterId
            select new SilentCluster(contact.ClusterId, contact.CustomerId, contact.ReceivedAt, contact.NextSeconds, liveness.State, liveness.Since)).ToListAsync(cancellationToken);
        var returning = await (
            from liveness in db.Set<ClusterLiveness>().AsNoTracking()
            where liveness.State != LivenessState.Online
            join contact in db.Set<LastContact>().AsNoTracking() on liveness.ClusterId equals contact.ClusterId
            where contact.LateAt >= now
            join cluster in db.Set<FleetCluster>().AsNoTracking() on contact.ClusterId equals cluster.Id
            where cluster.State == "active"
            select new SilentCluster(contact.ClusterId, contact.CustomerId, contact.ReceivedAt, contact.NextSeconds, liveness.State, liveness.Since)).ToListAsync(cancellationToken);
        return [.. overdue, .. returning];
    }
}
