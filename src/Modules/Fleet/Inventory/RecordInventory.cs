using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Inventory;

/// <summary>
/// Stores groups of inventories: the newest of each cluster, what changed since the one before, and the counts of collectors.
/// Safe when a group comes twice or after a later one.
/// </summary>
internal sealed class RecordInventory(ControlPlaneDbContext db, TimeProvider time) : IBatchHandler<ItemsReceived>
{
    private static readonly BulkRows Inventories = new("fleet_inventory", ["cluster_id", "customer_id", "rank", "at", "received_at", "product_version", "agent_version", "body", "version"], ["cluster_id"], []);

    private static readonly BulkRows Changes = new(
        "fleet_inventory_change", ["cluster_id", "rank", "ordinal", "customer_id", "at", "received_at", "kind", "subject", "before", "after"], ["cluster_id", "rank", "ordinal"], []);

    private static readonly BulkRows Collectors = new(
        "fleet_collector_version", ["cluster_id", "release", "os", "customer_id", "collectors"], ["cluster_id", "release", "os"], []);

    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ItemsReceived> messages, CancellationToken cancellationToken)
    {
        var items = Received.Items(messages);
        return Task.FromResult<Func<CancellationToken, Task>>(token => WriteAsync(items, token));
    }

    private async Task WriteAsync(List<ReceivedItem> items, CancellationToken cancellationToken)
    {
        await LastContact.KeepAsync(db, items, time.GetUtcNow(), cancellationToken);
        var waiting = Received.Newest(items).ToList();
        while (waiting.Count > 0)
        {
            // Another replica may have written between our read and our write: those clusters are read again.
            waiting = await TryAsync(waiting, cancellationToken);
        }

        await ClusterOverview.RefreshAsync(db, [.. items.Select(Received.Cluster).Distinct()], time.GetUtcNow(), cancellationToken);
    }

    private async Task<List<KeyValuePair<Guid, ReceivedItem>>> TryAsync(List<KeyValuePair<Guid, ReceivedItem>> clusters, CancellationToken cancellationToken)
    {
        var known = await db.Dialect.ReadByKeyAsync(db, Inventories.Table, Inventories.Key, clusters.ConvertAll(cluster => new object?[] { cluster.Key }), ["rank", "version", "body"], cancellationToken);
        var newer = Enumerable.Range(0, clusters.Count).Where(i => known[i] is not { } row || (long)row[0]! < Received.Rank(clusters[i].Value)).ToList();
        var rows = newer.ConvertAll(i => InventoryRow(clusters[i].Value, known[i] is { } row ? (long)row[1]! + 1 : 1));
        var won = await db.Dialect.CompareAndSwapAsync(db, Inventories with { Rows = rows }, "version", cancellationToken);
        var lost = new List<KeyValuePair<Guid, ReceivedItem>>();
        var changes = new List<object?[]>();
        var replaced = new List<Guid>();
        var counts = new List<object?[]>();
        for (var i = 0; i < won.Length; i++)
        {
            var item = clusters[newer[i]].Value;
            if (!won[i])
            {
                lost.Add(clusters[newer[i]]);
                continue;
            }

            var before = known[newer[i]] is { } row ? Protocol.CallHome.Inventory.Parser.ParseFrom((byte[])row[2]!) : null;
            var after = Protocol.CallHome.Inventory.Parser.ParseFrom(item.Body);
            changes.AddRange(InventoryDifference.Between(before, after).Select((change, ordinal) => ChangeRow(item, change, ordinal)));
            if (before is null || !before.Collectors.Equals(after.Collectors))
            {
                replaced.Add(clusters[newer[i]].Key);
                counts.AddRange(CollectorRows(item, after));
            }
        }

        await db.Dialect.InsertIfAbsentAsync(db, Changes with { Rows = changes }, cancellationToken);
        if (replaced.Count > 0)
        {
            db.Scope.OpenAll("an inventory replaces the collector counts of its cluster");
            await db.Set<CollectorVersion>().Where(row => replaced.Contains(row.ClusterId)).ExecuteDeleteAsync(cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, Collectors with { Rows = counts }, cancellationToken);
        }

        return lost;
    }

    private static object?[] InventoryRow(ReceivedItem item, long version)
    {
        var inventory = Protocol.CallHome.Inventory.Parser.ParseFrom(item.Body);
        return [Received.Cluster(item), Received.Customer(item), Received.Rank(item), item.AtMs, item.ReceivedAtMs, inventory.ProductVersion, inventory.AgentVersion, item.Body.ToByteArray(), version];
    }

    private static object?[] ChangeRow(ReceivedItem item, InventoryDifference change, int ordinal) =>
        [Received.Cluster(item), Received.Rank(item), ordinal, Received.Customer(item), item.AtMs, item.ReceivedAtMs, change.Kind, change.Subject, change.Before, change.After];

    private static IEnumerable<object?[]> CollectorRows(ReceivedItem item, Protocol.CallHome.Inventory inventory) => inventory.Collectors
        .GroupBy(collectors => (collectors.Version, collectors.Os))
        .Select(group => new object?[] { Received.Cluster(item), group.Key.Version, group.Key.Os, Received.Customer(item), group.Aggregate(0L, (sum, collectors) => sum + Math.Min(collectors.Count, long.MaxValue - sum)) });
}
