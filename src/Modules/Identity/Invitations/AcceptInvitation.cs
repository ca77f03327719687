using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Me;
using MissionControl.Identity.People;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.SignIn;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Identity.Invitations;

/// <summary>Whoever holds a code sees what it is for, and becomes that person by setting a password and an authenticator that works.</summary>
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

    private static async Task<IResult> OpenAsync(OpenInvitationRequest request, ControlPlaneDbContext db, IEvents events, FactorBook factors, TimeProvider time, CancellationToken cancellationToken)
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
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return TypedResults.Ok(new OpenedInvitation(invitation.Email, invitation.Name, invitation.Kind, [.. invitation.RoleList().Select(role => RoleBook.Find(role)?.Title ?? role)], invitation.PersonId is not null,
            Totp.Base32(secret), Totp.UriOf(secret, invitation.Email ?? "administrator"), invitation.ExpiresAt));
    }

    private static async Task<IResult> AcceptAsync(
        AcceptInvitationRequest request, ControlPlaneDbContext db, IEvents events, Passwords passwords, FactorBook factors, FirstAdministrator first, IOptions<IdentityOptions> options, TimeProvider time, CancellationToken cancellationToken)
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
        var errors = passwords.Mistakes("/password", request.Password).ToList();
        if (!MailAddresses.IsOne(email))
        {
            errors.Add(new FieldError("/email", "not-an-address", "Write one mail address, such as somebody@example.com."));
        }

        if (name.Length == 0)
        {
            errors.Add(new FieldError("/name", "required", "Say what to call you."));
        }

        var secret = factors.TryOpen(invitation.Id, invitation.TotpSecret);
        if (secret is null || Totp.StepOf(secret, request.Totp!, now) is not { } step)
        {
            await using var counted = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Set<Invitation>().Where(row => row.Id == invitation.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, row => row.FailedTries + 1), cancellationToken);
            await counted.CommitAsync(cancellationToken);
            errors.Add(new FieldError("/totp", "wrong", "This is not what the authenticator shows now. Wait for its next code; if that is wrong too, its clock is."));
            return Problems.Invalid(errors);
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var hash = await passwords.HashAsync(request.Password!, cancellationToken);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await Actor.LockAsync(db, invitation.PersonId is { } locked ? [locked] : [], cancellationToken);
        var person = invitation.PersonId is { } known ? await db.Set<Person>().SingleAsync(row => row.Id == known, cancellationToken) : await MakeAsync(db, invitation, email, name, hash, now, cancellationToken);
        if (person is not null && invitation.PersonStamp is { } stamp && (person.DisabledAt is not null || person.Stamp != stamp))
        {
            return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
        }

        if (person is null)
        {
            // Only whoever holds the invitation of this very address, or is to be the first administrator, is told.
            return Problems.Invalid([new FieldError("/email", "taken", "This mail address has an account already. Sign in with it, or ask for an invitation of another address.")]);
        }

        if (invitation.PersonId is not null)
        {
            person.SetPassword(hash, now);
            await PeopleApi.EndSessionsAsync(db, person.Id, null, now, cancellationToken);
            await db.Set<Authenticator>().Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(cancellationToken);
        }

        var session = Session.Of(person, "pwd otp mfa", request.Agent, options.Value.LimitsOf(person.Kind), now, out var opened);
        var actor = new AuditActor(person.Kind, person.Subject, "invitation", true, SessionId: session.Id.ToString("N"));
        if (invitation.PersonId is not null)
        {
            await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => row.PersonId == person.Id), events, null, "its person came back by a recovery", actor, now, cancellationToken);
            events.Audit(person.Fact("identity.password-changed") with { Actor = actor, Reason = "recovery", Changes = [Change.Add("/passwordSetAt", now)] });
            events.Audit(person.Fact("identity.authenticator-changed") with { Actor = actor, Reason = "recovery" });
            MeApi.Tell(events, person, "The way back that an administrator gave was used: password, authenticator and recovery codes are new, all browsers were signed out, and your tokens were revoked.", now);
        }

        invitation.Accept(now);
        db.Add(factors.New(person.Id, secret, step, isConfirmed: true));
        var codes = await factors.RenewRecoveryCodesAsync(db, person.Id, cancellationToken);
        events.Publish(person.ToEvent());
        events.Audit(invitation.Fact("identity.invitation-accepted") with { Actor = actor, Changes = [Change.Add("/person", person.Id), Change.Add("/roles", invitation.Roles)], Personal = new Dictionary<string, string> { ["email"] = email, ["name"] = name } });
        try
        {
            // The person's row first: who is signed in is written into it.
            await db.SaveChangesAsync(cancellationToken);
            if (!await SignInApi.OpenAsync(db, events, person, session, first, now, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Unauthenticated, Refusal);
            }

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

    private static async Task<Person?> MakeAsync(ControlPlaneDbContext db, Invitation invitation, string email, string name, string hash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var key = Person.KeyOf(email);
        if (await db.Set<Person>().AnyAsync(row => row.EmailKey == key, cancellationToken))
        {
            return null;
        }

        var person = new Person
        {
            Id = Guid.CreateVersion7(now),
            Kind = invitation.Kind,
            CustomerId = invitation.CustomerId,
            Email = email,
            EmailKey = key,
            Name = name,
            PasswordHash = hash,
            PasswordSetAt = now,
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
}
