using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Notifications.Contacts;

/// <summary>Keeps the newest name of a customer.</summary>
internal sealed class KeepCustomer(ControlPlaneDbContext db) : IMessageHandler<CustomerChanged>
{
    public Task HandleAsync(CustomerChanged message, MessageContext context, CancellationToken cancellationToken) =>
        db.Dialect.UpsertAsync(db, new BulkRows("notifications_customer", ["id", "name", "version"], ["id"], [[message.CustomerId, message.Name, message.Version]]), "version", cancellationToken);
}
