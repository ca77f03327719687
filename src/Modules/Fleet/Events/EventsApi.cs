using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Events;

/// <summary><c>GET /api/v1/fleet/clusters/{id}/events</c>.</summary>
internal static class EventsApi
{
    private static readonly string[] Severities = ["info", "warning", "severe"];
    private const string Ours = ClusterEvent.OursPrefix + "%";
    private static readonly string[] Origins = ["cluster", "missioncontrol"];
    private static readonly ListOrders<ClusterEvent> Orders = new ListOrders<ClusterEvent>("-at").By("at", row => row.At, row => row.Id);

    public static void Map(RouteGroupBuilder cluster) => cluster
        .MapGet("/events", ListAsync).RequireScope("fleet:read").WithName("ListClusterEvents").WithSummary("Events, newest first").Produces<Page<EventItem>>(200, "application/json", Csv.MediaType).SortedBy(Orders);

    /// <summary>Warnings and severe events of a span, oldest first: what charts mark.</summary>
    public static async Task<List<EventItem>> MarksAsync(ControlPlaneDbContext db, Guid cluster, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken cancellationToken) => (await
        db.Set<ClusterEvent>().AsNoTracking().Where(row => row.ClusterId == cluster && row.At >= from && row.At < to && row.Severity != "info").OrderBy(row => row.At).Take(most).ToListAsync(cancellationToken)).ConvertAll(Item);

    /// <summary>The events that a cluster sent itself: what Mission Control noted about it is not among them.</summary>
    public static IQueryable<ClusterEvent> SentBy(ControlPlaneDbContext db, Guid cluster) => db.Set<ClusterEvent>().AsNoTracking().Where(row => row.ClusterId == cluster && !EF.Functions.Like(row.Id, Ours));

    private static async Task<IResult> ListAsync(
        Guid id, [AsParameters] ListQuery list, ControlPlaneDbContext db, [FromQuery] string[]? severity, [FromQuery] string[]? node, string? origin, string? q, CancellationToken cancellationToken)
    {
        var wanted = severity?.ToList() ?? [];
        if (wanted.Except(Severities).Any())
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "severity is one of info, warning, severe.");
        }

        if (origin is not null && !Origins.Contains(origin))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "origin is cluster: what the cluster sent, or missioncontrol: what was noted about it here.");
        }

        if (!await db.Set<FleetCluster>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var query = origin == "cluster" ? SentBy(db, id) : db.Set<ClusterEvent>().AsNoTracking().Where(row => row.ClusterId == id);
        query = origin == "missioncontrol" ? query.Where(row => EF.Functions.Like(row.Id, Ours)) : query;
        query = wanted.Count == 0 ? query : query.Where(row => wanted.Contains(row.Severity));
        var nodes = node?.ToList() ?? [];
        query = nodes.Count == 0 ? query : query.Where(row => nodes.Contains(row.Node!));
        query = query.Holding(row => row.Kind + " " + row.Text + " " + (row.Node ?? ""), q);
        return Csv.IsWanted(list.Request)
            ? Csv.File($"events-{id}", Orders.Apply(query, list).AsAsyncEnumerable().Select(Item))
            : await Orders.PageAsync(list, query, Item, cancellationToken);
    }

    private static EventItem Item(ClusterEvent row) => new(row.Id, row.Kind, row.Severity, row.Text, row.Node, row.At, row.ReceivedAt);
}
