using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Health;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Inventory;

/// <summary><c>/api/v1/fleet/clusters/{id}</c>: what a cluster is made of, now and before.</summary>
internal static class InventoryApi
{
    // The rank is the order in which the cluster sent its inventories; what changed with one stays in the order of the inventory where the newest comes first.
    private static readonly ListOrders<InventoryChange> Orders = new ListOrders<InventoryChange>("-at").By("at", row => row.Rank, row => -row.Ordinal);

    public static void Map(RouteGroupBuilder cluster)
    {
        cluster.MapGet("/nodes", NodesAsync).RequireScope("fleet:read").WithName("ListNodes").WithSummary("Nodes: what the inventory names, as the newest health finds them").Produces<Page<NodeItem>>(200, "application/json", Csv.MediaType);
        cluster.MapGet("/inventory", GetAsync).RequireScope("fleet:read").WithName("GetInventory").WithSummary("What a cluster last said it is made of").Produces<InventoryDocument>();
        cluster.MapGet("/inventory/changes", ChangesAsync).RequireScope("fleet:read").WithName("ListInventoryChanges").WithSummary("What changed in a cluster's inventory, newest first").Produces<Page<InventoryChangeItem>>(200, "application/json", Csv.MediaType).SortedBy(Orders);
        RequestInventory.Map(cluster);
    }

    private static async Task<IResult> NodesAsync(Guid id, HttpRequest request, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (!await db.Set<FleetCluster>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var body = await db.Set<StoredHealth>().AsNoTracking().Where(row => row.ClusterId == id).Select(row => row.Body).SingleOrDefaultAsync(cancellationToken);
        var health = body is null ? [] : Protocol.CallHome.Health.Parser.ParseFrom(body).Nodes.DistinctBy(node => node.Id).ToDictionary(node => node.Id, StringComparer.Ordinal);
        var (inventory, _) = await ReadAsync(db, id, cancellationToken);
        var nodes = inventory.Nodes.Select(node => Node(node, health.Remove(node.Id, out var now) ? now : null)).ToList();
        nodes.AddRange(health.Values.Select(node => Node(new Protocol.CallHome.Node { Id = node.Id }, node)));
        nodes.Sort((left, right) => string.CompareOrdinal(left.Id, right.Id));
        return Csv.IsWanted(request) ? Csv.File($"nodes-{id}", nodes) : TypedResults.Ok(new Page<NodeItem>(nodes, null, nodes.Count));
    }

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Set<FleetCluster>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } cluster)
        {
            return Problems.NotFound();
        }

        var (inventory, row) = await ReadAsync(db, id, cancellationToken);
        var asked = await RequestInventory.LastAsync(db, cluster, row?.ReceivedAt, cancellationToken);
        return TypedResults.Ok(new InventoryDocument(
            row?.At, row?.ReceivedAt, inventory.ProductVersion, inventory.AgentVersion, inventory.TimeZone, inventory.MaintenanceWindow, inventory.UpdateMode,
            inventory.HasRemoteAccessAllowed ? inventory.RemoteAccessAllowed : null,
            [.. inventory.Gateways.Select(gateway => new GatewayItem(gateway.Id, gateway.Kind, gateway.Version, gateway.State, gateway.Os))],
            [.. inventory.Collectors.OrderByDescending(collectors => collectors.Count).Select(collectors => new CollectorCountItem(collectors.Version, collectors.Os, collectors.Count))],
            [.. inventory.Environments.Select(environment => new EnvironmentItem(environment.Id, environment.Name))], asked));
    }

    private static async Task<IResult> ChangesAsync(Guid id, [AsParameters] ListQuery list, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (!await db.Set<FleetCluster>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var query = db.Set<InventoryChange>().AsNoTracking().Where(row => row.ClusterId == id);
        return Csv.IsWanted(list.Request)
            ? Csv.File($"inventory-changes-{id}", Orders.Apply(query, list).AsAsyncEnumerable().Select(Item))
            : await Orders.PageAsync(list, query, Item, cancellationToken);
    }

    private static InventoryChangeItem Item(InventoryChange row) => new(row.Kind, row.Subject, row.Before, row.After, row.At, row.ReceivedAt);

    private static async Task<(Protocol.CallHome.Inventory Inventory, ClusterInventory? Row)> ReadAsync(ControlPlaneDbContext db, Guid id, CancellationToken cancellationToken)
    {
        var row = await db.Set<ClusterInventory>().AsNoTracking().SingleOrDefaultAsync(row => row.ClusterId == id, cancellationToken);
        return (row is null ? new Protocol.CallHome.Inventory() : Protocol.CallHome.Inventory.Parser.ParseFrom(row.Body), row);
    }

    // The newest health knows better where both speak; a node that it does not name is in a state nobody knows.
    private static NodeItem Node(Protocol.CallHome.Node node, Protocol.CallHome.NodeHealth? health) => new(
        node.Id, First(health?.Role, node.Role), First(health?.State, "unknown"), First(health?.Version, node.Version), First(health?.Os, node.Os),
        health is { HasCores: true } ? health.Cores : node.HasCores ? node.Cores : null, health is { HasCpuPercent: true } ? health.CpuPercent : null,
        health is { HasMemoryTotalBytes: true } ? health.MemoryTotalBytes : node.HasMemoryTotalBytes ? node.MemoryTotalBytes : null, health is { HasMemoryUsedBytes: true } ? health.MemoryUsedBytes : null,
        health is { HasClockOffsetMs: true } ? health.ClockOffsetMs : null, health is { HasUptimeS: true } ? health.UptimeS : null, node.HasDiskEncrypted ? node.DiskEncrypted : null,
        [.. (health?.Disks ?? []).Select(disk => new DiskItem(disk.Mount, disk.Purpose, disk.HasTotalBytes ? disk.TotalBytes : null, disk.HasUsedBytes ? disk.UsedBytes : null, disk.HasInodesUsedPercent ? disk.InodesUsedPercent : null, disk.HasReadOnly ? disk.ReadOnly : null, disk.HasEncrypted ? disk.Encrypted : null))]);

    private static string First(string? first, string second) => string.IsNullOrEmpty(first) ? second : first;
}
