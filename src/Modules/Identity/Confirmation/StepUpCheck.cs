using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
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

/// <summary>Somebody proved who it is.</summary>
/// <param name="Person">Who.</param>
/// <param name="Session">The session it was proved in.</param>
/// <param name="Question">What was asked, used up.</param>
/// <param name="Amr">How it was proved (RFC 8176).</param>
/// <param name="At">When.</param>
internal sealed record Proven(Person Person, Guid Session, Challenge Question, string Amr, DateTimeOffset At);

/// <summary>What it takes to check an answer to a step-up. No recovery code is one, and an authenticator's code only where the configuration says so.</summary>
internal sealed record StepUpCheck(
    HttpContext Http, [FromServices] ControlPlaneDbContext Db, [FromServices] IEvents Events, [FromServices] PasskeyBook Passkeys, [FromServices] FactorBook Factors, [FromServices] IOptions<IdentityOptions> Options, [FromServices] TimeProvider Time)
{
    private CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Uses the question up, checks the answer, writes down how that went, and does what it permits in the same transaction.</summary>
    /// <returns>What <paramref name="then"/> made of it, or the refusal.</returns>
    public async Task<IResult> ProvenAsync(StepUpRequest request, Func<Proven, Task<IResult>> then)
    {
        if (StepUpApi.SessionOf(Http.User) is not { } session)
        {
            return StepUpApi.NoPerson();
        }

        if (request.Credential is null && string.IsNullOrWhiteSpace(request.Code))
        {
            return Problems.Invalid([new FieldError("/credential", "required", "Send what the passkey answered, or a code.")]);
        }

        var id = Actor.IdOf(Http.User)!.Value;
        var now = Time.GetUtcNow();
        var byCode = request.Credential is null;

        // A code is guessed as it is at sign-in: no faster by whoever stole a session.
        if (byCode && !await SignInApi.CountAsync(Db, id, now, Aborted))
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes.");
        }

        var asked = await Passkeys.TakeAsync(Db, request.Challenge, Challenge.Confirm, id, session, Aborted);
        await using var transaction = await Db.BeginWriteAsync(cancellationToken: Aborted);
        if (!await Actor.StandsAsync(Db, Http.User, Aborted) || await StepUpApi.FindAsync(Db, Http.User, Aborted) is not { } person
            || !await Db.Set<Session>().AnyAsync(row => row.Id == session && row.PersonId == id && row.EndedAt == null && row.ExpiresAt > now, Aborted))
        {
            return StepUpApi.Ended();
        }

        var (amr, failure) = asked is null ? (null, "nothing like it was asked, or it was answered already, or more than two minutes ago")
            : byCode ? (await ByCodeAsync(id, request.Code ?? "", now), "the code is not right, or not accepted for this")
            : await ByKeyAsync(asked, person, request.Credential!);
        Events.Audit(person.Fact(amr is null ? "identity.step-up-refused" : "identity.step-up-proven") with
        {
            Outcome = amr is null ? AuditOutcome.Denied : AuditOutcome.Success,
            Reason = amr is null ? failure : null,
            Changes = asked is null ? [] : [Change.Add("/purpose", asked.Purpose), Change.Add("/subjectDigest", asked.SubjectDigest), Change.Add("/audience", asked.Audience), Change.Add("/factors", amr)],
        });
        if (amr is not null && byCode)
        {
            await Me.Asking.ForgiveAsync(Db, id, Aborted);
        }

        var result = amr is null ? Problems.Invalid([new FieldError(byCode ? "/code" : "/credential", "wrong", $"This proves nothing: {failure}.")]) : await then(new Proven(person, session, asked!, amr, now));
        await Db.SaveChangesAsync(Aborted);
        await transaction.CommitAsync(Aborted);
        return result;
    }

    /// <summary>The proof that a role takes once, from the session that it is for.</summary>
    public static StepUpProof ProofOf(StepUpDemand demand, Person person, Guid session, string amr, DateTimeOffset provenAt, DateTimeOffset now, UserTokenKey key)
    {
        var ends = provenAt + StepUpProofs.Lifetime;
        var claims = new StepUpClaims(UserTokens.Issuer, demand.Audience, person.Subject, session.ToString("N"), demand.Purpose, demand.SubjectDigest, amr, provenAt.ToUnixTimeSeconds(), Guid.CreateVersion7(now), ends.ToUnixTimeSeconds());
        return new StepUpProof(StepUpProofs.Issue(claims, key.Signer), ends);
    }

    private async Task<(string? Amr, string Failure)> ByKeyAsync(Challenge asked, Person person, string credential)
    {
        if (asked.State is null)
        {
            return (null, "no passkey was asked for");
        }

        var answer = await Passkeys.CheckAsync(Db, Http, asked, credential, Aborted);
        return answer.Key is { } key && key.PersonId == person.Id ? (key.Amr, "") : (null, answer.Failure.Length > 0 ? answer.Failure.TrimEnd('.') : "the passkey is somebody else's");
    }

    private async Task<string?> ByCodeAsync(Guid personId, string code, DateTimeOffset now) =>
        Options.Value.StepUpByCode && await Db.Set<Authenticator>().AnyAsync(row => row.PersonId == personId && row.ConfirmedAt != null && row.ConfirmsFrom <= now, Aborted)
            && await Factors.ProveAsync(Db, personId, code, acceptsRecovery: false, Aborted) is { } proof ? proof : null;
}
