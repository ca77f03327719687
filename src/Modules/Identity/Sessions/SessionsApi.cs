using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Sessions;

/// <summary><c>/api/v1/identity/sessions</c>: how the portal keeps a browser signed in without any token in it.</summary>
internal static class SessionsApi
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(12);

    public static void Map(IEndpointRouteBuilder api)
    {
        var sessions = api.MapGroup("/sessions");
        sessions.MapPost("/", CreateAsync).RequireAuthorization().WithName("CreateSession").WithSummary("Trade the bearer's token for a session").Produces<CreatedSession>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        sessions.MapPost("/trade", TradeAsync).OpenToAll("the session's secret is the credential").WithName("TradeSession").WithSummary("Trade a session for a five-minute user token").Produces<TradedSession>();
        sessions.MapPost("/end", EndAsync).OpenToAll("the session's secret is the credential").WithName("EndSession").WithSummary("Sign out").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> CreateAsync(HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (http.User.FindFirst("auth")?.Value != "token" || http.User.FindFirst("token")?.Value is not { } tokenId)
        {
            return Problems.Of(ProblemCodes.Conflict, "A session is made from an API token, not from another session.");
        }

        var now = time.GetUtcNow();
        var token = await db.Set<ApiToken>().AsNoTracking().SingleAsync(row => row.Id == tokenId, cancellationToken);
        if (token.Networks.Length > 0)
        {
            // The portal speaks for its readers from its own address: their network would be asked by nobody.
            return Problems.Of(ProblemCodes.Conflict, "A token that is bound to networks opens no session. Sign in with one that is not.");
        }

        var secret = RandomNumberGenerator.GetBytes(32);
        var session = new Session
        {
            Id = Guid.CreateVersion7(now),
            SecretSha256 = SHA256.HashData(secret),
            TokenId = tokenId,
            CreatedAt = now,
            ExpiresAt = token.ExpiresAt < now + Life ? token.ExpiresAt : now + Life,
        };
        db.Add(session);
        events.Audit(new AuditFact("identity.session-opened", token.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "session", session.Id.ToString()) { CustomerId = token.CustomerId });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created((string?)null, new CreatedSession(Base64Url.EncodeToString(secret), session.ExpiresAt));
    }

    private static async Task<IResult> TradeAsync(TradeSessionRequest request, ControlPlaneDbContext db, UserTokenKey key, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await FindAsync(request, db, now, cancellationToken) is not { } session
            || await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == session.TokenId, cancellationToken) is not { } token || !token.IsLive(now))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        var expires = now + UserTokens.Lifetime;
        var claims = new UserClaims(UserTokens.Issuer, UserTokens.Audience, token.Subject, token.PrincipalKind, token.Scopes, token.CustomerId, token.Id, session.Id.ToString("N"), now.ToUnixTimeSeconds(), expires.ToUnixTimeSeconds());
        return TypedResults.Ok(new TradedSession(UserTokens.Issue(claims, key.Signer), expires, new PrincipalItem(token.Subject, token.PrincipalKind, token.CustomerId, token.ScopeList(), token.Id, token.Name)));
    }

    private static async Task<IResult> EndAsync(TradeSessionRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await FindAsync(request, db, now, cancellationToken) is { } session)
        {
            session.EndedAt = now;
            events.Audit(new AuditFact("identity.session-ended", AuditLog.Operator, "session", session.Id.ToString()) { Actor = new Contracts.Events.Audit.AuditActor("staff", $"token:{session.TokenId}", "session", TokenId: session.TokenId) });
            await db.SaveChangesAsync(cancellationToken);
        }

        return TypedResults.NoContent();
    }

    private static async Task<Session?> FindAsync(TradeSessionRequest request, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var secret = new byte[32];
        if (Base64Url.DecodeFromChars(request.Session, secret, out _, out var length) != System.Buffers.OperationStatus.Done || length != secret.Length)
        {
            return null;
        }

        // Found by digest: an attacker who could time the index learns bits of a hash, not of the secret.
        var sha256 = SHA256.HashData(secret);
        return await db.Set<Session>().SingleOrDefaultAsync(row => row.SecretSha256 == sha256 && row.EndedAt == null && row.ExpiresAt > now, cancellationToken);
    }
}
