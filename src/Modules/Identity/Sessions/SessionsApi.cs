using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.People;
using MissionControl.Identity.SignIn;
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

    /// <summary>How exactly it is known when somebody last did something.</summary>
    private static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(1);

    public static void Map(IEndpointRouteBuilder api)
    {
        var sessions = api.MapGroup("/sessions");
        sessions.MapPost("/", CreateAsync).RequireAuthorization().WithName("CreateSession").WithSummary("Trade the bearer's token for a session").Produces<CreatedSession>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        sessions.MapPost("/trade", TradeAsync).OpenToAll("the session's secret is the credential").WithName("TradeSession").WithSummary("Trade a session for a five-minute user token").Produces<TradedSession>();
        sessions.MapPost("/end", EndAsync).OpenToAll("the session's secret is the credential").WithName("EndSession").WithSummary("Sign out").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> CreateAsync(HttpContext http, ControlPlaneDbContext db, IEvents events, FirstAdministrator first, TimeProvider time, CancellationToken cancellationToken)
    {
        if (http.User.FindFirst("auth")?.Value != "token" || http.User.FindFirst("token")?.Value is not { } tokenId)
        {
            return Problems.Of(ProblemCodes.Conflict, "A session is made from an API token, not from another session.");
        }

        if (await first.HasSignedInAsync(db, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Conflict, "People sign in to pages, tokens do not: there is an administrator, who can invite you.");
        }

        var now = time.GetUtcNow();
        var token = await db.Set<ApiToken>().AsNoTracking().SingleAsync(row => row.Id == tokenId, cancellationToken);
        if (token.AccountId is not null)
        {
            return Problems.Of(ProblemCodes.Conflict, "A service account opens no session: pages are for people.");
        }

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

    private static async Task<IResult> TradeAsync(TradeSessionRequest request, ControlPlaneDbContext db, UserTokenKey key, FirstAdministrator first, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await FindAsync(request, db, now, cancellationToken) is { } session
            && (session.PersonId is null ? await OfTokenAsync(session, db, first, now, cancellationToken) : await OfPersonAsync(session, request.IsActive, db, now, cancellationToken)) is { } speaker
            ? TypedResults.Ok(new TradedSession(UserTokens.Issue(speaker.Claims, key.Signer), now + UserTokens.Lifetime, speaker.Principal))
            : Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
    }

    private static async Task<Speaker?> OfTokenAsync(Session session, ControlPlaneDbContext db, FirstAdministrator first, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await first.HasSignedInAsync(db, cancellationToken)
            || await db.Set<ApiToken>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == session.TokenId, cancellationToken) is not { } token || !token.IsLive(now))
        {
            return null;
        }

        return new Speaker(
            new UserClaims(UserTokens.Issuer, UserTokens.Audience, token.Subject, token.PrincipalKind, token.Scopes, token.CustomerId, token.Id, session.Id.ToString("N"), now.ToUnixTimeSeconds(), (now + UserTokens.Lifetime).ToUnixTimeSeconds()),
            new PrincipalItem(token.Subject, token.PrincipalKind, token.CustomerId, token.ScopeList(), token.Id, token.Name));
    }

    private static async Task<Speaker?> OfPersonAsync(Session session, bool isActive, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var person = await db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == session.PersonId, cancellationToken);
        if (person is not { DisabledAt: null })
        {
            return null;
        }

        if (isActive && now - session.SeenAt >= SeenEvery)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Set<Session>().Where(row => row.Id == session.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.SeenAt, now), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        var roles = await db.Set<HeldRole>().Where(row => row.PersonId == person.Id && row.Until == null).Select(row => row.Role).ToListAsync(cancellationToken);
        var scopes = RoleBook.ScopesOf(roles);
        return new Speaker(
            new UserClaims(UserTokens.Issuer, UserTokens.Audience, person.Subject, person.Kind, scopes, person.CustomerId, null, session.Id.ToString("N"), now.ToUnixTimeSeconds(), (now + UserTokens.Lifetime).ToUnixTimeSeconds(), person.Id, person.Stamp, session.Factors),
            new PrincipalItem(person.Subject, person.Kind, person.CustomerId, scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries), null, person.Name));
    }

    private static async Task<IResult> EndAsync(TradeSessionRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (await FindAsync(request, db, now, cancellationToken) is { } session)
        {
            session.EndedAt = now;
            var person = await db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == session.PersonId, cancellationToken);
            events.Audit(new AuditFact("identity.session-ended", person?.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "session", session.Id.ToString())
            {
                CustomerId = person?.CustomerId,
                Actor = person is null ? new AuditActor("staff", $"token:{session.TokenId}", "session", TokenId: session.TokenId) : new AuditActor(person.Kind, person.Subject, "session", SessionId: session.Id.ToString("N")),
            });
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
        var session = await db.Set<Session>().SingleOrDefaultAsync(row => row.SecretSha256 == sha256 && row.EndedAt == null && row.ExpiresAt > now, cancellationToken);
        return session?.IsLive(now) == true ? session : null;
    }

    private sealed record Speaker(UserClaims Claims, PrincipalItem Principal);
}
