using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Fleet.Clusters;

/// <summary>Keeps the newest of what callhome says of a cluster.</summary>
internal sealed class KeepCluster(ControlPlaneDbContext db) : IMessageHandler<ClusterChanged>
{
    private static readonly BulkRows Table = new("fleet_cluster", ["id", "customer_id", "name", "state", "clone_suspected", "enrolled_at", "version"], ["id"], []);

    public Task HandleAsync(ClusterChanged message, MessageContext context, CancellationToken cancellationToken) => db.Dialect.UpsertAsync(
        db, Table with { Rows = [[message.ClusterId, message.CustomerId, message.Name, message.State, message.CloneSuspected, message.EnrolledAt.ToUnixTimeMilliseconds(), message.Version]] }, "version", cancellationToken);
}

/// <summary>Keeps the newest name of a customer.</summary>
internal sealed class KeepCustomer(ControlPlaneDbContext db) : IMessageHandler<CustomerChanged>
{
    public Task HandleAsync(CustomerChanged message, MessageContext context, CancellationToken cancellationToken) => db.Dialect.UpsertAsync(
        db, new BulkRows("fleet_customer", ["id", "name", "version"], ["id"], [[message.CustomerId, message.Name, message.Version]]), "version", cancellationToken);
}
