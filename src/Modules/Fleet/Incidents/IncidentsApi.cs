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
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/incidents", ListAsync).RequireScope("fleet:read").WithName("ListIncidents").WithSummary("Incidents of our own side, newest first").Produces<Page<IncidentItem>>(200, "application/json", Csv.MediaType);
        api.MapGet("/incidents/{id:guid}", GetAsync).RequireScope("fleet:read").WithName("GetIncident").WithSummary("One incident").Produces<IncidentItem>();
    }

    private static async Task<IResult> ListAsync(HttpRequest request, ControlPlaneDbContext db, string? state, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        if (state is not (null or "open" or "closed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is one of open, closed.");
        }

        var query = db.Set<Incident>().AsNoTracking();
        query = db.Scope.IsAll ? query : query.Where(row => false);
        query = state is null ? query : query.Where(row => (row.EndedAt == null) == (state == "open"));
        if (Csv.IsWanted(request))
        {
            return Csv.File("incidents", (await query.OrderByDescending(row => row.Id).ToListAsync(cancellationToken)).Select(Item));
        }

        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || parts.Length != 1 || !Guid.TryParse(parts[0], out var before))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            query = query.Where(row => row.Id < before);
        }

        // Ids are made in the order of time.
        var take = Math.Clamp(limit ?? 50, 1, 500);
        var rows = await query.OrderByDescending(row => row.Id).Take(take + 1).ToListAsync(cancellationToken);
        var next = rows.Count > take ? request.Path + QueryString.Create(request.Query.Where(parameter => parameter.Key is not "cursor")).Add("cursor", Cursors.Encode(rows[take - 1].Id.ToString())) : null;
        return TypedResults.Ok(new Page<IncidentItem>([.. rows.Take(take).Select(Item)], next));
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
