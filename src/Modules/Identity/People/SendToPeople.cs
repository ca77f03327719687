using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.People;

/// <summary>Puts addresses in place of persons and roles, and sends the notification on. Nobody learns of another customer: its people are left out.</summary>
internal sealed class SendToPeople(ControlPlaneDbContext db, IEvents events, TimeProvider time) : IMessageHandler<NameRecipients>
{
    private const int Most = 500;

    public async Task HandleAsync(NameRecipients message, MessageContext context, CancellationToken cancellationToken)
    {
        var told = message.Notification;
        var persons = told.Recipients.Where(one => one.Kind == "person").Select(one => Guid.Parse(one.Name)).ToList();
        var roles = told.Recipients.Where(one => one.Kind == "role").Select(one => RoleBook.Find(one.Name)?.Name ?? throw new InvalidDataException($"There is no role '{one.Name}'.")).ToList();
        db.Scope.OpenAll("a role tells people of whatever customer");
        var customer = told.CustomerId;
        var people = await db.Set<Person>().AsNoTracking()
            .Where(row => row.DisabledAt == null && row.Email != "" && (row.CustomerId == null || row.CustomerId == customer)
                && (persons.Contains(row.Id) || db.Set<HeldRole>().Any(held => held.PersonId == row.Id && held.Until == null && roles.Contains(held.Role))))
            .OrderBy(row => row.Id).Select(row => new { row.Email, row.Kind }).Take(Most).ToListAsync(cancellationToken);
        if (people.Count > 0)
        {
            events.Publish(told with { Id = Guid.CreateVersion7(time.GetUtcNow()), Recipients = [.. people.Select(one => new Recipient(one.Kind == Person.Staff ? "staff" : "address", one.Email))] });
        }
    }
}
