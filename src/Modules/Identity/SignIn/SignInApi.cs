using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Directories;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Federation;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.SignIn;

/// <summary><c>/api/v1/identity/sign-in</c>: mail address, password and code in one step. Whatever is wrong gets one and the same answer, after one and the same time.</summary>
internal static class SignInApi
{
    private const string Refusal = "Mail address, password or code is not right, or there were too many wrong tries: then wait a few minutes.";

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sign-in", OptionsAsync).OpenToAll("what the page before sign-in shows").WithName("GetSignInOptions").WithSummary("How one can sign in").Produces<SignInOptions>();
        api.MapPost("/sign-in", SignInAsync).OpenToAll("password and code are the credentials").WithName("SignIn").WithSummary("Sign in with mail address, password and code").Produces<CreatedSession>();
    }

    private static async Task<IResult> OptionsAsync(ControlPlaneDbContext db, FirstAdministrator first, ProviderBook providers, DirectoryClient directories, CancellationToken cancellationToken) =>
        TypedResults.Ok(new SignInOptions(!await first.HasSignedInAsync(db, cancellationToken)) { Providers = [.. providers.Staffs.Select(provider => new SignInProvider(provider.Id, provider.Name)), .. directories.All.Select(directory => new SignInProvider(directory.Id, directory.Name) { Kind = "ldap" })] });

    private static async Task<IResult> SignInAsync(
        SignInRequest request, ControlPlaneDbContext db, IEvents events, Passwords passwords, FactorBook factors, FirstAdministrator first, UnknownTries unknown, ProviderBook providers, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var turn = passwords.TryTakeTurn();
        if (turn is null)
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many people sign in at this moment. Try again in a few seconds.");
        }

        var began = time.GetTimestamp();
        var key = Person.KeyOf(request.Email!);
        var person = await db.Set<Person>().AsNoTracking().SingleOrDefaultAsync(row => row.EmailKey == key, cancellationToken);

        // A try is counted before it is looked at. One that may not be looked at is hashed all the same.
        var mayTry = person is not null && await CountAsync(db, person.Id, time.GetUtcNow(), cancellationToken);
        var isRight = await passwords.IsRightAsync(person, request.Password!, cancellationToken) && mayTry && person is { DisabledAt: null };
        if (isRight)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            if (await factors.ProveAsync(db, person!.Id, request.Code!, acceptsRecovery: true, cancellationToken) is { } proof)
            {
                var now = time.GetUtcNow();
                var session = Session.Of(person, $"pwd {proof} mfa", request.Agent, options.Value.LimitsOf(person.Kind), now, out var secret);
                if (await OpenAsync(db, events, person, session, "password", first, now, cancellationToken))
                {
                    await BreakGlass.TellAsync(db, events, person, "password", providers, now, cancellationToken);
                    await db.SaveChangesAsync(cancellationToken);
                    await transaction.CommitAsync(cancellationToken);
                    await first.ForgetCodeAsync(db, cancellationToken);
                    return TypedResults.Ok(new CreatedSession(secret, session.ExpiresAt));
                }
            }
        }

        // Who is locked is told once, by the try that locked it: strangers fill no log.
        if (mayTry || (person is null && unknown.MayBeTold()))
        {
            events.Audit((person?.Fact("identity.sign-in-refused") ?? new AuditFact("identity.sign-in-refused", AuditLog.Operator, "person", "unknown")) with
            {
                Actor = new AuditActor(person?.Kind ?? "system", person?.Subject ?? "unknown", "password"),
                Outcome = AuditOutcome.Denied,
            });
            await db.SaveChangesAsync(cancellationToken);
        }

        await Beat.WaitAsync(time, began, cancellationToken);
        return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
    }

    /// <summary>Writes down that somebody is signed in, and by what, within the open transaction; false: it was stopped, or its password changed, since it was read.</summary>
    public static async Task<bool> OpenAsync(ControlPlaneDbContext db, IEvents events, Person person, Session session, string by, FirstAdministrator first, DateTimeOffset now, CancellationToken cancellationToken, params IReadOnlyList<AuditChange> more)
    {
        if (await db.Set<Person>().Where(row => row.Id == person.Id && row.Stamp == person.Stamp && row.DisabledAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, 0).SetProperty(row => row.LockedUntil, (DateTimeOffset?)null).SetProperty(row => row.LastSignInAt, now), cancellationToken) == 0)
        {
            return false;
        }

        db.Add(session);
        var actor = new AuditActor(person.Kind, person.Subject, by, true, SessionId: session.Id.ToString("N"));
        events.Audit(person.Fact("identity.signed-in") with { Actor = actor, Changes = [Change.Add("/session", session.Id), Change.Add("/factors", session.Factors), .. more] });
        await first.HasSignedInNowAsync(db, events, person, actor, now, cancellationToken);
        return true;
    }

    /// <summary>Counts a try; false when none may be made now.</summary>
    public static async Task<bool> CountAsync(ControlPlaneDbContext db, Guid personId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Whoever else counted meanwhile was earlier; nobody loses this more often than there are tries before a lock.
        for (var round = 0; round < 10; round++)
        {
            var found = await db.Set<Person>().Where(row => row.Id == personId && (row.LockedUntil == null || row.LockedUntil <= now)).Select(row => new { row.FailedTries, row.LockedUntil }).SingleOrDefaultAsync(cancellationToken);
            if (found is null)
            {
                return false;
            }

            // What was wrong long ago makes nobody wait today.
            var (tries, counted) = (found.FailedTries, found.LockedUntil < now - Person.Forgiven ? 1 : found.FailedTries + 1);
            var wait = Person.LockAfter(counted);
            DateTimeOffset? until = wait > TimeSpan.Zero ? now + wait : null;
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            if (await db.Set<Person>().Where(row => row.Id == personId && row.FailedTries == tries && (row.LockedUntil == null || row.LockedUntil <= now))
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, counted).SetProperty(row => row.LockedUntil, until), cancellationToken) == 1)
            {
                await transaction.CommitAsync(cancellationToken);
                return true;
            }
        }

        return false;
    }
}

/// <summary>Bounds how often the audit log is told of tries that no account has: anybody can make them.</summary>
internal sealed class UnknownTries(TimeProvider time)
{
    private const int InAMinute = 60;
    private readonly Lock gate = new();
    private long minute;
    private int told;

    public bool MayBeTold()
    {
        var now = time.GetTimestamp() / (60 * time.TimestampFrequency);
        lock (gate)
        {
            (minute, told) = minute == now ? (minute, told + 1) : (now, 1);
            return told <= InAMinute;
        }
    }
}
