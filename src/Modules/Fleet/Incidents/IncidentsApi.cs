using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Incidents;

/// <summary><c>/api/v1/fleet/incidents</c>: our own side's troubles. Nobody bound to a customer sees them.</summary>
internal static class IncidentsApi
{
    private static readonly ListOrders<Incident> Orders = new ListOrders<Incident>("-beganAt")
        .By("beganAt", row => row.BeganAt, row => row.Id).By("endedAt", row => row.EndedAt, row => row.Id).By("clusters", row => row.Clusters, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/incidents", ListAsync).RequireScope("fleet:read").WithName("ListIncidents").WithSummary("Incidents of our own side, newest first").Produces<Page<IncidentItem>>(200, "application/json", Csv.MediaType).SortedBy(Orders);
        api.MapGet("/incidents/{id:guid}", GetAsync).RequireScope("fleet:read").WithName("GetIncident").WithSummary("One incident").Produces<IncidentItem>();
    }

    private static async Task<IResult> ListAsync([AsParameters] ListQuery list, ControlPlaneDbContext db, string? state, CancellationToken cancellationToken)
    {
        if (state is not (null or "open" or "closed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is one of open, closed.");
        }

        var query = db.Set<Incident>().AsNoTracking();
        query = db.Scope.IsAll ? query : query.Where(row => false);
        query = state is null ? query : query.Where(row => (row.EndedAt == null) == (state == "open"));
        return Csv.IsWanted(list.Request)
            ? Csv.File("incidents", Orders.Apply(query, list).AsAsyncEnumerable().Select(Item))
            : await Orders.PageAsync(list, query, Item, cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll || await db.Set<Incident>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } incident)
        {
            return Problems.NotFound();
        }

        http.Response.Headers.ETag = Etags.Of(incident.Version);
        return TypedResults.Ok(Item(incident));
    }

    private static IncidentItem Item(Incident row) => new(row.Id, row.Kind, row.EndedAt is null ? "open" : "closed", row.BeganAt, row.EndedAt, row.Cause, Effect(row.Kind), Action(row.Kind), row.Clusters);

    private static string Effect(string kind) => kind == Incident.MassOutage
        ? "Clusters that would be missing stay late, for at most 15 min; those still silent then become missing."
        : "Every deadline stands still: no cluster becomes late or worse because of it.";

    private static string Action(string kind) => kind switch
    {
        Incident.IntakeStalled => "Look at callhome, at the broker and at the outbox of callhome: what was received waits there and is not lost.",
        Incident.JudgingStopped => "Look at the processes of fleet and at its database.",
        _ => "Look at our own network and call-home address first, then at what the clusters have in common: region, provider, proxy, version.",
    };
}
