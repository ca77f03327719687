using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.SignIn;

/// <summary><c>/api/v1/identity/sign-in/passkey</c>: nothing is typed, so that nothing can be typed at a page that only looks like ours. Wrong tries lock nobody: there is nothing to guess.</summary>
internal static class PasskeySignIn
{
    private const string Refusal = "This passkey is not known here, or was not used as it must be.";

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/sign-in/passkey/begin", BeginAsync).OpenToAll("asks for a passkey, of nobody by name").WithName("BeginPasskeySignIn").WithSummary("Ask for a passkey").Produces<PasskeyChallenge>();
        api.MapPost("/sign-in/passkey", SignInAsync).OpenToAll("the passkey's answer is the credential").WithName("SignInWithPasskey").WithSummary("Sign in with a passkey").Produces<CreatedSession>();
    }

    private static async Task<IResult> BeginAsync(HttpContext http, ControlPlaneDbContext db, PasskeyBook passkeys, PasskeyQuestions questions, CancellationToken cancellationToken)
    {
        if (!questions.MayDo())
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many people sign in at this moment. Try again in a few seconds.");
        }

        var asked = await passkeys.AskAsync(db, http);
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Ok(asked);
    }

    private static async Task<IResult> SignInAsync(
        PasskeySignInRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, PasskeyBook passkeys, FirstAdministrator first, UnknownTries unknown, ProviderBook providers, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await passkeys.TakeAsync(db, request.Challenge, Challenge.SignIn, null, null, cancellationToken) is not { } asked)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "This was asked for more than two minutes ago, or answered already. Try again.");
        }

        var now = time.GetUtcNow();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var answer = await passkeys.CheckAsync(db, http, asked, request.Credential!, cancellationToken);
        // Whom a provider signs in it also keeps out: a passkey of theirs confirms, and opens nothing.
        if (answer is { Key: { } key, Person: { DisabledAt: null, IsFederated: false } person })
        {
            var session = Session.Of(person, key.Amr, request.Agent, options.Value.LimitsOf(person.Kind), now, out var secret);
            if (await SignInApi.OpenAsync(db, events, person, session, "passkey", first, now, cancellationToken))
            {
                await BreakGlass.TellAsync(db, events, person, "passkey", providers, now, cancellationToken);
                await db.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                await first.ForgetCodeAsync(db, cancellationToken);
                return TypedResults.Ok(new CreatedSession(secret, session.ExpiresAt));
            }
        }

        // Whose it was, the answer says, and anybody may have typed it: strangers fill no log.
        if (unknown.MayBeTold())
        {
            events.Audit((answer.Person?.Fact("identity.sign-in-refused") ?? new AuditFact("identity.sign-in-refused", AuditLog.Operator, "person", "unknown")) with
            {
                Actor = new AuditActor(answer.Person?.Kind ?? "system", answer.Person?.Subject ?? "unknown", "passkey"),
                Outcome = AuditOutcome.Denied,
                Reason = answer.Failure.Length > 0 ? answer.Failure : answer.Person is { IsFederated: true } ? "its provider signs this person in" : "the account is disabled",
            });
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
    }
}

/// <summary>Questions that strangers have asked: each is a row.</summary>
internal sealed class PasskeyQuestions() : StrangersLimit(atOnce: 200, perSecond: 20);
