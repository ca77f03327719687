using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Me;
using MissionControl.Identity.People;
using MissionControl.Identity.Programs;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Tokens;

/// <summary>
/// Puts another token in the place of one, while both are good for a while: by somebody who could have made it, or by a program's token
/// for itself, as a script does it. A person's own is made anew by that person alone, who confirms it: else it would never end, and
/// whoever manages people would speak for others.
/// </summary>
internal static class RotateToken
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    public static void Map(IEndpointRouteBuilder api, IEndpointRouteBuilder tokens)
    {
        tokens.MapPost("/{id}/rotate", RotateAsync).RequireScope(TokensApi.Right).WithName("RotateToken").WithSummary("Put another token in the place of one; its secret is shown once, and the old one ends after an overlap").Produces<RotatedToken>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        api.MapPost("/me/token/rotate", RotateOwnAsync).RequireAuthorization().WithName("RotateMyToken").WithSummary("A program's token: put another one in its place").Produces<RotatedToken>(StatusCodes.Status201Created).AcceptIdempotencyKey();
    }

    /// <summary>Why a reader cannot rotate a token, in words; null: it can.</summary>
    public static string? Hindrance(ApiToken token, ClaimsPrincipal reader, DateTimeOffset now)
    {
        if (token.PersonId is { } person && Actor.IdOf(reader) != person)
        {
            return "Only the person whose own it is can do this.";
        }

        // It belongs to nobody, so that whoever got its successor would hold for good what no token of theirs may.
        if (token is { PersonId: null, AccountId: null } && Actor.IdOf(reader) is not null && token.ScopeList().Any(ApiScopes.IsSensitive))
        {
            return "It may do what no token of a person may. Make a service account for the program in its place.";
        }

        var granted = reader.FindFirst("scope")?.Value ?? "";
        return Scopes.Lacking(reader, TokensApi.Right) ?? token.ScopeList().Select(scope => Scopes.Lacking(reader, scope)).FirstOrDefault(lacking => lacking is not null) ?? token.NoRotating(now);
    }

    private static async Task<IResult> RotateAsync(string id, RotateTokenRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, StepUpGuard guard, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        await LockAsync(db, id, cancellationToken);
        if (await TokensApi.Visible(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } token)
        {
            return Problems.NotFound();
        }

        var now = time.GetUtcNow();
        if (token.NoRotating(now) is { } late)
        {
            return Problems.Of(ProblemCodes.Conflict, late);
        }

        if (Hindrance(token, http.User, now) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (http.User.FindFirst("account") is not null)
        {
            return Problems.Of(ProblemCodes.Conflict, "A service account rotates its own token, at /api/v1/identity/me/token/rotate.");
        }

        // Another token makes none that is good where itself is not, or longer.
        var own = http.User.FindFirst("token")?.Value;
        var parent = own is null ? null : await db.Set<ApiToken>().AsNoTracking().SingleAsync(row => row.Id == own, cancellationToken);
        if (parent?.Beyond(token.NetworkList()).ToList() is { Count: > 0 } errors)
        {
            return Problems.Invalid(errors);
        }

        var text = $"Another token takes the place of “{token.Name}” ({token.Id}), with the rights {string.Join(", ", token.ScopeList())}; the old one is good for {request.OverlapHours} more hours.";
        if (await guard.DemandAsync(http, db, StepUp.Rotate(token.Id, request.OverlapHours), text, cancellationToken) is { } unproven)
        {
            return unproven;
        }

        return await ReplaceAsync(token, parent?.LifeOfChild(token.Life, now) ?? Longest, request, http, db, events, now, transaction, cancellationToken);
    }

    private static async Task<IResult> RotateOwnAsync(RotateTokenRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (http.User.FindFirst("auth")?.Value != "token" || http.User.FindFirst("token")?.Value is not { } id)
        {
            return Problems.Of(ProblemCodes.Conflict, "This is for programs that call with an API token. Rotate yours on the page of tokens.");
        }

        await using var transaction = await db.JoinWriteAsync(cancellationToken);
        await LockAsync(db, id, cancellationToken);
        var token = await db.Set<ApiToken>().SingleAsync(row => row.Id == id, cancellationToken);
        if (token.PersonId is not null)
        {
            return Problems.Of(ProblemCodes.StepUpImpossible, "This token is a person's own: that person rotates it in the portal, and confirms it.");
        }

        var now = time.GetUtcNow();
        return token.NoRotating(now) is { } hindrance
            ? Problems.Of(ProblemCodes.Conflict, hindrance)
            : await ReplaceAsync(token, token.AccountId is null && token.ScopeList().Any(ApiScopes.IsSensitive) ? token.ExpiresAt - now : Longest, request, http, db, events, now, transaction, cancellationToken);
    }

    /// <summary>Of two who rotate a token at once the second one finds its successor.</summary>
    private static Task LockAsync(ControlPlaneDbContext db, string id, CancellationToken cancellationToken) => db.Dialect.LockRowsAsync(db, "identity_token", ["id"], [[id]], cancellationToken);

    private static async Task<IResult> ReplaceAsync(
        ApiToken token, TimeSpan longest, RotateTokenRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, DateTimeOffset now, JoinedWrite transaction, CancellationToken cancellationToken)
    {
        var ended = token.ExpiresAt;
        var longestOfKind = token.PersonId is null ? longest : TimeSpan.FromDays(TokensApi.MaxDaysOfPersons);
        var successor = token.Rotate(TimeSpan.FromHours(request.OverlapHours), longestOfKind < longest ? longestOfKind : longest, now, out var text);
        db.Add(successor);
        successor.Tell(events);
        token.Tell(events);
        events.Audit(TokensApi.Fact(token, "identity.token-rotated") with { Changes = [Change.Replace("/expiresAt", ended, token.ExpiresAt), Change.Add("/successorId", successor.Id)] });
        events.Audit(TokensApi.Fact(successor, "identity.token-created") with
        {
            Reason = $"takes the place of {token.Id}",
            Changes = [Change.Add("/name", successor.Name), Change.Add("/scopes", successor.Scopes), Change.Add("/networks", successor.Networks), Change.Add("/expiresAt", successor.ExpiresAt)],
        });
        TokensApi.Tell(events, successor, "token-created", "warning", http.User, now);
        if (await db.Set<ServiceAccount>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == token.AccountId, cancellationToken) is { } account)
        {
            await ServiceAccountsApi.TellOwnerAsync(db, events, account, $"its token “{token.Name}” was rotated: {successor.Id} takes the place of {token.Id}.", now, cancellationToken);
        }

        if (await db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == token.PersonId, cancellationToken) is { } owner)
        {
            Asking.Tell(events, owner, $"Your token “{token.Name}” was rotated: {successor.Id} takes the place of {token.Id}.", now);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Created($"/api/v1/identity/tokens/{successor.Id}", new RotatedToken(successor.Id, text, successor.ExpiresAt, token.Id, token.ExpiresAt));
    }
}
