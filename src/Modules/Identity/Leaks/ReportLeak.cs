using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Identity.Leaks;

/// <summary>
/// <c>/api/v1/identity/leaks/report</c>: anybody who holds a whole token may report it, signed in or not. That it is in their hands proves
/// that it leaked, and all they can do with it is to end it, which its thief could hinder least of all. The answer says nothing of whose it is.
/// </summary>
internal static class ReportLeak
{
    private static readonly Finder SignedIn = new("person", null);
    private static readonly Finder Stranger = new("anonymous", new AuditActor("system", "unknown", "heldToken"));

    public static void Map(IEndpointRouteBuilder leaks) => leaks.MapPost("/report", ReportAsync).OpenToAll("whoever holds a whole token proves that it leaked").WithName("ReportLeak")
        .WithSummary("Report a token that leaked; it is worth nothing from then on").Produces<ReportedLeak>();

    private static async Task<IResult> ReportAsync(ReportLeakRequest request, ClaimsPrincipal reader, StrangersReports strangers, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var isSignedIn = reader.FindFirst("sub") is not null;
        if (!isSignedIn && !strangers.MayDo())
        {
            return Problems.Of(ProblemCodes.RateLimited, "Many people report at this moment. Try again in a minute, or sign in.");
        }

        var began = time.GetTimestamp();
        var token = TokenScanner.TryFind(request.Token, out var index, out var length) ? request.Token!.Substring(index, length) : null;
        var judged = token is null ? new Judged() : (await TakeLeaks.ApplyAsync(db, events, [new Find(token, Place.Of(null, request.Url))], isSignedIn ? SignedIn : Stranger, time, CancellationToken.None))[token];
        var answer = new ReportedLeak(token?[..TokenScanner.LoggableLength], judged.Verdict switch
        {
            Verdict.Leaked => "leaked",
            Verdict.PassedOn => "passed-on",
            _ => "not-ours",
        }, judged.Incident is { } incident && LeaksApi.MaySee(db, reader, incident) ? incident.Id : null);
        await Beat.WaitAsync(time, began, cancellationToken);
        return TypedResults.Ok(answer);
    }
}

/// <summary>Reports of those who are not signed in: each costs a look into the database.</summary>
internal sealed class StrangersReports() : StrangersLimit(atOnce: 60, perSecond: 10);
