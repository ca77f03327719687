using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Me;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.People;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>The second factor that a provider did not prove: a passkey of the person here, a code of its authenticator, or of one that is set up now. Until then there is no session.</summary>
internal static class ProveSignIn
{
    private const string Stale = "This sign-in is finished already, or was begun more than ten minutes ago. Begin again.";

    public static void Map(IEndpointRouteBuilder federation)
    {
        federation.MapPost("/pending", PendingAsync).OpenToAll("the browser's secret is the credential").WithName("GetPendingSignIn").WithSummary("What a sign-in at a provider still needs").Produces<FederatedSignIn>();
        federation.MapPost("/passkey", AskAsync).OpenToAll("the browser's secret is the credential").WithName("BeginFederatedPasskey").WithSummary("Ask for a passkey, to prove the second factor that the provider did not").Produces<PasskeyChallenge>();
        federation.MapPost("/prove", ProveAsync).OpenToAll("the browser's secret and the code, or the passkey's answer, are the credentials").WithName("ProveFederatedSignIn").WithSummary("Prove the second factor that the provider did not").Produces<FederatedSignIn>();
    }

    private static async Task<IResult> PendingAsync(FederatedSignInRequest request, FactorBook factors, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await FindAsync(db, request.Browser!, time.GetUtcNow(), cancellationToken) is not { } pending)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Stale);
        }

        return TypedResults.Ok(await FinishSignIn.MissingAsync(db, factors, pending.Attempt, pending.Person, cancellationToken));
    }

    private static async Task<IResult> AskAsync(FederatedSignInRequest request, HttpContext http, PasskeyBook passkeys, PasskeyQuestions questions, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!questions.MayDo())
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many people sign in at this moment. Try again in a few seconds.");
        }

        if (await FindAsync(db, request.Browser!, time.GetUtcNow(), cancellationToken) is not { } pending)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Stale);
        }

        if (await passkeys.AskToProveAsync(db, http, pending.Person, pending.Attempt.Id) is not { } asked)
        {
            return Problems.Of(ProblemCodes.Conflict, "There is no passkey of yours here. Use a code.");
        }

        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(asked);
    }

    private static async Task<IResult> ProveAsync(
        ProveFederatedSignInRequest request, HttpContext http, ProviderBook providers, FactorBook factors, PasskeyBook passkeys, FirstAdministrator first, ControlPlaneDbContext db, IEvents events, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        var (now, byCode) = (time.GetUtcNow(), request.Credential is null);
        if (byCode && string.IsNullOrWhiteSpace(request.Code))
        {
            return Problems.Invalid([new FieldError("/code", "required", "Send a code, or what a passkey answered.")]);
        }

        if (await FindAsync(db, request.Browser!, now, cancellationToken) is not { } pending)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Stale);
        }

        // Counted before it is looked at, as at every sign-in.
        var (attempt, person) = pending;
        if (!await CountAsync(db, attempt.Id, cancellationToken) || !await SignInApi.CountAsync(db, person.Id, now, cancellationToken))
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes, and begin again.");
        }

        FederatedSignIn? opened;
        var asked = byCode ? null : await passkeys.TakeAsync(db, request.Challenge, Challenge.Prove, person.Id, attempt.Id, cancellationToken);
        var way = await providers.WayOfAsync(db, attempt.ProviderId, cancellationToken);
        await using (var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken))
        {
            await Actor.LockAsync(db, [person.Id], cancellationToken);
            var (proof, codes) = !byCode ? (await ByKeyAsync(db, http, passkeys, asked, person, request.Credential!, cancellationToken), null)
                : attempt.TotpSecret is { } box ? await SetUpAsync(db, events, factors, options.Value, attempt, box, person, way, request.Code!.Trim(), now, cancellationToken)
                : (await factors.ProveAsync(db, person.Id, request.Code!, acceptsRecovery: true, cancellationToken) is { } otp ? $"{otp} mfa" : null, null);
            var isFirst = proof is not null && await db.Set<SignInAttempt>().Where(row => row.Id == attempt.Id && row.FinishedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.FinishedAt, now).SetProperty(row => row.TotpSecret, (byte[]?)null), cancellationToken) == 1;
            opened = isFirst ? await FinishSignIn.OpenAsync(db, events, first, options.Value, person, attempt, way, $"fed {proof}", request.Agent, now, cancellationToken) : null;
            if (opened is not null)
            {
                await db.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                await first.ForgetCodeAsync(db, cancellationToken);
                return TypedResults.Ok(opened with { RecoveryCodes = codes });
            }

            if (proof is not null)
            {
                return Problems.Of(ProblemCodes.Unauthenticated, Stale);
            }
        }

        events.Audit(person.Fact("identity.sign-in-refused") with { Actor = FederatedPeople.ActorOf(person, way), Outcome = AuditOutcome.Denied, Reason = byCode ? "the code was wrong" : "the passkey was not right" });
        await db.SaveChangesAsync(cancellationToken);
        return Problems.Invalid([byCode ? new FieldError("/code", "wrong", "This code is not right, or was used already. Wait for the next one.")
            : new FieldError("/credential", "wrong", "This passkey is not known here, or it took too long. Try again, or use a code.")]);
    }

    private static async Task<string?> ByKeyAsync(ControlPlaneDbContext db, HttpContext http, PasskeyBook passkeys, Challenge? asked, Person person, string credential, CancellationToken cancellationToken) =>
        asked is not null && (await passkeys.CheckAsync(db, http, asked, credential, cancellationToken)).Key is { } key && key.PersonId == person.Id ? key.Amr : null;

    // Only while there is nothing: somebody may have set one up since, in another browser, and then that one is asked for.
    private static async Task<(string? Proof, IReadOnlyList<string>? Codes)> SetUpAsync(
        ControlPlaneDbContext db, IEvents events, FactorBook factors, IdentityOptions options, SignInAttempt attempt, byte[] box, Person person, string way, string code, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (factors.TryOpen(attempt.Id, box) is not { } secret || Totp.StepOf(secret, code, now) is not { } step
            || await db.Set<Authenticator>().AnyAsync(row => row.PersonId == person.Id && row.ConfirmedAt != null, cancellationToken)
            || await db.Set<Passkey>().AnyAsync(row => row.PersonId == person.Id, cancellationToken))
        {
            return (null, null);
        }

        db.Add(factors.New(person.Id, secret, step, now + options.StepUpCoolDown));
        events.Audit(person.Fact("identity.authenticator-changed") with { Actor = FederatedPeople.ActorOf(person, way), Reason = "first sign-in by a provider that proved no second factor" });
        Asking.Tell(events, person, "An authenticator was set up for your account.", now);
        return ("otp mfa", await factors.RenewRecoveryCodesAsync(db, person.Id, cancellationToken));
    }

    private static async Task<bool> CountAsync(ControlPlaneDbContext db, Guid attempt, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var counted = await db.Set<SignInAttempt>().Where(row => row.Id == attempt && row.FailedTries < SignInAttempt.MaxTries).ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, row => row.FailedTries + 1), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return counted == 1;
    }

    private static async Task<(SignInAttempt Attempt, Person Person)?> FindAsync(ControlPlaneDbContext db, string browser, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var sha256 = SignInAttempt.Digest(browser);
        return await db.Set<SignInAttempt>().AsNoTracking().SingleOrDefaultAsync(row => row.BrowserSha256 == sha256 && row.PersonId != null && row.FinishedAt == null && row.ExpiresAt > now, cancellationToken) is { } attempt
            && await db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == attempt.PersonId && row.Stamp == attempt.PersonStamp && row.DisabledAt == null, cancellationToken) is { } person ? (attempt, person) : null;
    }
}
