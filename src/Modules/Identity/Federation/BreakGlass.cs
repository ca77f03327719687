using System.Globalization;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Federation;

/// <summary>
/// Where a provider signs staff in, an administrator with a password or a passkey is the way in when the provider is silent. It stays open, and is
/// loud: the log says so by a name of its own, and the vendor's security contacts are told.
/// </summary>
internal static class BreakGlass
{
    public static async Task TellAsync(ControlPlaneDbContext db, IEvents events, Person person, string by, ProviderBook providers, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (!providers.SignsStaffIn || person.IsFederated || person.Kind != Person.Staff
            || !await db.Set<HeldRole>().AnyAsync(row => row.PersonId == person.Id && row.Role == RoleBook.Administrator && row.Until == null, cancellationToken))
        {
            return;
        }

        events.Audit(person.Fact("identity.local-administrator-signed-in") with { Actor = new AuditActor(person.Kind, person.Subject, by, true) });
        events.Publish(new SendNotification(Guid.CreateVersion7(now), null, [new Recipient("vendor", "security"), new Recipient("role", "security-officer")], "local-administrator", new Dictionary<string, string>
        {
            ["name"] = person.Name,
            ["when"] = now.ToString("d MMMM yyyy HH:mm 'UTC'", CultureInfo.InvariantCulture),
        }, "warning", $"local-administrator/{person.Id:N}/{now.ToUnixTimeMilliseconds()}"));
    }
}
