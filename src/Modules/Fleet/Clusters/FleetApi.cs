using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Events;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.History;
using MissionControl.Fleet.Incidents;
using MissionControl.Fleet.Inventory;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Clusters;

/// <summary><c>/api/v1/fleet</c>: the fleet, and a cluster.</summary>
internal static class FleetApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/summary", SummaryAsync).RequireScope("fleet:read").WithName("GetFleetSummary").WithSummary("The fleet at a glance").Produces<FleetSummary>();
        api.MapGet("/clusters", ClusterList.GetAsync).RequireScope("fleet:read").WithName("ListClusters").WithSummary("Clusters, worst first").Lists((ClusterSummary row) => row.Id.ToString()).Produces<Page<ClusterSummary>>(200, "application/json", Csv.MediaType).SortedBy(ClusterList.Orders);
        api.MapGet("/changes", ChangesAsync).RequireScope("fleet:read").WithName("ListFleetChanges").WithSummary("What changed since a position; without one, the position of now").Produces<FleetChanges>();
        var cluster = api.MapGroup("/clusters/{id:guid}").Shows("cluster", static (ControlPlaneDbContext db, Guid id) => db.Set<FleetCluster>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId));
        cluster.MapGet("/", GetAsync).RequireScope("fleet:read").WithName("GetCluster").WithSummary("One cluster").Produces<ClusterSummary>();
        HealthApi.Map(cluster);
        RuleChangesApi.Map(cluster);
        HistoryApi.Map(cluster);
        EventsApi.Map(cluster);
        InventoryApi.Map(cluster);
        SentApi.Map(cluster);
        VersionsApi.Map(api);
        IncidentsApi.Map(api);
    }

    private static async Task<IResult> SummaryAsync(ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var groups = await db.Set<ClusterOverview>().AsNoTracking().Where(row => row.State != "decommissioned")
            .GroupBy(row => new { row.Liveness, row.Health, IsActive = row.State == "active" }).Select(group => new { group.Key.Liveness, group.Key.Health, group.Key.IsActive, Count = group.LongCount() }).ToListAsync(cancellationToken);
        var clock = await db.Set<IntakeClock>().AsNoTracking().SingleOrDefaultAsync(cancellationToken);

        // Our own incidents are nobody else's business.
        var incidents = !db.Scope.IsAll ? 0 : await db.Set<Incident>().CountAsync(row => row.EndedAt == null, cancellationToken);
        return TypedResults.Ok(new FleetSummary(
            groups.Sum(group => group.Count),
            groups.GroupBy(group => Words.Of(group.Liveness)).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Count)),
            groups.GroupBy(group => group.Health).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Count)),
            time.GetUtcNow(), clock?.StalledSince,
            groups.Where(group => !group.IsActive || group.Liveness is not (LivenessState.Online or LivenessState.Late)).Sum(group => group.Count),
            [.. groups.GroupBy(group => (Liveness: Words.Of(group.Liveness), group.Health)).Select(group => new FleetCell(group.Key.Liveness, group.Key.Health, group.Sum(entry => entry.Count)))],
            incidents));
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var rows = db.Set<ClusterOverview>().AsNoTracking().Where(row => row.ClusterId == id);
        if (await ClusterList.Summaries(db, rows).SingleOrDefaultAsync(cancellationToken) is not { } cluster)
        {
            return Problems.NotFound();
        }

        var change = await rows.Select(row => row.Change).SingleAsync(cancellationToken);
        var tag = string.Create(CultureInfo.InvariantCulture, $"\"{change}-{cluster.LastContact?.ToUnixTimeMilliseconds() ?? 0}\"");
        http.Response.Headers.ETag = tag;
        return http.Request.Headers.IfNoneMatch == tag ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : TypedResults.Ok(cluster);
    }

    private static async Task<IResult> ChangesAsync(ControlPlaneDbContext db, long? after, int? limit, CancellationToken cancellationToken)
    {
        if (after is not { } position)
        {
            var now = await db.Set<ChangeCounter>().AsNoTracking().Select(row => row.Last).SingleOrDefaultAsync(cancellationToken);
            return TypedResults.Ok(new FleetChanges([], now.ToString(CultureInfo.InvariantCulture), false));
        }

        var take = Math.Clamp(limit ?? 100, 1, 500);
        var clusters = await db.Set<ClusterOverview>().AsNoTracking().Where(row => row.Change > position).OrderBy(row => row.Change).Take(take + 1)
            .Select(row => new { row.Change, Item = new FleetChange("cluster", row.ClusterId, row.CustomerId, row.ChangedAt) }).ToListAsync(cancellationToken);
        if (db.Scope.IsAll)
        {
            // Our own incidents are nobody else's business.
            clusters.AddRange(await db.Set<Incident>().AsNoTracking().Where(row => row.Change > position).OrderBy(row => row.Change).Take(take + 1)
                .Select(row => new { row.Change, Item = new FleetChange("incident", row.Id, null, row.EndedAt ?? row.BeganAt) }).ToListAsync(cancellationToken));
        }

        var page = clusters.OrderBy(entry => entry.Change).Take(take).ToList();
        var last = page.Count == 0 ? position : page[^1].Change;
        return TypedResults.Ok(new FleetChanges([.. page.Select(entry => entry.Item)], last.ToString(CultureInfo.InvariantCulture), clusters.Count > page.Count));
    }
}
