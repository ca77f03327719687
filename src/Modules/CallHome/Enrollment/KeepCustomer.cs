using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.CallHome.Enrollment;

/// <summary>Keeps the newest of what enrolment must know of customers.</summary>
internal sealed class KeepCustomer(ControlPlaneDbContext db) : IMessageHandler<CustomerChanged>
{
    public Task HandleAsync(CustomerChanged message, MessageContext context, CancellationToken cancellationToken) =>
        db.Dialect.UpsertAsync(db, new BulkRows("callhome_customer", ["id", "name", "state", "version"], ["id"], [[message.CustomerId, message.Name, message.State, message.Version]]), "version", cancellationToken);
}
