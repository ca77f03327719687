using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Federation;
using MissionControl.Identity.Me;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.SignIn;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Invitations;

/// <summary>Whoever holds a code sees what it is for, and becomes that person by a passkey, or a password and an authenticator that works.</summary>
internal static class AcceptInvitation
{
    /// <summary>Codes of an authenticator that may be wrong before the invitation is worth nothing.</summary>
    private const int MaxTries = 20;

    private const string Refusal = "This code is not good: it was used, revoked or is older than seven days, or it was not typed as it was sent. Ask for a new invitation.";

    public static void Map(IEndpointRouteBuilder invitations)
    {
        invitations.MapPost("/open", OpenAsync).OpenToAll("the code is the credential").WithName("OpenInvitation").WithSummary("What an invitation is for").Produces<OpenedInvitation>();
        invitations.MapPost("/accept", AcceptAsync).OpenToAll("the code is the credential").WithName("AcceptInvitation").WithSummary("Become the invited person, and sign in").Produces<AcceptedInvitation>();
    }

    private static async Task<IResult> OpenAsync(OpenInvitationRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, FactorBook factors, PasskeyBook passkeys, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await FindAsync(db, request.Code!, time.GetUtcNow(), cancellationToken) is not { } invitation)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
        }

        if (factors.TryOpen(invitation.Id, invitation.TotpSecret) is not { } secret
            || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Totp.Base32(secret)), Encoding.UTF8.GetBytes(request.TotpSecret ?? "")))
        {
            secret = invitation.Renew(factors);
            events.Audit(invitation.Fact("identity.invitation-opened") with { Actor = new AuditActor("system", "unknown", "invitation") });
        }

        var passkey = await passkeys.AskForNewAsync(db, http, Challenge.Accept, invitation.PersonId ?? Guid.CreateVersion7(time.GetUtcNow()), invitation.Id, invitation.Email ?? "administrator", invitation.Name ?? "Administrator", null);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.Ok(new OpenedInvitation(invitation.Email, invitation.Name, invitation.Kind, [.. invitation.RoleList().Select(role => RoleBook.Find(role)?.Title ?? role)], invitation.PersonId is not null,
            Totp.Base32(secret), Totp.UriOf(secret, invitation.Email ?? "administrator"), invitation.ExpiresAt, passkey));
    }

    private static async Task<IResult> AcceptAsync(
        AcceptInvitationRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, Passwords passwords, FactorBook factors, PasskeyBook passkeys, FirstAdministrator first, ProviderBook providers, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        using var turn = passwords.TryTakeTurn();
        if (turn is null)
        {
            return Problems.Of(ProblemCodes.RateLimited, "Too many people sign in at this moment. Try again in a few seconds.");
        }

        var now = time.GetUtcNow();
        if (await FindAsync(db, request.Code!, now, cancellationToken) is not { } invitation)
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
        }

        var email = invitation.Email ?? request.Email?.Trim() ?? "";
        var name = invitation.Name ?? request.Name?.Trim() ?? "";
        var errors = new List<FieldError>();
        if (!MailAddresses.IsOne(email))
        {
            errors.Add(new FieldError("/email", "not-an-address", "Write one mail address, such as somebody@example.com."));
        }

        if (name.Length == 0)
        {
            errors.Add(new FieldError("/name", "required", "Say what to call you."));
        }

        var means = new Means();
        if (request.Passkey is { } key)
        {
            errors.AddRange(await WithPasskeyAsync(key, means, invitation, http, db, passkeys, cancellationToken));
        }

        if (request.Passkey is null || request.Password is not null)
        {
            errors.AddRange(await WithPasswordAsync(request, means, invitation, db, passwords, factors, now, cancellationToken));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        means.PasswordHash = request.Password is null ? null : await passwords.HashAsync(request.Password, cancellationToken);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await Actor.LockAsync(db, invitation.PersonId is { } locked ? [locked] : [], cancellationToken);
        var person = invitation.PersonId is { } known ? await db.Set<Person>().SingleAsync(row => row.Id == known, cancellationToken) : await MakeAsync(db, invitation, email, name, means, now, cancellationToken);
        if (person is not null && invitation.PersonStamp is { } stamp && (person.DisabledAt is not null || person.Stamp != stamp))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
        }

        if (person is null)
        {
            // Only whoever holds the invitation of this very address, or is to be the first administrator, is told.
            return Problems.Invalid([new FieldError("/email", "taken", "This mail address has an account already. Sign in with it, or ask for an invitation of another address.")]);
        }

        var session = Session.Of(person, means.Amr, request.Agent, options.Value.LimitsOf(person.Kind), now, out var opened);
        var actor = new AuditActor(person.Kind, person.Subject, "invitation", true, SessionId: session.Id.ToString("N"));
        if (invitation.PersonId is not null)
        {
            await ComeBackAsync(person, means, db, events, actor, now, cancellationToken);
        }

        // What an account begins with confirms at once; what a way back gave does not: whoever talked an administrator into it waits.
        var confirmsFrom = invitation.PersonId is null ? now : now + options.Value.StepUpCoolDown;
        IReadOnlyList<string> codes = [];
        if (means.PasswordHash is not null)
        {
            db.Add(factors.New(person.Id, means.Secret!, means.Step, confirmsFrom));
            codes = await factors.RenewRecoveryCodesAsync(db, person.Id, cancellationToken);
        }

        if (means.Made is { } made)
        {
            db.Add(Passkey.Of(made, person.Id, request.Passkey!.Name?.Trim() is { Length: > 0 } called ? called : "first passkey", confirmsFrom, now));
        }

        invitation.Accept(now);
        events.Publish(person.ToEvent());
        events.Audit(invitation.Fact("identity.invitation-accepted") with { Actor = actor, Changes = [Change.Add("/person", person.Id), Change.Add("/roles", invitation.Roles), Change.Add("/factors", means.Amr)], Personal = new Dictionary<string, string> { ["email"] = email, ["name"] = name } });
        try
        {
            // The person's row first: who is signed in is written into it.
            await db.SaveChangesAsync(cancellationToken);
            if (!await SignInApi.OpenAsync(db, events, person, session, "invitation", first, now, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
            }

            await BreakGlass.TellAsync(db, events, person, "invitation", providers, now, cancellationToken);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            await first.ForgetCodeAsync(db, cancellationToken);
        }
        catch (DbUpdateException exception) when (exception is DbUpdateConcurrencyException || (exception.InnerException is DbException database && !db.Dialect.IsUnavailable(database)))
        {
            return Problems.Of(ProblemCodes.Conflict, "The invitation was accepted by somebody else at the same moment.");
        }

        return TypedResults.Ok(new AcceptedInvitation(opened, session.ExpiresAt, codes));
    }

    private static async Task<IReadOnlyList<FieldError>> WithPasskeyAsync(NewPasskeyRequest request, Means means, Invitation invitation, HttpContext http, ControlPlaneDbContext db, PasskeyBook passkeys, CancellationToken cancellationToken)
    {
        if (await passkeys.TakeAsync(db, request.Challenge, Challenge.Accept, invitation.PersonId, invitation.Id, cancellationToken) is not { } asked)
        {
            return [new FieldError("/passkey", "too-late", "The passkey was asked for too long ago. Set it up once more.")];
        }

        (means.Made, var failure) = await passkeys.CheckNewAsync(db, http, asked, request.Credential!);
        means.PersonId = asked.PersonId;
        return means.Made is null ? [new FieldError("/passkey", "refused", $"This is not a passkey that can be taken: {failure.TrimEnd('.')}.")] : [];
    }

    private static async Task<IReadOnlyList<FieldError>> WithPasswordAsync(AcceptInvitationRequest request, Means means, Invitation invitation, ControlPlaneDbContext db, Passwords passwords, FactorBook factors, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var errors = passwords.Mistakes("/password", request.Password).ToList();
        means.Secret = factors.TryOpen(invitation.Id, invitation.TotpSecret);
        if (means.Secret is null || Totp.StepOf(means.Secret, request.Totp ?? "", now) is not { } step)
        {
            await using var counted = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Set<Invitation>().Where(row => row.Id == invitation.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, row => row.FailedTries + 1), cancellationToken);
            await counted.CommitAsync(cancellationToken);
            errors.Add(new FieldError("/totp", "wrong", "This is not what the authenticator shows now. Wait for its next code; if that is wrong too, its clock is."));
            return errors;
        }

        means.Step = step;
        return errors;
    }

    /// <summary>Whatever somebody who lost password or device had before is worth nothing any more.</summary>
    private static async Task ComeBackAsync(Person person, Means means, ControlPlaneDbContext db, IEvents events, AuditActor actor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (means.PasswordHash is { } hash)
        {
            person.SetPassword(hash, now);
        }
        else
        {
            person.ForgetPassword();
        }

        await PeopleApi.EndSessionsAsync(db, person.Id, null, now, cancellationToken);
        await db.Set<Authenticator>().Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Set<RecoveryCode>().Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Set<Passkey>().Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(cancellationToken);
        await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => row.PersonId == person.Id), events, null, "its person came back by a recovery", actor, now, cancellationToken);
        events.Audit(person.Fact("identity.person-recovered") with { Actor = actor, Changes = [Change.Add("/factors", means.Amr)] });
        Asking.Tell(events, person, "The way back that an administrator gave was used: what you sign in with is new, all browsers were signed out, and your tokens were revoked.", now);
    }

    private static async Task<Person?> MakeAsync(ControlPlaneDbContext db, Invitation invitation, string email, string name, Means means, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var key = Person.KeyOf(email);
        if (await db.Set<Person>().AnyAsync(row => row.EmailKey == key, cancellationToken))
        {
            return null;
        }

        var person = new Person
        {
            Id = means.PersonId ?? Guid.CreateVersion7(now),
            Kind = invitation.Kind,
            CustomerId = invitation.CustomerId,
            Email = email,
            EmailKey = key,
            Name = name,
            PasswordHash = means.PasswordHash,
            PasswordSetAt = means.PasswordHash is null ? null : now,
            CreatedAt = now,
        };
        db.Add(person);
        db.AddRange(invitation.RoleList().Select(role => new HeldRole { PersonId = person.Id, Role = role, Since = now }));
        return person;
    }

    private static async Task<Invitation?> FindAsync(ControlPlaneDbContext db, string code, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var sha256 = Invitation.Digest(code);
        return await db.Set<Invitation>().SingleOrDefaultAsync(row => row.CodeSha256 == sha256 && row.AcceptedAt == null && row.RevokedAt == null && row.ExpiresAt > now && row.FailedTries < MaxTries, cancellationToken);
    }

    /// <summary>What somebody will sign in with.</summary>
    private sealed class Means
    {
        /// <summary>What the passkey knows its owner by.</summary>
        public Guid? PersonId { get; set; }

        public UserPasskeyInfo? Made { get; set; }

        public string? PasswordHash { get; set; }

        public byte[]? Secret { get; set; }

        public long Step { get; set; }

        public string Amr => Made is { } key ? Passkeys.Passkey.AmrOf(key.IsBackupEligible) : "pwd otp mfa";
    }
}
