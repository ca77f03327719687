using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Identity.Factors;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.SignIn;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Me;

/// <summary><c>/api/v1/identity/me</c>: one's own sessions, password and factors. A change proves once more who makes it, and is told by mail.</summary>
internal static class MeApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var me = api.MapGroup("/me").RequireAuthorization();
        me.MapGet("/", GetAsync).WithName("GetMe").WithSummary("Oneself").Produces<MeItem>();
        me.MapGet("/sessions", SessionsAsync).WithName("ListMySessions").WithSummary("Browsers that one is signed in with").Produces<IReadOnlyList<SessionItem>>();
        me.MapPost("/sessions/{id:guid}/end", EndSessionAsync).WithName("EndMySession").WithSummary("Sign one browser out").Produces(StatusCodes.Status204NoContent);
        me.MapPost("/sessions/end-others", EndOthersAsync).WithName("EndMyOtherSessions").WithSummary("Sign all other browsers out").Produces(StatusCodes.Status204NoContent);
        me.MapPost("/password", ChangePasswordAsync).WithName("ChangeMyPassword").WithSummary("Change one's password; all other sessions end").Produces(StatusCodes.Status204NoContent);
        me.MapPost("/recovery-codes", RenewCodesAsync).WithName("RenewMyRecoveryCodes").WithSummary("New recovery codes in place of those before").Produces<RecoveryCodesItem>();
        me.MapPost("/authenticator", BeginAuthenticatorAsync).WithName("BeginMyAuthenticator").WithSummary("Begin to change the authenticator").Produces<NewAuthenticator>();
        me.MapPost("/authenticator/confirm", ConfirmAuthenticatorAsync).WithName("ConfirmMyAuthenticator").WithSummary("Put the new authenticator in place of the old one").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> GetAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await SelfAsync(reader, db, cancellationToken) is not { } self)
        {
            return NoPerson();
        }

        var id = self.Person.Id;
        var roles = await db.Set<HeldRole>().AsNoTracking().Where(row => row.PersonId == id && row.Until == null).OrderBy(row => row.Role).ToListAsync(cancellationToken);
        var device = await db.Set<Authenticator>().AsNoTracking().SingleOrDefaultAsync(row => row.PersonId == id && row.ConfirmedAt != null, cancellationToken);
        var codes = await db.Set<RecoveryCode>().CountAsync(row => row.PersonId == id && row.UsedAt == null, cancellationToken);
        return TypedResults.Ok(new MeItem(id, self.Person.Name, self.Person.Email, self.Person.Kind, self.Person.CustomerId, [.. roles.Select(row => new HeldRoleItem(row.Role, row.Since, null))], self.Person.PasswordSetAt,
            device is null ? null : new FactorItem("totp", device.ConfirmedAt!.Value, device.LastUsedAt), codes, self.Session));
    }

    private static async Task<IResult> SessionsAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await SelfAsync(reader, db, cancellationToken) is not { } self)
        {
            return NoPerson();
        }

        var now = time.GetUtcNow();
        var open = await db.Set<Session>().AsNoTracking().Where(row => row.PersonId == self.Person.Id && row.EndedAt == null && row.ExpiresAt > now).OrderByDescending(row => row.CreatedAt).Take(200).ToListAsync(cancellationToken);
        return TypedResults.Ok<IReadOnlyList<SessionItem>>([.. open.Where(row => row.IsLive(now)).Select(row => new SessionItem(row.Id, row.CreatedAt, row.SeenAt, row.ExpiresAt, row.Agent, row.Factors ?? "", row.Id == self.Session))]);
    }

    private static Task<IResult> EndSessionAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        Actor.IdOf(reader) is null ? Task.FromResult(Problems.NotFound()) : ChangeAsync(reader, db, async self =>
        {
            var now = time.GetUtcNow();
            if (await db.Set<Session>().Where(row => row.Id == id && row.PersonId == self.Person.Id && row.EndedAt == null).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, now), cancellationToken) == 0)
            {
                return Problems.NotFound();
            }

            Renew(events, self.Person);
            events.Audit(self.Person.Fact("identity.session-ended") with { Changes = [Change.Remove("/session", id)] });
            return TypedResults.NoContent();
        }, cancellationToken);

    private static Task<IResult> EndOthersAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        ChangeAsync(reader, db, async self =>
        {
            var count = await PeopleApi.EndSessionsAsync(db, self.Person.Id, self.Session, time.GetUtcNow(), cancellationToken);
            Renew(events, self.Person);
            events.Audit(self.Person.Fact("identity.person-signed-out") with { Changes = [Change.Remove("/sessions", count)] });
            return TypedResults.NoContent();
        }, cancellationToken);

    private static async Task<IResult> ChangePasswordAsync(ChangePasswordRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, Passwords passwords, FactorBook factors, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await SelfAsync(reader, db, cancellationToken) is not { } known)
        {
            return NoPerson();
        }

        var errors = passwords.Mistakes("/new", request.New).ToList();
        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        // Whoever holds a session only guesses no faster than whoever does not.
        using var turn = passwords.TryTakeTurn();
        if (turn is null || !await SignInApi.CountAsync(db, known.Person.Id, time.GetUtcNow(), cancellationToken))
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes.");
        }

        if (!await passwords.IsRightAsync(known.Person, request.Current!, cancellationToken))
        {
            return Problems.Invalid([new FieldError("/current", "wrong", "This is not your password until now.")]);
        }

        var hash = await passwords.HashAsync(request.New!, cancellationToken);
        return await ChangeAsync(reader, db, async self =>
        {
            if (await factors.ProveAsync(db, self.Person.Id, request.Code!, acceptsRecovery: false, cancellationToken) is null)
            {
                return WrongCode("/code");
            }

            var now = time.GetUtcNow();
            self.Person.SetPassword(hash, now);
            await PeopleApi.EndSessionsAsync(db, self.Person.Id, self.Session, now, cancellationToken);
            await ForgiveAsync(db, self.Person.Id, cancellationToken);
            events.Publish(self.Person.ToEvent());
            events.Audit(self.Person.Fact("identity.password-changed") with { Changes = [Change.Replace("/passwordSetAt", known.Person.PasswordSetAt, now)] });
            Tell(events, self.Person, "Your password was changed, and all other browsers were signed out.", now);
            return TypedResults.NoContent();
        }, cancellationToken);
    }

    private static async Task<IResult> RenewCodesAsync(ProofRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, FactorBook factors, TimeProvider time, CancellationToken cancellationToken) =>
        await ProvenAsync(reader, db, factors, request.Code!, acceptsRecovery: false, time, async self =>
        {
            var codes = await factors.RenewRecoveryCodesAsync(db, self.Person.Id, cancellationToken);
            events.Audit(self.Person.Fact("identity.recovery-codes-renewed") with { Changes = [Change.Add("/codes", codes.Count)] });
            Tell(events, self.Person, "New recovery codes were made for your account; those before are worth nothing any more.", time.GetUtcNow());
            return TypedResults.Ok(new RecoveryCodesItem(codes));
        }, cancellationToken);

    private static Task<IResult> BeginAuthenticatorAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, FactorBook factors, CancellationToken cancellationToken) =>
        ChangeAsync(reader, db, async self =>
        {
            await db.Set<Authenticator>().Where(row => row.PersonId == self.Person.Id && row.ConfirmedAt == null).ExecuteDeleteAsync(cancellationToken);
            var secret = Totp.NewSecret();
            db.Add(factors.New(self.Person.Id, secret, 0, isConfirmed: false));
            events.Audit(self.Person.Fact("identity.authenticator-begun"));
            return TypedResults.Ok(new NewAuthenticator(Totp.Base32(secret), Totp.UriOf(secret, self.Person.Email)));
        }, cancellationToken);

    private static async Task<IResult> ConfirmAuthenticatorAsync(ConfirmAuthenticatorRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, FactorBook factors, TimeProvider time, CancellationToken cancellationToken) =>
        await ProvenAsync(reader, db, factors, request.Code!, acceptsRecovery: true, time, async self =>
        {
            var now = time.GetUtcNow();
            if (await db.Set<Authenticator>().SingleOrDefaultAsync(row => row.PersonId == self.Person.Id && row.ConfirmedAt == null, cancellationToken) is not { } device
                || factors.TryOpen(device.Id, device.Secret) is not { } secret || Totp.StepOf(secret, request.NewCode!, now) is not { } step)
            {
                return WrongCode("/newCode");
            }

            await db.Set<Authenticator>().Where(row => row.PersonId == self.Person.Id && row.ConfirmedAt != null).ExecuteDeleteAsync(cancellationToken);
            (device.ConfirmedAt, device.LastStep) = (now, step);
            await PeopleApi.EndSessionsAsync(db, self.Person.Id, self.Session, now, cancellationToken);
            Renew(events, self.Person);
            events.Audit(self.Person.Fact("identity.authenticator-changed") with { Changes = [Change.Replace("/authenticator", null, device.Id)] });
            Tell(events, self.Person, "Another authenticator was set up for your account, and all other browsers were signed out.", now);
            return TypedResults.NoContent();
        }, cancellationToken);

    // A code proves once, so what it permits and the proof are one transaction; a wrong one is counted as at sign-in.
    private static async Task<IResult> ProvenAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, FactorBook factors, string code, bool acceptsRecovery, TimeProvider time, Func<Self, Task<IResult>> change, CancellationToken cancellationToken)
    {
        if (await SelfAsync(reader, db, cancellationToken) is not { } known)
        {
            return NoPerson();
        }

        if (!await SignInApi.CountAsync(db, known.Person.Id, time.GetUtcNow(), cancellationToken))
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes.");
        }

        return await ChangeAsync(reader, db, async self =>
        {
            if (await factors.ProveAsync(db, self.Person.Id, code, acceptsRecovery, cancellationToken) is null)
            {
                return WrongCode("/code");
            }

            await ForgiveAsync(db, self.Person.Id, cancellationToken);
            return await change(self);
        }, cancellationToken);
    }

    private static async Task<IResult> ChangeAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, Func<Self, Task<IResult>> change, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        db.ChangeTracker.Clear();
        if (!await Actor.StandsAsync(db, reader, cancellationToken))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, "The session has ended. Sign in again.");
        }

        if (await SelfAsync(reader, db, cancellationToken) is not { } self)
        {
            return NoPerson();
        }

        var result = await change(self);
        if (result is IStatusCodeHttpResult { StatusCode: < 300 })
        {
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return result;
    }

    private static async Task<Self?> SelfAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var session = Guid.TryParse(reader.FindFirst("session")?.Value, out var id) ? id : Guid.Empty;
        return Actor.IdOf(reader) is { } personId
            && await db.Set<Person>().SingleOrDefaultAsync(row => row.Id == personId, cancellationToken) is { } person ? new Self(person, session) : null;
    }

    private static Task<int> ForgiveAsync(ControlPlaneDbContext db, Guid personId, CancellationToken cancellationToken) =>
        db.Set<Person>().Where(row => row.Id == personId).ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, 0).SetProperty(row => row.LockedUntil, (DateTimeOffset?)null), cancellationToken);

    // What was traded for the ended sessions is worth nothing either; this one is traded anew.
    private static void Renew(IEvents events, Person person)
    {
        person.Renew();
        events.Publish(person.ToEvent());
    }

    /// <summary>Tells a person that something about its account was changed.</summary>
    public static void Tell(IEvents events, Person person, string what, DateTimeOffset now) => events.Publish(new SendNotification(
        Guid.CreateVersion7(now), person.CustomerId, [new Recipient("address", person.Email)], "account-changed",
        new Dictionary<string, string> { ["name"] = person.Name, ["what"] = what, ["when"] = now.ToString("d MMMM yyyy HH:mm 'UTC'", CultureInfo.InvariantCulture) }, "warning", $"account-changed/{person.Id:N}/{now.ToUnixTimeMilliseconds()}"));

    private static IResult WrongCode(string pointer) => Problems.Invalid([new FieldError(pointer, "wrong", "This code is not right, or was used already. Wait for the next one.")]);

    private static IResult NoPerson() => Problems.Of(ProblemCodes.Conflict, "An API token is nobody: this is for people who signed in.");

    private sealed record Self(Person Person, Guid Session);
}
