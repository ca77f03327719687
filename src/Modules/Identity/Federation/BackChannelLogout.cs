using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>A provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0): the sessions that it opened end here.</summary>
internal static class BackChannelLogout
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    public static void Map(IEndpointRouteBuilder federation) =>
        federation.MapPost("/{provider}/backchannel-logout", LogoutAsync).OpenToAll("the provider's signature is the credential").WithName("TakeLogoutToken").WithSummary("A provider says that somebody signed out there").Produces(StatusCodes.Status200OK);

    private static async Task<IResult> LogoutAsync(string provider, HttpContext http, ProviderBook providers, IdTokens tokens, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!await providers.ExistsAsync(db, provider, cancellationToken))
        {
            return Problems.NotFound();
        }

        if (!http.Request.HasFormContentType || (await http.Request.ReadFormAsync(cancellationToken))["logout_token"].ToString() is not { Length: > 0 } text)
        {
            return Problems.Of(ProblemCodes.Malformed, "Post a form with logout_token.");
        }

        http.Response.Headers.CacheControl = "no-store";
        try
        {
            if (await providers.FindAsync(db, provider, cancellationToken) is not { Saml: null } found)
            {
                return Problems.NotFound();
            }

            var token = await tokens.ReadLogoutTokenAsync(found, text, cancellationToken);
            var now = time.GetUtcNow();
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            var jti = SignInAttempt.Digest($"{found.Id} {IdTokens.TextOf(token, "jti")}");
            if (await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("identity_logout_token", ["key", "expires_at"], ["key"], [[jti, (now + Kept).ToUnixTimeMilliseconds()]]), cancellationToken) == 0)
            {
                return Problems.Of(ProblemCodes.Malformed, "This logout token was taken already (jti).");
            }

            await EndAsync(db, events, found, token.Subject, IdTokens.TextOf(token, "sid"), now, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return TypedResults.Ok();
        }
        catch (ProviderException failure)
        {
            return Problems.Of(ProblemCodes.Malformed, failure.Message);
        }
    }

    // With a sid that session ends, without one all of the subject that this provider opened.
    private static async Task EndAsync(ControlPlaneDbContext db, IEvents events, Provider provider, string? subject, string? sid, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var open = db.Set<Session>().Where(row => row.ProviderId == provider.Id && row.EndedAt == null);
        if (subject is { Length: > 0 })
        {
            var key = FederatedIdentity.KeyOf(provider.CustomerId, provider.Issuer, subject);
            var person = await db.Set<FederatedIdentity>().Where(row => row.Key == key).Select(row => (Guid?)row.PersonId).SingleOrDefaultAsync(cancellationToken);
            open = open.Where(row => row.PersonId == person && row.PersonId != null);
        }

        if (sid is { Length: > 0 })
        {
            var digest = SignInAttempt.Digest($"{provider.Id} {sid}");
            open = open.Where(row => row.ProviderSession == digest);
        }

        // Read again once nobody signs these people in: a program of theirs may just have got its session.
        await Actor.LockAsync(db, await open.Select(row => row.PersonId!.Value).Distinct().ToListAsync(cancellationToken), cancellationToken);
        foreach (var ended in (await open.ToListAsync(cancellationToken)).GroupBy(row => row.PersonId!.Value))
        {
            var person = await db.Set<Person>().SingleAsync(row => row.Id == ended.Key, cancellationToken);
            foreach (var session in ended)
            {
                session.EndedAt = now;
            }

            // What was traded for them is worth nothing either; other sessions are traded anew.
            person.Renew();
            events.Publish(person.ToEvent());
            events.Audit(person.Fact("identity.person-signed-out") with { Actor = FederatedPeople.ActorOf(person), Reason = $"signed out at {provider.Name}", Changes = [Change.Remove("/sessions", ended.Count())] });
        }
    }
}
