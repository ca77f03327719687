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
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Me;

/// <summary><c>/api/v1/identity/me</c>: one's own sessions, password and authenticator. A change proves once more who makes it, and is told by mail.</summary>
internal static class MeApi
{
    /// <summary>So long an authenticator may be begun before it shows what it must.</summary>
    private static readonly TimeSpan PendingLife = TimeSpan.FromMinutes(15);

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
        me.MapPost("/authenticator/remove", RemoveAuthenticatorAsync).WithName("RemoveMyAuthenticator").WithSummary("Sign in with passkeys only: password, authenticator and recovery codes end").Produces(StatusCodes.Status204NoContent);
        MyPasskeys.Map(me);
        MyPreferences.Map(me);
    }

    private static async Task<IResult> GetAsync([AsParameters] Asking ask, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } self)
        {
            return Asking.NoPerson();
        }

        var (db, id) = (ask.Db, self.Person.Id);
        var roles = await db.Set<HeldRole>().AsNoTracking().Where(row => row.PersonId == id && row.Until == null).ToListAsync(cancellationToken);
        var groups = await HeldRoles.GroupNamesAsync(db, roles, cancellationToken);
        var device = await db.Set<Authenticator>().AsNoTracking().SingleOrDefaultAsync(row => row.PersonId == id && row.ConfirmedAt != null, cancellationToken);
        var keys = await db.Set<Passkey>().AsNoTracking().Where(row => row.PersonId == id).OrderBy(row => row.CreatedAt).ToListAsync(cancellationToken);
        var codes = await db.Set<RecoveryCode>().CountAsync(row => row.PersonId == id && row.UsedAt == null, cancellationToken);
        return TypedResults.Ok(new MeItem(id, self.Person.Name, self.Person.Email, self.Person.Kind, self.Person.CustomerId, HeldRoles.Now(roles, groups), self.Person.PasswordSetAt,
            device is null ? null : new FactorItem("totp", device.ConfirmedAt!.Value, device.LastUsedAt), codes, self.Session, keys.ConvertAll(row => row.ToItem())) { IsFederated = self.Person.IsFederated });
    }

    private static async Task<IResult> SessionsAsync([AsParameters] Asking ask, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } self)
        {
            return Asking.NoPerson();
        }

        return TypedResults.Ok(await OpenSessions.ListAsync(ask.Db, self.Person.Id, self.Session, ask.Time.GetUtcNow(), cancellationToken));
    }

    private static Task<IResult> EndSessionAsync(Guid id, [AsParameters] Asking ask, CancellationToken cancellationToken) =>
        Actor.IdOf(ask.Http.User) is null ? Task.FromResult(Problems.NotFound()) : ask.ChangeAsync(async self =>
            await OpenSessions.EndAsync(ask.Db, ask.Events, self.Person, id, null, ask.Time.GetUtcNow(), cancellationToken) ? TypedResults.NoContent() : Problems.NotFound());

    private static Task<IResult> EndOthersAsync([AsParameters] Asking ask, CancellationToken cancellationToken) =>
        ask.ChangeAsync(async self =>
        {
            var count = await PeopleApi.EndSessionsAsync(ask.Db, self.Person.Id, self.Session, ask.Time.GetUtcNow(), cancellationToken);
            ask.Renew(self.Person);
            ask.Events.Audit(self.Person.Fact("identity.person-signed-out") with { Changes = [Change.Remove("/sessions", count)] });
            return TypedResults.NoContent();
        });

    private static async Task<IResult> ChangePasswordAsync(ChangePasswordRequest request, [AsParameters] Asking ask, Passwords passwords, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } known)
        {
            return Asking.NoPerson();
        }

        if (known.Person.PasswordHash is null)
        {
            return Problems.Of(ProblemCodes.Conflict, known.Person.IsFederated ? "Your provider signs you in: there is no password here." : "You have no password. Setting up an authenticator gives you one.");
        }

        var errors = passwords.Mistakes("/new", request.New).ToList();
        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        // Whoever holds a session only guesses no faster than whoever does not.
        using var turn = passwords.TryTakeTurn();
        if (turn is null || !await SignInApi.CountAsync(ask.Db, known.Person.Id, ask.Time.GetUtcNow(), cancellationToken))
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes.");
        }

        if (!await passwords.IsRightAsync(known.Person, request.Current!, cancellationToken))
        {
            return Problems.Invalid([new FieldError("/current", "wrong", "This is not your password until now.")]);
        }

        var hash = await passwords.HashAsync(request.New!, cancellationToken);
        return await ask.ChangeAsync(async self =>
        {
            if (await ask.Factors.ProveAsync(ask.Db, self.Person.Id, request.Code!, acceptsRecovery: false, cancellationToken) is null)
            {
                return Asking.WrongCode("/code");
            }

            var now = ask.Time.GetUtcNow();
            self.Person.SetPassword(hash, now);
            await PeopleApi.EndSessionsAsync(ask.Db, self.Person.Id, self.Session, now, cancellationToken);
            await Asking.ForgiveAsync(ask.Db, self.Person.Id, cancellationToken);
            ask.Events.Publish(self.Person.ToEvent());
            ask.Events.Audit(self.Person.Fact("identity.password-changed") with { Changes = [Change.Replace("/passwordSetAt", known.Person.PasswordSetAt, now)] });
            ask.Tell(self.Person, "Your password was changed, and all other browsers were signed out.");
            return TypedResults.NoContent();
        });
    }

    private static Task<IResult> RenewCodesAsync(ProofRequest request, [AsParameters] Asking ask, CancellationToken cancellationToken) =>
        ask.ProvenAsync(request.Code, acceptsRecovery: false, self => (StepUp.Enrol(self.Person.Id, "renew-recovery-codes", ""), "Make new recovery codes for your account."), async self =>
        {
            if (!await ask.Db.Set<Authenticator>().AnyAsync(row => row.PersonId == self.Person.Id && row.ConfirmedAt != null, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Conflict, "A recovery code stands in for an authenticator, and you have none.");
            }

            var codes = await ask.Factors.RenewRecoveryCodesAsync(ask.Db, self.Person.Id, cancellationToken);
            ask.Events.Audit(self.Person.Fact("identity.recovery-codes-renewed") with { Changes = [Change.Add("/codes", codes.Count)] });
            ask.Tell(self.Person, "New recovery codes were made for your account; those before are worth nothing any more.");
            return TypedResults.Ok(new RecoveryCodesItem(codes));
        });

    private static async Task<IResult> BeginAuthenticatorAsync([AsParameters] Asking ask, CancellationToken cancellationToken)
    {
        // Whoever signs in with passkeys only proves it now: what follows has a password in it, which no page repeats.
        return (await ask.FindAsync())?.Person is { HasPasskeysOnly: true }
            ? await ask.ProvenAsync(null, acceptsRecovery: false, self => (StepUp.Enrol(self.Person.Id, "set-authenticator", ""), "Set up a password and an authenticator for your account."), BeginAsync)
            : await ask.ChangeAsync(BeginAsync);

        async Task<IResult> BeginAsync(Self self)
        {
            await ask.Db.Set<Authenticator>().Where(row => row.PersonId == self.Person.Id && row.ConfirmedAt == null).ExecuteDeleteAsync(cancellationToken);
            var secret = Totp.NewSecret();
            ask.Db.Add(ask.Factors.Begin(self.Person.Id, secret));
            ask.Events.Audit(self.Person.Fact("identity.authenticator-begun"));
            return TypedResults.Ok(new NewAuthenticator(Totp.Base32(secret), Totp.UriOf(secret, self.Person.Label), self.Person.HasPasskeysOnly));
        }
    }

    private static async Task<IResult> ConfirmAuthenticatorAsync(ConfirmAuthenticatorRequest request, [AsParameters] Asking ask, Passwords passwords, IOptions<IdentityOptions> options, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } known)
        {
            return Asking.NoPerson();
        }

        // Whoever signs in with passkeys only gets a password with the authenticator: neither is good alone.
        string? hash = null;
        if (known.Person.HasPasskeysOnly)
        {
            var errors = passwords.Mistakes("/password", request.Password).ToList();
            if (errors.Count > 0)
            {
                return Problems.Invalid(errors);
            }

            using var turn = passwords.TryTakeTurn();
            if (turn is null)
            {
                return Problems.Of(ProblemCodes.RateLimited, "Too many people sign in at this moment. Try again in a few seconds.");
            }

            hash = await passwords.HashAsync(request.Password!, cancellationToken);
        }

        var since = ask.Time.GetUtcNow() - PendingLife;
        var pending = await ask.Db.Set<Authenticator>().Where(row => row.PersonId == known.Person.Id && row.ConfirmedAt == null && row.CreatedAt > since).Select(row => (Guid?)row.Id).SingleOrDefaultAsync(cancellationToken);
        if (hash is null)
        {
            return await ask.ProvenAsync(request.Code, acceptsRecovery: true, self => (StepUp.Enrol(self.Person.Id, "set-authenticator", pending?.ToString("N") ?? ""), "Set up another authenticator for your account."), ConfirmAsync);
        }

        // Only who proved it at the beginning knows the secret of an authenticator that comes with a password; who does not guesses no faster than at sign-in.
        return await SignInApi.CountAsync(ask.Db, known.Person.Id, ask.Time.GetUtcNow(), cancellationToken) ? await ask.ChangeAsync(ConfirmAsync) : Problems.Of(ProblemCodes.RateLimited, "Too many wrong tries. Wait a few minutes.");

        async Task<IResult> ConfirmAsync(Self self)
        {
            var now = ask.Time.GetUtcNow();
            if (await ask.Db.Set<Authenticator>().SingleOrDefaultAsync(row => row.Id == pending && row.PersonId == self.Person.Id && row.ConfirmedAt == null, cancellationToken) is not { } device
                || ask.Factors.TryOpen(device.Id, device.Secret) is not { } secret || Totp.StepOf(secret, request.NewCode!, now) is not { } step)
            {
                return Asking.WrongCode("/newCode");
            }

            if (hash is not null)
            {
                self.Person.SetPassword(hash, now);
                await Asking.ForgiveAsync(ask.Db, self.Person.Id, cancellationToken);
            }

            await ask.Db.Set<Authenticator>().Where(row => row.PersonId == self.Person.Id && row.ConfirmedAt != null).ExecuteDeleteAsync(cancellationToken);
            (device.ConfirmedAt, device.LastStep, device.ConfirmsFrom) = (now, step, now + options.Value.StepUpCoolDown);
            await PeopleApi.EndSessionsAsync(ask.Db, self.Person.Id, self.Session, now, cancellationToken);
            ask.Renew(self.Person);
            ask.Events.Audit(self.Person.Fact("identity.authenticator-changed") with { Changes = [Change.Replace("/authenticator", null, device.Id)] });
            ask.Tell(self.Person, "Another authenticator was set up for your account, and all other browsers were signed out.");
            return TypedResults.NoContent();
        }
    }

    private static Task<IResult> RemoveAuthenticatorAsync(RemoveFactorRequest request, [AsParameters] Asking ask, CancellationToken cancellationToken) =>
        ask.ProvenAsync(request.Code, acceptsRecovery: false, self => (StepUp.Enrol(self.Person.Id, "remove-authenticator", ""), "Sign in with passkeys only: take password, authenticator and recovery codes away."), async self =>
        {
            if (self.Person.IsFederated)
            {
                return Problems.Of(ProblemCodes.Conflict, "Your provider signs you in, and the authenticator stands beside it.");
            }

            if (!await ask.Db.Set<Passkey>().AnyAsync(row => row.PersonId == self.Person.Id, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Conflict, "Without a passkey you could not sign in any more. Add one first.");
            }

            var now = ask.Time.GetUtcNow();
            await ask.Db.Set<Authenticator>().Where(row => row.PersonId == self.Person.Id).ExecuteDeleteAsync(cancellationToken);
            await ask.Db.Set<RecoveryCode>().Where(row => row.PersonId == self.Person.Id).ExecuteDeleteAsync(cancellationToken);
            self.Person.ForgetPassword();
            await PeopleApi.EndSessionsAsync(ask.Db, self.Person.Id, self.Session, now, cancellationToken);
            ask.Events.Publish(self.Person.ToEvent());
            ask.Events.Audit(self.Person.Fact("identity.authenticator-removed"));
            ask.Tell(self.Person, "Password, authenticator and recovery codes were taken away from your account: it is open to its passkeys only. All other browsers were signed out.");
            return TypedResults.NoContent();
        });
}
