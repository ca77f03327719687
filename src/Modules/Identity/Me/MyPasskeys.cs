using System.Data.Common;
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
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Me;

/// <summary><c>/api/v1/identity/me/passkeys</c>: one's own passkeys. A new one signs in at once, and is good for step-up a day later.</summary>
internal static class MyPasskeys
{
    public static void Map(IEndpointRouteBuilder me)
    {
        me.MapPost("/passkeys/begin", BeginAsync).WithName("BeginMyPasskey").WithSummary("Prove who one is, and ask for a new passkey").Produces<PasskeyChallenge>();
        me.MapPost("/passkeys", AddAsync).WithName("AddMyPasskey").WithSummary("Add the passkey that was asked for").Produces<PasskeyItem>();
        me.MapPost("/passkeys/{id:guid}/remove", RemoveAsync).WithName("RemoveMyPasskey").WithSummary("Remove a passkey; all other sessions end").Produces(StatusCodes.Status204NoContent);
    }

    /// <summary>So long a sign-in by a provider that proved a second factor is a proof for the first passkey.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(10);

    private static async Task<IResult> BeginAsync(BeginPasskeyRequest request, [AsParameters] Asking ask, PasskeyBook passkeys, CancellationToken cancellationToken)
    {
        var name = request.Name!.Trim();
        if (name.Length == 0)
        {
            return Problems.Invalid([new FieldError("/name", "required", "Say what to call it, such as the device it is on.")]);
        }

        return await ask.FindAsync() is { } known && await IsFirstByProviderAsync(ask, known, cancellationToken) ? await ask.ChangeAsync(AskAsync)
            : await ask.ProvenAsync(request.Code, acceptsRecovery: false, self => (StepUp.Enrol(self.Person.Id, "add-passkey", name), $"Add a passkey called “{name}” to your account."), AskAsync);

        async Task<IResult> AskAsync(Self self)
        {
            if (await ask.Db.Set<Passkey>().CountAsync(row => row.PersonId == self.Person.Id, cancellationToken) >= Passkey.MaxOfPerson)
            {
                return Problems.Of(ProblemCodes.Conflict, $"{Passkey.MaxOfPerson} passkeys are the most. Remove one that is not used any more.");
            }

            return TypedResults.Ok(await passkeys.AskForNewAsync(ask.Db, ask.Http, Challenge.Add, self.Person.Id, self.Session, self.Person.Label, self.Person.Name, name));
        }
    }

    // Somebody whom a provider signs in, second factor and all, has nothing here to prove it with: the sign-in of a moment ago is the proof.
    private static async Task<bool> IsFirstByProviderAsync(Asking ask, Self self, CancellationToken cancellationToken)
    {
        var since = ask.Time.GetUtcNow() - Fresh;
        return self.Person.IsFederated
            && await ask.Db.Set<Session>().AnyAsync(row => row.Id == self.Session && row.PersonId == self.Person.Id && row.CreatedAt > since, cancellationToken)
            && !await ask.Db.Set<Passkey>().AnyAsync(row => row.PersonId == self.Person.Id, cancellationToken)
            && !await ask.Db.Set<Authenticator>().AnyAsync(row => row.PersonId == self.Person.Id && row.ConfirmedAt != null, cancellationToken);
    }

    private static async Task<IResult> AddAsync(NewPasskeyRequest request, [AsParameters] Asking ask, PasskeyBook passkeys, IOptions<IdentityOptions> options, CancellationToken cancellationToken)
    {
        if (await ask.FindAsync() is not { } known)
        {
            return Asking.NoPerson();
        }

        if (await passkeys.TakeAsync(ask.Db, request.Challenge, Challenge.Add, known.Person.Id, known.Session, cancellationToken) is not { } asked)
        {
            return Problems.Of(ProblemCodes.Conflict, "This was asked for more than two minutes ago, or answered already. Begin again.");
        }

        var (made, failure) = await passkeys.CheckNewAsync(ask.Db, ask.Http, asked, request.Credential!);
        if (made is null)
        {
            return Problems.Invalid([new FieldError("/credential", "refused", $"This is not a passkey that can be taken: {failure.TrimEnd('.')}.")]);
        }

        try
        {
            return await ask.ChangeAsync(KeepAsync);
        }
        catch (DbUpdateException exception) when (exception.InnerException is DbException database && !ask.Db.Dialect.IsUnavailable(database))
        {
            return InUse();
        }

        async Task<IResult> KeepAsync(Self self)
        {
            // The same key for two people would sign in whichever comes first.
            if (await ask.Db.Set<Passkey>().AnyAsync(row => row.CredentialId == made.CredentialId, cancellationToken)
                || await ask.Db.Set<Passkey>().CountAsync(row => row.PersonId == self.Person.Id, cancellationToken) >= Passkey.MaxOfPerson)
            {
                return InUse();
            }

            var now = ask.Time.GetUtcNow();
            var key = Passkey.Of(made, self.Person.Id, asked.Name!, now + options.Value.StepUpCoolDown, now);
            ask.Db.Add(key);
            ask.Events.Audit(self.Person.Fact("identity.passkey-added") with { Changes = [Change.Add("/passkey", key.Id), Change.Add("/name", key.Name), Change.Add("/confirmsFrom", key.ConfirmsFrom)] });
            ask.Tell(self.Person, $"A passkey called “{key.Name}” was added to your account.");
            return TypedResults.Ok(key.ToItem());
        }
    }

    private static IResult InUse() => Problems.Of(ProblemCodes.Conflict, "This passkey is in use already.");

    private static Task<IResult> RemoveAsync(Guid id, RemoveFactorRequest request, [AsParameters] Asking ask, CancellationToken cancellationToken) =>
        Actor.IdOf(ask.Http.User) is null ? Task.FromResult(Problems.NotFound()) : ask.ProvenAsync(request.Code, acceptsRecovery: false, self => (StepUp.Enrol(self.Person.Id, "remove-passkey", id.ToString("N")), "Remove a passkey from your account."), async self =>
        {
            if (await ask.Db.Set<Passkey>().SingleOrDefaultAsync(row => row.Id == id && row.PersonId == self.Person.Id, cancellationToken) is not { } key)
            {
                return Problems.NotFound();
            }

            if (self.Person.HasPasskeysOnly && await ask.Db.Set<Passkey>().CountAsync(row => row.PersonId == self.Person.Id, cancellationToken) == 1)
            {
                return Problems.Of(ProblemCodes.Conflict, "This is all that you can sign in with. Add another passkey, or an authenticator, first.");
            }

            ask.Db.Remove(key);
            await PeopleApi.EndSessionsAsync(ask.Db, self.Person.Id, self.Session, ask.Time.GetUtcNow(), cancellationToken);
            ask.Renew(self.Person);
            ask.Events.Audit(self.Person.Fact("identity.passkey-removed") with { Changes = [Change.Remove("/passkey", id), Change.Remove("/name", key.Name)] });
            ask.Tell(self.Person, $"The passkey called “{key.Name}” was removed from your account, and all other browsers were signed out.");
            return TypedResults.NoContent();
        });
}
