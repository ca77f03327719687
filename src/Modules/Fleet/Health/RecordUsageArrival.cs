using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Health;

/// <summary>Notes that usage arrived, without looking into it: that is licensing's.</summary>
internal sealed class RecordUsageArrival(ControlPlaneDbContext db, TimeProvider time) : IBatchHandler<ItemsReceived>
{
    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ItemsReceived> messages, CancellationToken cancellationToken)
    {
        var items = Received.Items(messages);
        return Task.FromResult<Func<CancellationToken, Task>>(token => WriteAsync(items, token));
    }

    private async Task WriteAsync(List<ReceivedItem> items, CancellationToken cancellationToken)
    {
        await LastContact.KeepAsync(db, items, time.GetUtcNow(), cancellationToken);
        var newest = items.GroupBy(Received.Cluster).Select(group => (Cluster: group.Key, Customer: Received.Customer(group.First()), At: group.Max(item => item.ReceivedAtMs))).ToList();
        var rows = newest.ConvertAll(usage => new object?[] { usage.Cluster, usage.Customer, usage.At });
        await db.Dialect.UpsertAsync(db, new BulkRows("fleet_last_usage", ["cluster_id", "customer_id", "received_at"], ["cluster_id"], rows), "received_at", cancellationToken);

        // Judged again at once: a gap may have ended, and the next one counts from here.
        var now = time.GetUtcNow();
        await HealthDeadline.SetAsync(db, newest.ConvertAll(usage => (usage.Cluster, usage.Customer, now)), cancellationToken);
    }
}
