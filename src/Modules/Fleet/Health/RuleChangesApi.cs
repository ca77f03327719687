using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Health;

/// <summary><c>GET /api/v1/fleet/clusters/{id}/health/changes</c>: when which rule turned, for 14 days.</summary>
internal static class RuleChangesApi
{
    private static readonly ListOrders<RuleChange> Orders = new ListOrders<RuleChange>("-at").By("at", row => row.At, row => row.Id);

    public static void Map(RouteGroupBuilder cluster) => cluster
        .MapGet("/health/changes", ListAsync).RequireScope("fleet:read").WithName("ListHealthChanges").WithSummary("When which rule turned, newest first, for 14 days")
        .Produces<Page<RuleChangeItem>>(200, "application/json", Csv.MediaType).SortedBy(Orders);

    private static async Task<IResult> ListAsync(Guid id, [AsParameters] ListQuery list, ControlPlaneDbContext db, [FromQuery] string[]? rule, CancellationToken cancellationToken)
    {
        if (!await db.Set<FleetCluster>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var wanted = rule?.ToList() ?? [];
        var query = db.Set<RuleChange>().AsNoTracking().Where(row => row.ClusterId == id);
        query = wanted.Count == 0 ? query : query.Where(row => wanted.Contains(row.Rule));
        return Csv.IsWanted(list.Request)
            ? Csv.File($"health-changes-{id}", Orders.Apply(query, list).AsAsyncEnumerable().Select(Item))
            : await Orders.PageAsync(list, query, Item, cancellationToken);
    }

    private static RuleChangeItem Item(RuleChange row) => new(row.Id, row.Rule, row.At, row.Before, row.After);
}
