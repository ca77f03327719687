using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Inventory;

/// <summary><c>GET /api/v1/fleet/versions</c>: who runs what.</summary>
internal static class VersionsApi
{
    public static void Map(IEndpointRouteBuilder api) => api
        .MapGet("/versions", GetAsync).RequireScope("fleet:read").WithName("GetFleetVersions").WithSummary("Versions of product and collectors over the fleet").Produces<FleetVersions>();

    private static async Task<IResult> GetAsync(ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var clusters = db.Set<ClusterOverview>().AsNoTracking().Where(row => row.State != "decommissioned");
        var product = await clusters.GroupBy(row => new { row.Version, row.CustomerId }).Select(group => new { group.Key.Version, Clusters = group.LongCount() }).ToListAsync(cancellationToken);
        var collectors = await (
            from collector in db.Set<CollectorVersion>().AsNoTracking()
            join cluster in clusters on collector.ClusterId equals cluster.ClusterId
            group collector by new { collector.Release, collector.ClusterId } into versions
            select new { versions.Key.Release, Collectors = versions.Sum(row => row.Collectors) }).GroupBy(row => row.Release)
            .Select(version => new { version.Key, Collectors = version.Sum(row => row.Collectors), Clusters = version.LongCount() }).ToListAsync(cancellationToken);
        return TypedResults.Ok(new FleetVersions(
            [.. product.GroupBy(row => row.Version).Select(version => new ProductVersionItem(version.Key, version.Sum(row => row.Clusters), version.LongCount())).OrderByDescending(version => version.Clusters)],
            [.. collectors.Select(version => new CollectorVersionItem(version.Key, version.Collectors, version.Clusters)).OrderByDescending(version => version.Collectors)],
            time.GetUtcNow()));
    }
}
