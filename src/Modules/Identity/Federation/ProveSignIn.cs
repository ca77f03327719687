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
using MissionControl.Identity.People;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Federation;

/// <summary>The second factor that a provider did not prove: a code of the person's authenticator here, or one that is set up now. Until then there is no session.</summary>
internal static class ProveSignIn
{
    private const string Stale = "This sign-in is finished already, or was begun more than ten minutes ago. Begin again.";

    public static void Map(IEndpointRouteBuilder federation)
    {
        federation.MapPost("/pending", PendingAsync).OpenToAll("the browser's secret is the credential").WithName("GetPendingSignIn").WithSummary("What a sign-in at a provider still needs").Produces<FederatedSignIn>();
        federation.MapPost("/prove", ProveAsync).OpenToAll("the browser's secret and the code are the credentials").WithName("ProveFederatedSignIn").WithSummary("Prove the second factor that the provider did not").Produces<FederatedSignIn>();
    }

    private static async Task<IResult> PendingAsync(FederatedSignInRequest request, FactorBook factors, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await FindAsync(db, request.Browser!, time.GetUtcNow(), cancellationToken) is not { } pending)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Stale);
        }

        return TypedResults.Ok(FinishSignIn.Missing(pending.Attempt, pending.Person, pending.Attempt.TotpSecret is { } box ? factors.TryOpen(pending.Attempt.Id, box) : null));
    }

    private static async Task<IResult> ProveAsync(
        ProveFederatedSignInRequest request, ProviderBook providers, FactorBook factors, FirstAdministrator first, ControlPlaneDbContext db, IEvents events, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
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
        var way = await providers.WayOfAsync(db, attempt.ProviderId, cancellationToken);
        await using (var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken))
        {
            await Actor.LockAsync(db, [person.Id], cancellationToken);
            var (proof, codes) = attempt.TotpSecret is { } box
                ? await SetUpAsync(db, events, factors, options.Value, attempt, box, person, way, request.Code!.Trim(), now, cancellationToken)
                : (await factors.ProveAsync(db, person.Id, request.Code!, acceptsRecovery: true, cancellationToken), null);
            var isFirst = proof is not null && await db.Set<SignInAttempt>().Where(row => row.Id == attempt.Id && row.FinishedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.FinishedAt, now).SetProperty(row => row.TotpSecret, (byte[]?)null), cancellationToken) == 1;
            opened = isFirst ? await FinishSignIn.OpenAsync(db, events, first, options.Value, person, attempt, way, $"fed {proof} mfa", request.Agent, now, cancellationToken) : null;
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

        events.Audit(person.Fact("identity.sign-in-refused") with { Actor = FederatedPeople.ActorOf(person, way), Outcome = AuditOutcome.Denied, Reason = "the code was wrong" });
        await db.SaveChangesAsync(cancellationToken);
        return Problems.Invalid([new FieldError("/code", "wrong", "This code is not right, or was used already. Wait for the next one.")]);
    }

    // Only while there is none: somebody may have set one up since, in another browser, and then that one is asked for.
    private static async Task<(string? Proof, IReadOnlyList<string>? Codes)> SetUpAsync(
        ControlPlaneDbContext db, IEvents events, FactorBook factors, IdentityOptions options, SignInAttempt attempt, byte[] box, Person person, string way, string code, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (factors.TryOpen(attempt.Id, box) is not { } secret || Totp.StepOf(secret, code, now) is not { } step
            || await db.Set<Authenticator>().AnyAsync(row => row.PersonId == person.Id && row.ConfirmedAt != null, cancellationToken))
        {
            return (null, null);
        }

        db.Add(factors.New(person.Id, secret, step, now + options.StepUpCoolDown));
        events.Audit(person.Fact("identity.authenticator-changed") with { Actor = FederatedPeople.ActorOf(person, way), Reason = "first sign-in by a provider that proved no second factor" });
        Asking.Tell(events, person, "An authenticator was set up for your account.", now);
        return ("otp", await factors.RenewRecoveryCodesAsync(db, person.Id, cancellationToken));
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
