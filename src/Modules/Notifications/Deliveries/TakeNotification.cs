using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Notifications.Contacts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Notifications.Deliveries;

/// <summary>Makes of what somebody is to be told one intent for each mail address, once for each dedup key.</summary>
internal sealed partial class TakeNotification(ControlPlaneDbContext db, IEvents events, TimeProvider time, ILogger<TakeNotification> logger) : IMessageHandler<SendNotification>
{
    private const int MaxMailsInAnHour = 500;

    public async Task HandleAsync(SendNotification message, MessageContext context, CancellationToken cancellationToken)
    {
        if (message.Severity is not ("info" or "warning" or "critical") || message.DedupKey is not { Length: > 0 and <= 200 })
        {
            throw new InvalidDataException("A notification has a severity (info, warning or critical) and a dedupKey of 1 to 200 characters.");
        }

        if (message.Recipients.Where(one => one.Kind is "person" or "role").ToList() is { Count: > 0 } people)
        {
            // It comes back with their addresses and the same dedup key, so that who is a contact besides is told once.
            events.Publish(new NameRecipients(message with { Recipients = people }));
        }

        db.Scope.OpenAll("a role tells contacts of whatever customer");
        var kinds = Kinds("contact");
        var own = Kinds("vendor");
        var contacts = await db.Set<Contact>().AsNoTracking()
            .Where(row => row.CustomerId == null ? own.Contains(row.Kind) : row.CustomerId == message.CustomerId && kinds.Contains(row.Kind)).ToListAsync(cancellationToken);
        contacts.AddRange(message.Recipients.Where(one => one.Kind is "address" or "staff").Select(one => new Contact { Id = message.Id, CustomerId = one.Kind == "staff" ? null : message.CustomerId, Kind = "address", Name = one.Name, Email = one.Name, CreatedAt = time.GetUtcNow() }));
        if (contacts.Count == 0)
        {
            return;
        }

        var words = new Dictionary<string, string>(message.Data)
        {
            ["customer"] = await db.Set<NotifiedCustomer>().Where(row => row.Id == message.CustomerId).Select(row => row.Name).SingleOrDefaultAsync(cancellationToken) ?? "the vendor",
        };
        var letter = Templates.Fill(message.Template, words);
        var now = time.GetUtcNow();

        // Somebody may be a contact in several ways; who is one of the customer and of the vendor sees the customer's.
        var deliveries = contacts.OrderBy(contact => contact.CustomerId is null).Select(contact => Delivery.Mail(contact, letter, message.Severity, message.DedupKey, now)).DistinctBy(delivery => delivery.Id).ToList();
        var ids = deliveries.ConvertAll(delivery => delivery.Id);
        var known = await db.Set<Delivery>().Where(row => ids.Contains(row.Id)).Select(row => row.Id).ToListAsync(cancellationToken);

        // Whoever can make a role tell of something could have us write to strangers without end. Nobody uses that up to keep the vendor,
        // or anybody in danger, from being told.
        var lately = now - TimeSpan.FromHours(1);
        if (message.Severity != "critical" && contacts.Exists(contact => contact.CustomerId is not null) && await db.Set<Delivery>().CountAsync(row => row.CustomerId == message.CustomerId && row.Channel == "mail" && row.CreatedAt > lately, cancellationToken) >= MaxMailsInAnHour)
        {
            LogTooMany(logger, message.CustomerId, MaxMailsInAnHour, message.Template, message.DedupKey);
            deliveries.RemoveAll(delivery => delivery.CustomerId is not null);
        }

        // Of two replicas that make the same intent at once one is refused by the key, comes again and finds it.
        db.AddRange(deliveries.Where(delivery => !known.Contains(delivery.Id)));

        List<string> Kinds(string kind) => [.. message.Recipients.Select(one => one.Kind == kind ? one.Name : one.Kind is "contact" or "vendor" or "address" or "staff" or "person" or "role" ? null
            : throw new InvalidDataException($"There is no recipient of kind '{one.Kind}'.")).OfType<string>()];
    }

    [LoggerMessage(5005, LogLevel.Warning, "Customer {CustomerId} had {Count} mails within an hour; {Template} {DedupKey} is told to none of its contacts")]
    private static partial void LogTooMany(ILogger logger, Guid? customerId, int count, string template, string dedupKey);
}
