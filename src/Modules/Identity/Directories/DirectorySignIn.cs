using System.Data.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Federation;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Directories;

/// <summary>
/// Name and password of a directory. Whatever is wrong gets one and the same answer, after one and the same time; what is right is a
/// sign-in that was begun, for a password is one factor: <c>/federation/prove</c> asks for the other. The password goes to the
/// directory and nowhere else.
/// </summary>
internal static class DirectorySignIn
{
    public const string Refusal = "Name or password is not right, no group of yours gives you a role here, or there were too many wrong tries: then wait a few minutes.";
    public const string Silent = "The directory cannot be asked now. Try again in a moment; if it lasts, tell whoever looks after Mission Control.";

    public static void Map(IEndpointRouteBuilder federation) =>
        federation.MapPost("/{provider}/directory-sign-in", SignInAsync).OpenToAll("name and password are the credentials").WithName("SignInByDirectory").WithSummary("Sign in with name and password of a directory").Produces<BegunDirectorySignIn>();

    private static async Task<IResult> SignInAsync(
        string provider, DirectorySignInRequest request, DirectoryClient directories, FactorBook factors, UnknownTries unknown, PeopleLimit limit, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (directories.Find(provider) is not { } directory)
        {
            return Problems.NotFound();
        }

        if (Mistakes(request).ToList() is { Count: > 0 } mistakes)
        {
            return Problems.Invalid(mistakes);
        }

        using var turn = directories.TryTakeTurn(directory);
        if (turn is null)
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many people sign in at this moment. Try again in a few seconds.");
        }

        var (began, found) = (time.GetTimestamp(), directory.ToProvider());
        DirectoryAnswer answer;
        var isCounted = false;
        try
        {
            answer = await directories.SignInAsync(directory, request.Name!.Trim(), request.Password!, async subject => isCounted = await DirectoryTry.CountAsync(db, DirectoryTry.KeyOf(directory.Id, subject), time.GetUtcNow(), cancellationToken), cancellationToken);
        }
        catch (ProviderException failure)
        {
            if (unknown.MayBeTold())
            {
                await RefuseAsync(db, events, found, null, failure.Message, cancellationToken);
            }

            await Beat.WaitAsync(time, began, cancellationToken);
            return Problems.Of(ProblemCodes.Conflict, Silent);
        }

        if (answer.Groups is not null)
        {
            var begun = await BringAsync(found, answer, request.ReturnUrl ?? "/", factors, limit, db, events, time.GetUtcNow(), cancellationToken);
            if (begun is not null)
            {
                return begun;
            }
        }
        else if (isCounted || (answer.Person is null && unknown.MayBeTold()))
        {
            // Who is locked is told once, by the try that locked it: strangers fill no log.
            await RefuseAsync(db, events, found, answer.Person?.Subject, answer.Why!, cancellationToken);
        }

        await Beat.WaitAsync(time, began, cancellationToken);
        return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
    }

    // What no directory has is not looked for. An empty password was refused before: a directory says yes to it (RFC 4513, 5.1.2).
    private static IEnumerable<FieldError> Mistakes(DirectorySignInRequest request)
    {
        if (!DirectoryNames.IsName(request.Name!))
        {
            yield return new FieldError("/name", "characters", "A name has characters that can be seen, and no others.");
        }
    }

    private static async Task RefuseAsync(ControlPlaneDbContext db, IEvents events, Provider provider, string? subject, string why, CancellationToken cancellationToken)
    {
        events.Audit(FederationApi.Fact(provider, "identity.sign-in-refused") with
        {
            Actor = new AuditActor("system", "unknown", provider.Way),
            Outcome = AuditOutcome.Denied,
            Reason = why,
            Personal = subject is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["subject"] = subject },
        });
        await db.SaveChangesAsync(cancellationToken);
    }

    /// <summary>Brings the person, and begins what its second factor finishes; null: it is not let in, and the log says why.</summary>
    private static async Task<IResult?> BringAsync(Provider provider, DirectoryAnswer answer, string returnUrl, FactorBook factors, PeopleLimit limit, ControlPlaneDbContext db, IEvents events, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (_, subject, _, name, email) = answer.Person!;
        var claims = FederatedClaims.Of(provider, subject, name, email, answer.Groups!);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        try
        {
            // The password was right.
            var key = DirectoryTry.KeyOf(provider.Id, subject);
            await db.Set<DirectoryTry>().Where(row => row.Key == key).ExecuteDeleteAsync(cancellationToken);
            var (person, refusal) = await FederatedPeople.BringAsync(db, events, provider, claims, limit, now, cancellationToken);
            if (person is null || refusal is not null)
            {
                await RefuseAsync(db, events, provider, subject, refusal!, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return null;
            }

            await db.SaveChangesAsync(cancellationToken);
            var attempt = SignInAttempt.Begin(provider.Id, returnUrl, now, out _, out var browser);
            db.Add(attempt);
            await FinishSignIn.WaitAsync(db, factors, attempt, person, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return TypedResults.Ok(new BegunDirectorySignIn(browser, attempt.ExpiresAt));
        }
        catch (DbUpdateException exception) when (exception is DbUpdateConcurrencyException || (exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database)))
        {
            return Problems.Of(ProblemCodes.Conflict, "You signed in twice at the same moment. Begin again.");
        }
    }
}
