using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Fleet.Clusters;

/// <summary>Keeps the newest of what callhome says of a cluster.</summary>
internal sealed class KeepCluster(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<ClusterChanged>
{
    private static readonly BulkRows Table = new("fleet_cluster", ["id", "customer_id", "name", "state", "clone_suspected", "enrolled_at", "version"], ["id"], []);

    public async Task HandleAsync(ClusterChanged message, MessageContext context, CancellationToken cancellationToken)
    {
        var row = new object?[] { message.ClusterId, message.CustomerId, message.Name, message.State, message.CloneSuspected, message.EnrolledAt.ToUnixTimeMilliseconds(), message.Version };
        if (await db.Dialect.UpsertAsync(db, Table with { Rows = [row] }, "version", cancellationToken) == 0)
        {
            return;
        }

        await db.Dialect.InsertIfAbsentAsync(db, ClusterLiveness.Table with { Rows = [[message.ClusterId, message.CustomerId, nameof(LivenessState.Never), message.EnrolledAt.ToUnixTimeMilliseconds()]] }, cancellationToken);
        await ClusterOverview.RefreshAsync(db, [message.ClusterId], time.GetUtcNow(), cancellationToken);
    }
}

/// <summary>Keeps the newest name of a customer.</summary>
internal sealed class KeepCustomer(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<CustomerChanged>
{
    public async Task HandleAsync(CustomerChanged message, MessageContext context, CancellationToken cancellationToken)
    {
        var rows = new BulkRows("fleet_customer", ["id", "name", "region", "version"], ["id"], [[message.CustomerId, message.Name, message.Region, message.Version]]);
        if (await db.Dialect.UpsertAsync(db, rows, "version", cancellationToken) == 0)
        {
            return;
        }

        db.Scope.OpenAll("a customer's clusters show its new name");
        var clusters = await db.Set<FleetCluster>().Where(row => row.CustomerId == message.CustomerId).Select(row => row.Id).ToListAsync(cancellationToken);
        await ClusterOverview.RefreshAsync(db, clusters, time.GetUtcNow(), cancellationToken);
    }
}
