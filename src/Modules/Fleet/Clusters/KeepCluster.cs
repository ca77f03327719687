using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Fleet.Clusters;

/// <summary>Keeps the newest of what callhome says of a cluster.</summary>
internal sealed class KeepCluster(ControlPlaneDbContext db, TimeProvider time) : IBatchHandler<ClusterChanged>
{
    private static readonly BulkRows Table = new("fleet_cluster", ["id", "customer_id", "name", "state", "clone_suspected", "enrolled_at", "version"], ["id"], []);

    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ClusterChanged> messages, CancellationToken cancellationToken)
    {
        var newest = messages.GroupBy(message => message.ClusterId).Select(group => group.MaxBy(message => message.Version)!).ToList();
        return Task.FromResult<Func<CancellationToken, Task>>(token => WriteAsync(newest, token));
    }

    private async Task WriteAsync(List<ClusterChanged> changed, CancellationToken cancellationToken)
    {
        var rows = changed.ConvertAll(message => new object?[] { message.ClusterId, message.CustomerId, message.Name, message.State, message.CloneSuspected, message.EnrolledAt.ToUnixTimeMilliseconds(), message.Version });
        if (await db.Dialect.UpsertAsync(db, Table with { Rows = rows }, "version", cancellationToken) == 0)
        {
            return;
        }

        var silent = changed.ConvertAll(message => new object?[] { message.ClusterId, message.CustomerId, nameof(LivenessState.Never), message.EnrolledAt.ToUnixTimeMilliseconds() });
        await db.Dialect.InsertIfAbsentAsync(db, ClusterLiveness.Table with { Rows = silent }, cancellationToken);
        await ClusterOverview.RefreshAsync(db, changed.ConvertAll(message => message.ClusterId), time.GetUtcNow(), cancellationToken);
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
