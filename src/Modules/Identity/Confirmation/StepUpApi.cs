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
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;

namespace MissionControl.Identity.Confirmation;

/// <summary>
/// <c>/api/v1/identity/me/step-up</c>: somebody who is signed in proves once more who it is, for one purpose and one subject, and gets a
/// proof that one role takes once.
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

    private static Task<IResult> ProveAsync(StepUpRequest request, [AsParameters] StepUpCheck check, UserTokenKey key) =>
        check.ProvenAsync(request, proven =>
        {
            var demand = new StepUpDemand(proven.Question.Audience!, proven.Question.Purpose!, proven.Question.SubjectDigest!, "");
            return Task.FromResult<IResult>(TypedResults.Ok(StepUpCheck.ProofOf(demand, proven.Person, proven.Session, proven.Amr, proven.At, proven.At, key)));
        });

    private static async Task<string> WhyAsync(ControlPlaneDbContext db, Guid personId, Authenticator? device, CancellationToken cancellationToken)
    {
        var first = await db.Set<Passkey>().Where(row => row.PersonId == personId).OrderBy(row => row.ConfirmsFrom).Select(row => (DateTimeOffset?)row.ConfirmsFrom).FirstOrDefaultAsync(cancellationToken);
        var soonest = new[] { first, device?.ConfirmsFrom }.Min();
        return soonest is null
            ? "This has to be confirmed with a passkey, and you have none. Add one under Your account."
            : $"What you sign in with was set up a short while ago and cannot confirm this before {soonest:yyyy-MM-dd HH:mm} UTC: so that whoever takes over an account gains nothing before its owner hears of it.";
    }

    public static Task<Person?> FindAsync(ControlPlaneDbContext db, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        var id = Actor.IdOf(caller);
        return db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
    }

    public static Guid? SessionOf(ClaimsPrincipal caller) => Actor.IdOf(caller) is not null && Guid.TryParse(caller.FindFirst("session")?.Value, out var id) ? id : null;

    public static IResult NoPerson() => Problems.Of(ProblemCodes.StepUpImpossible, "A token can confirm nothing: this is for people who signed in.");

    public static IResult Ended() => Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
}
