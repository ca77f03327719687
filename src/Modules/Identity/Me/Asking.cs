using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Identity.Factors;
using MissionControl.Identity.People;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Me;

/// <summary>Oneself, in the session that asks.</summary>
internal sealed record Self(Person Person, Guid Session);

/// <summary>Somebody who asks for a change of their own account, and what it takes to make one.</summary>
internal sealed record Asking(
    HttpContext Http, [FromServices] ControlPlaneDbContext Db, [FromServices] IEvents Events, [FromServices] FactorBook Factors, [FromServices] StepUpGuard Guard, [FromServices] TimeProvider Time)
{
    private ClaimsPrincipal Reader => Http.User;

    private CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Who asks; null: an API token, which is nobody.</summary>
    public async Task<Self?> FindAsync()
    {
        var session = Guid.TryParse(Reader.FindFirst("session")?.Value, out var id) ? id : Guid.Empty;
        return Actor.IdOf(Reader) is { } personId && await Db.Set<Person>().SingleOrDefaultAsync(row => row.Id == personId, Aborted) is { } person ? new Self(person, session) : null;
    }

    /// <summary>Makes a change in one transaction, in which nobody stops who asks.</summary>
    public async Task<IResult> ChangeAsync(Func<Self, Task<IResult>> change)
    {
        await using var transaction = await Db.BeginWriteAsync(cancellationToken: Aborted);
        Db.ChangeTracker.Clear();
        if (!await Actor.StandsAsync(Db, Reader, Aborted))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        if (await FindAsync() is not { } self)
        {
            return NoPerson();
        }

        var result = await change(self);
        if (result is IStatusCodeHttpResult { StatusCode: < 300 })
        {
            await Db.SaveChangesAsync(Aborted);
            await transaction.CommitAsync(Aborted);
        }

        return result;
    }

    /// <summary>
    /// The same after a proof that it still is the same person: what the authenticator shows, or, without a code, a passkey that confirms
    /// just this. A code proves once, so what it permits and the proof are one transaction; a wrong one is counted as at sign-in.
    /// </summary>
    public async Task<IResult> ProvenAsync(string? code, bool acceptsRecovery, Func<Self, (StepUpSubject Subject, string Text)> what, Func<Self, Task<IResult>> change)
    {
        if (await FindAsync() is not { } known)
        {
            return NoPerson();
        }

        var byCode = !string.IsNullOrWhiteSpace(code);

        // Else whoever holds a session and one recovery code would set up an authenticator and throw the owner's passkeys out by it.
        if (byCode && !acceptsRecovery && await FreshAuthenticatorAsync(known.Person.Id) is { } from)
        {
            return Problems.Of(ProblemCodes.StepUpUnavailable, $"Your authenticator was set up a short while ago and proves nothing here before {from:yyyy-MM-dd HH:mm} UTC. Use a passkey, or wait.");
        }

        if (byCode && !await SignInApi.CountAsync(Db, known.Person.Id, Time.GetUtcNow(), Aborted))
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes.");
        }

        return await ChangeAsync(async self =>
        {
            if (!byCode)
            {
                var (subject, text) = what(self);
                return await Guard.DemandAsync(Http, Db, subject, text, Aborted) ?? await change(self);
            }

            if (await Factors.ProveAsync(Db, self.Person.Id, code!, acceptsRecovery, Aborted) is null)
            {
                return WrongCode("/code");
            }

            await ForgiveAsync(Db, self.Person.Id, Aborted);
            return await change(self);
        });
    }

    private async Task<DateTimeOffset?> FreshAuthenticatorAsync(Guid personId)
    {
        var now = Time.GetUtcNow();
        return await Db.Set<Authenticator>().Where(row => row.PersonId == personId && row.ConfirmedAt != null && row.ConfirmsFrom > now).Select(row => (DateTimeOffset?)row.ConfirmsFrom).FirstOrDefaultAsync(Aborted);
    }

    /// <summary>What was traded for the ended sessions is worth nothing either; this one is traded anew.</summary>
    public void Renew(Person person)
    {
        person.Renew();
        Events.Publish(person.ToEvent());
    }

    /// <summary>Tells somebody that something about the account was changed.</summary>
    public void Tell(Person person, string what) => Tell(Events, person, what, Time.GetUtcNow());

    /// <summary>The same, where nobody asked for it themselves.</summary>
    public static void Tell(IEvents events, Person person, string what, DateTimeOffset now)
    {
        // A provider need not say an address.
        if (person.Email.Length > 0)
        {
            events.Publish(new SendNotification(
                Guid.CreateVersion7(now), person.CustomerId, [new Recipient("address", person.Email)], "account-changed",
                new Dictionary<string, string> { ["name"] = person.Name, ["what"] = what, ["when"] = now.ToString("d MMMM yyyy HH:mm 'UTC'", CultureInfo.InvariantCulture) }, "warning", $"account-changed/{person.Id:N}/{now.ToUnixTimeMilliseconds()}"));
        }
    }

    /// <summary>Somebody proved who it is: the wrong tries of before count no more.</summary>
    public static Task<int> ForgiveAsync(ControlPlaneDbContext db, Guid personId, CancellationToken cancellationToken) =>
        db.Set<Person>().Where(row => row.Id == personId).ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, 0).SetProperty(row => row.LockedUntil, (DateTimeOffset?)null), cancellationToken);

    public static IResult WrongCode(string pointer) => Problems.Invalid([new FieldError(pointer, "wrong", "This code is not right, or was used already. Wait for the next one.")]);

    public static IResult NoPerson() => Problems.Of(ProblemCodes.Conflict, "An API token is nobody: this is for people who signed in.");
}
