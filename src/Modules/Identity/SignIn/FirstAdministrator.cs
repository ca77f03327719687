using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.Invitations;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.SignIn;

/// <summary>
/// Until the first administrator has signed in, an API token opens pages; from then on none does, and the bootstrap token is revoked
/// with whatever it made that may do what a person has to confirm.
/// In a demo it stays good for the API.
/// </summary>
internal sealed class FirstAdministrator(DataDirectory data, IOptions<IdentityOptions> options)
{
    /// <summary>The file with the code of the first administrator's invitation; gone once it was used.</summary>
    public const string CodeFile = "admin.invitation";

    private volatile bool known;

    /// <summary>Whether that has happened; it never unhappens.</summary>
    public async ValueTask<bool> HasSignedInAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        known || (known = await (from person in db.Set<Person>()
                                 join role in db.Set<HeldRole>() on person.Id equals role.PersonId
                                 where person.Kind == Person.Staff && person.LastSignInAt != null && role.Role == RoleBook.Administrator
                                 select person.Id).AnyAsync(cancellationToken));

    /// <summary>Within the transaction of a sign-in: if it is the first administrator's, the bootstrap token ends.</summary>
    public async Task HasSignedInNowAsync(ControlPlaneDbContext db, IEvents events, Person person, AuditActor actor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (person.Kind != Person.Staff || !await db.Set<HeldRole>().AnyAsync(row => row.PersonId == person.Id && row.Role == RoleBook.Administrator && row.Until == null, cancellationToken))
        {
            return;
        }

        // Whoever still holds the code of the data directory would be the next administrator.
        await Invitation.RevokeOpenAsync(db.Set<Invitation>().Where(row => row.Email == null), events, "an administrator signed in", now, cancellationToken);
        if (!options.Value.KeepBootstrapToken)
        {
            // With what it made: nobody confirms what such a token does, so none of them may change who may what from now on. Those that only read, or do ordinary things, go on.
            await ApiToken.RevokeAsync(db.Set<ApiToken>().Where(row => row.PersonId == null && row.AccountId == null), events, string.Join(' ', ApiScopes.Ordinary), "the first administrator signed in", actor, now, cancellationToken);
        }
    }

    /// <summary>After a sign-in was committed: the code is worth nothing any more, and its file goes when it can.</summary>
    public async Task ForgetCodeAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (File.Exists(data.PathOf(CodeFile)) && await HasSignedInAsync(db, cancellationToken))
        {
            try
            {
                File.Delete(data.PathOf(CodeFile));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // It holds nothing of worth.
            }
        }
    }
}
