using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Confirmation;

/// <summary>
/// <c>/api/v1/identity/me/step-up</c>: somebody who is signed in proves once more who it is, for one purpose and one subject, and gets a
/// proof that one role takes once. No recovery code is one, and an authenticator's code only where the configuration says so.
/// </summary>
internal static class StepUpApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var stepUp = api.MapGroup("/me/step-up").RequireAuthorization();
        stepUp.MapPost("/begin", BeginAsync).WithName("BeginStepUp").WithSummary("Ask how to confirm what a role demanded").Produces<StepUpChallenge>();
        stepUp.MapPost("/", ProveAsync).WithName("ProveStepUp").WithSummary("Prove it, and get what the request is repeated with").Produces<StepUpProof>();
    }

    private static async Task<IResult> BeginAsync(BeginStepUpRequest request, HttpContext http, ControlPlaneDbContext db, PasskeyBook passkeys, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!StepUp.Purposes.Contains(request.Purpose))
        {
            return Problems.Invalid([new FieldError("/purpose", "unknown-purpose", $"Known are {string.Join(", ", StepUp.Purposes)}.")]);
        }

        if (SessionOf(http.User) is not { } session)
        {
            return NoPerson();
        }

        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken) || await FindAsync(db, http.User, cancellationToken) is not { } person)
        {
            return Ended();
        }

        var now = time.GetUtcNow();
        var (challenge, asked) = await passkeys.AskToConfirmAsync(db, http, person, session, request);
        var device = options.Value.StepUpByCode ? await db.Set<Authenticator>().AsNoTracking().SingleOrDefaultAsync(row => row.PersonId == person.Id && row.ConfirmedAt != null, cancellationToken) : null;
        if (asked is null && !(device?.ConfirmsFrom <= now))
        {
            return Problems.Of(ProblemCodes.StepUpUnavailable, await WhyAsync(db, person.Id, device, cancellationToken));
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(new StepUpChallenge(challenge, asked, device?.ConfirmsFrom <= now));
    }

    private static async Task<IResult> ProveAsync(
        StepUpRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, PasskeyBook passkeys, FactorBook factors, UserTokenKey key, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (SessionOf(http.User) is not { } session)
        {
            return NoPerson();
        }

        if (request.Credential is null && string.IsNullOrWhiteSpace(request.Code))
        {
            return Problems.Invalid([new FieldError("/credential", "required", "Send what the passkey answered, or a code.")]);
        }

        var id = Actor.IdOf(http.User)!.Value;
        var now = time.GetUtcNow();
        var byCode = request.Credential is null;

        // A code is guessed as it is at sign-in: no faster by whoever stole a session.
        if (byCode && !await SignInApi.CountAsync(db, id, now, cancellationToken))
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes.");
        }

        var asked = await passkeys.TakeAsync(db, request.Challenge, Challenge.Confirm, id, session, cancellationToken);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (!await Actor.StandsAsync(db, http.User, cancellationToken) || await FindAsync(db, http.User, cancellationToken) is not { } person
            || !await db.Set<Session>().AnyAsync(row => row.Id == session && row.PersonId == id && row.EndedAt == null && row.ExpiresAt > now, cancellationToken))
        {
            return Ended();
        }

        var (amr, failure) = asked is null ? (null, "nothing like it was asked, or it was answered already, or more than two minutes ago")
            : byCode ? (await ByCodeAsync(db, factors, options.Value, id, request.Code ?? "", now, cancellationToken), "the code is not right, or not accepted for this")
            : await ByKeyAsync(db, http, passkeys, asked, person, request.Credential!, cancellationToken);
        var fact = person.Fact(amr is null ? "identity.step-up-refused" : "identity.step-up-proven") with
        {
            Outcome = amr is null ? AuditOutcome.Denied : AuditOutcome.Success,
            Reason = amr is null ? failure : null,
            Changes = asked is null ? [] : [Change.Add("/purpose", asked.Purpose), Change.Add("/subjectDigest", asked.SubjectDigest), Change.Add("/audience", asked.Audience), Change.Add("/factors", amr)],
        };
        events.Audit(fact);
        if (amr is not null && byCode)
        {
            await Me.Asking.ForgiveAsync(db, id, cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (amr is null)
        {
            return Problems.Invalid([new FieldError(byCode ? "/code" : "/credential", "wrong", $"This proves nothing: {failure}.")]);
        }

        var ends = now + StepUpProofs.Lifetime;
        var claims = new StepUpClaims(UserTokens.Issuer, asked!.Audience!, person.Subject, session.ToString("N"), asked.Purpose!, asked.SubjectDigest!, amr, now.ToUnixTimeSeconds(), Guid.CreateVersion7(now), ends.ToUnixTimeSeconds());
        return TypedResults.Ok(new StepUpProof(StepUpProofs.Issue(claims, key.Signer), ends));
    }

    private static async Task<(string? Amr, string Failure)> ByKeyAsync(ControlPlaneDbContext db, HttpContext http, PasskeyBook passkeys, Challenge asked, Person person, string credential, CancellationToken cancellationToken)
    {
        if (asked.State is null)
        {
            return (null, "no passkey was asked for");
        }

        var answer = await passkeys.CheckAsync(db, http, asked, credential, cancellationToken);
        return answer.Key is { } key && key.PersonId == person.Id ? (key.Amr, "") : (null, answer.Failure.Length > 0 ? answer.Failure.TrimEnd('.') : "the passkey is somebody else's");
    }

    private static async Task<string?> ByCodeAsync(ControlPlaneDbContext db, FactorBook factors, IdentityOptions options, Guid personId, string code, DateTimeOffset now, CancellationToken cancellationToken) =>
        options.StepUpByCode && await db.Set<Authenticator>().AnyAsync(row => row.PersonId == personId && row.ConfirmedAt != null && row.ConfirmsFrom <= now, cancellationToken)
            && await factors.ProveAsync(db, personId, code, acceptsRecovery: false, cancellationToken) is { } proof ? proof : null;

    private static async Task<string> WhyAsync(ControlPlaneDbContext db, Guid personId, Authenticator? device, CancellationToken cancellationToken)
    {
        var first = await db.Set<Passkey>().Where(row => row.PersonId == personId).OrderBy(row => row.ConfirmsFrom).Select(row => (DateTimeOffset?)row.ConfirmsFrom).FirstOrDefaultAsync(cancellationToken);
        var soonest = new[] { first, device?.ConfirmsFrom }.Min();
        return soonest is null
            ? "This has to be confirmed with a passkey, and you have none. Add one under Your account."
            : $"What you sign in with was set up a short while ago and cannot confirm this before {soonest:yyyy-MM-dd HH:mm} UTC: so that whoever takes over an account gains nothing before its owner hears of it.";
    }

    private static Task<Person?> FindAsync(ControlPlaneDbContext db, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        var id = Actor.IdOf(caller);
        return db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
    }

    private static Guid? SessionOf(ClaimsPrincipal caller) => Actor.IdOf(caller) is not null && Guid.TryParse(caller.FindFirst("session")?.Value, out var id) ? id : null;

    private static IResult NoPerson() => Problems.Of(ProblemCodes.StepUpImpossible, "A token can confirm nothing: this is for people who signed in.");

    private static IResult Ended() => Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
}
