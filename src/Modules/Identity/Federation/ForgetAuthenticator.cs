using Microsoft.EntityFrameworkCore;
using MissionControl.Identity.Factors;
using MissionControl.Identity.Passkeys;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Federation;

/// <summary>The way back of a federated person who lost authenticator or passkeys: all are forgotten, and its next sign-in by the provider sets up another authenticator.</summary>
internal static class ForgetAuthenticator
{
    /// <summary>Why it cannot be; null: it can.</summary>
    public static string? Hindrance(Person person, bool hasOne) => !person.IsFederated ? "Who has a password here is given a way back instead." : hasOne ? null : "It has neither an authenticator nor a passkey here.";

    /// <summary>Within the open transaction.</summary>
    public static async Task ForgetAsync(ControlPlaneDbContext db, IEvents events, Person person, string? reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await db.Set<Authenticator>().Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Set<Passkey>().Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(cancellationToken);
        await db.Set<RecoveryCode>().Where(row => row.PersonId == person.Id).ExecuteDeleteAsync(cancellationToken);
        await PeopleApi.EndSessionsAsync(db, person.Id, null, now, cancellationToken);
        person.Renew();
        events.Publish(person.ToEvent());
        events.Audit(person.Fact("identity.authenticator-forgotten") with { Reason = reason });
        Me.Asking.Tell(events, person, "Your authenticator and passkeys were forgotten; the next time you sign in you set up another authenticator.", now);
    }
}
