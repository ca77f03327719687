using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
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
    private const int MaxList = 500;
    private static readonly string[] Severities = ["info", "warning", "severe"];

    public static void Map(RouteGroupBuilder cluster) => cluster
        .MapGet("/events", ListAsync).RequireScope("fleet:read").WithName("ListClusterEvents").WithSummary("Events, newest first").Produces<Page<EventItem>>(200, "application/json", Csv.MediaType);

    /// <summary>Warnings and severe events of a span, oldest first: what charts mark.</summary>
    public static Task<List<EventItem>> MarksAsync(ControlPlaneDbContext db, Guid cluster, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken cancellationToken) => Items(
        db.Set<ClusterEvent>().AsNoTracking().Where(row => row.ClusterId == cluster && row.At >= from && row.At < to && row.Severity != "info").OrderBy(row => row.At).Take(most)).ToListAsync(cancellationToken);

    private static async Task<IResult> ListAsync(Guid id, HttpRequest request, ControlPlaneDbContext db, string[]? severity, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        var wanted = severity?.ToList() ?? [];
        if (wanted.Except(Severities).Any())
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "severity is one of info, warning, severe.");
        }

        if (!await db.Set<FleetCluster>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var query = db.Set<ClusterEvent>().AsNoTracking().Where(row => row.ClusterId == id);
        query = wanted.Count == 0 ? query : query.Where(row => wanted.Contains(row.Severity));
        if (Csv.IsWanted(request))
        {
            return Csv.File($"events-{id}", Items(query.OrderByDescending(row => row.At).ThenBy(row => row.Id)).AsAsyncEnumerable());
        }

        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || parts.Length != 2 || !Cursors.TryInstant(parts[0], out var at))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            var after = parts[1];
            query = query.Where(row => row.At < at || (row.At == at && string.Compare(row.Id, after) > 0));
        }

        var take = Math.Clamp(limit ?? 50, 1, MaxList);
        var items = await Items(query.OrderByDescending(row => row.At).ThenBy(row => row.Id).Take(take + 1)).ToListAsync(cancellationToken);
        string? next = null;
        if (items.Count > take)
        {
            items.RemoveAt(take);
            next = request.Path + QueryString.Create(request.Query.Where(parameter => parameter.Key is not "cursor"))
                .Add("cursor", Cursors.Encode(items[^1].At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture), items[^1].Id));
        }

        return TypedResults.Ok(new Page<EventItem>(items, next));
    }

    private static IQueryable<EventItem> Items(IQueryable<ClusterEvent> rows) =>
        rows.Select(row => new EventItem(row.Id, row.Kind, row.Severity, row.Text, row.Node, row.At, row.ReceivedAt));
}
