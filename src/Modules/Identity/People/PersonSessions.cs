using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.People;

/// <summary><c>/api/v1/identity/people/{id}/sessions</c>: the browsers that somebody else is signed in with, and the end of one that was lost or is not theirs.</summary>
internal static class PersonSessions
{
    public static void Map(IEndpointRouteBuilder people)
    {
        people.MapGet("/{id:guid}/sessions", ListAsync).RequireScope("identity:read").Shows("person", static (ControlPlaneDbContext db, Guid id) => db.Set<Person>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("ListPersonSessions").WithSummary("Browsers that a person is signed in with").Produces<IReadOnlyList<SessionItem>>();
        people.MapPost("/{id:guid}/sessions/{session:guid}/end", EndAsync).RequireScope(PeopleApi.Right).WithName("EndPersonSession").WithSummary("Sign one browser of a person out").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken) =>
        await PeopleApi.Visible(db).AnyAsync(row => row.Id == id, cancellationToken)
            ? TypedResults.Ok(await OpenSessions.ListAsync(db, id, Guid.TryParse(reader.FindFirst("session")?.Value, out var asking) ? asking : null, time.GetUtcNow(), cancellationToken))
            : Problems.NotFound();

    private static Task<IResult> EndAsync(Guid id, Guid session, PersonActionRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        PeopleApi.ChangeAsync(id, reader, db, time, async (person, _, now) =>
            await OpenSessions.EndAsync(db, events, person, session, request.Reason, now, cancellationToken) ? TypedResults.NoContent() : Problems.NotFound(), cancellationToken);
}
