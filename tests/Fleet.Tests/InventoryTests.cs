using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Google.Protobuf;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;
using Wire = MissionControl.Protocol.CallHome.Inventory;

namespace MissionControl.Fleet.Tests;

public sealed class InventoryTests : IAsyncLifetime
{
    private ControlPlane host = null!;
    private Guid customer;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync();
        customer = (await host.CreateCustomerAsync()).Id;
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task An_inventory_is_read_back_and_what_changes_is_remembered()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        await cluster.CheckInAsync(cluster.Health(), Item(cluster, Full()));
        await ExpectAsync(cluster, inventory => inventory.ProductVersion == "1.0.0");
        var changed = Full();
        changed.ProductVersion = "1.1.0";
        changed.Nodes.RemoveAt(1);
        changed.Gateways[0].State = "stopped";
        changed.Gateways.Add(new Gateway { Id = "g2", Version = "1.1.0" });
        changed.Collectors[0].Count = 71;

        await cluster.CheckInAsync(Item(cluster, changed));
        await ExpectAsync(cluster, inventory => inventory is { ProductVersion: "1.1.0", TimeZone: "Europe/Oslo", RemoteAccessAllowed: false } && inventory.Gateways.Count == 2 && inventory.Collectors[0].Count == 71);
        var changes = await host.Admin.GetFromJsonAsync<Page<InventoryChangeItem>>($"/api/v1/fleet/clusters/{cluster.Id}/inventory/changes");

        Assert.Equal(
            [("product-version", "", "1.0.0", "1.1.0"), ("node-removed", "n2", "1.0.0", null), ("gateway-state", "g1", "running", "stopped"), ("gateway-added", "g2", null, "1.1.0")],
            changes!.Items.Select(change => (change.Kind, change.Subject, change.Before, change.After)));
    }

    [Fact]
    public async Task An_older_inventory_that_arrives_later_changes_nothing()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var newer = Full();
        newer.ProductVersion = "2.0.0";
        await cluster.CheckInAsync(Item(cluster, newer, 2));
        await ExpectAsync(cluster, inventory => inventory.ProductVersion == "2.0.0");

        await cluster.CheckInAsync(Item(cluster, Full(), 1));
        newer.AgentVersion = "9";
        await cluster.CheckInAsync(Item(cluster, newer, 3));
        await ExpectAsync(cluster, inventory => inventory.AgentVersion == "9");
        var changes = await host.Admin.GetFromJsonAsync<Page<InventoryChangeItem>>($"/api/v1/fleet/clusters/{cluster.Id}/inventory/changes");

        Assert.Equal("agent-version", Assert.Single(changes!.Items).Kind);
    }

    [Fact]
    public async Task Nodes_are_those_of_the_inventory_as_the_newest_health_finds_them()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);

        await cluster.CheckInAsync(Item(cluster, Full()), cluster.Health(bend: health => health.Nodes.Add(new NodeHealth { Id = "n9", State = "starting" })));
        Page<NodeItem>? nodes = null;
        await Eventually.TrueAsync(async () =>
        {
            // Items may come before the cluster itself is known.
            using var answer = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/nodes", UriKind.Relative));
            nodes = answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<Page<NodeItem>>() : null;
            return nodes?.Items.Count == 3;
        }, "inventory and health have arrived");

        Assert.Equal([("n1", "running", true, 4), ("n2", "unknown", null, 8), ("n9", "starting", (bool?)null, (int?)null)], nodes!.Items.Select(node => (node.Id, node.State, node.DiskEncrypted, node.Cores)));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/fleet/clusters/{cluster.Id}/nodes") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/csv") } } };
        using var response = await host.Admin.SendAsync(request);
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(4, (await response.Content.ReadAsStringAsync()).TrimEnd().Split("\r\n").Length);
    }

    [Fact]
    public async Task Versions_are_counted_over_the_fleet_and_a_customer_counts_its_own_only()
    {
        var stranger = (await host.CreateCustomerAsync("Stranger")).Id;
        using var first = await TestCluster.EnrollAsync(host, customer);
        using var second = await TestCluster.EnrollAsync(host, customer);
        using var foreign = await TestCluster.EnrollAsync(host, stranger);
        foreach (var cluster in new[] { first, second, foreign })
        {
            await cluster.CheckInAsync(cluster.Health(), Item(cluster, Full()));
        }

        FleetVersions? versions = null;
        await Eventually.TrueAsync(async () => (versions = await host.Admin.GetFromJsonAsync<FleetVersions>("/api/v1/fleet/versions")) is { Product: [{ Clusters: 3 }], Collectors: [{ Clusters: 3 }, { Clusters: 3 }] }, "three clusters are counted");
        Assert.Equal(new ProductVersionItem("1.0.0", 3, 2), versions!.Product[0]);
        Assert.Equal([new CollectorVersionItem("1.0.0", 225, 3), new CollectorVersionItem("0.9.0", 21, 3)], versions.Collectors);

        var (client, _) = await host.ClientWithTokenAsync(stranger, "fleet:read");
        var own = await client.GetFromJsonAsync<FleetVersions>("/api/v1/fleet/versions");
        Assert.Equal(new ProductVersionItem("1.0.0", 1, 1), Assert.Single(own!.Product));
        Assert.Equal([75, 7], own.Collectors.Select(version => version.Collectors));
        foreach (var path in new[] { "inventory", "inventory/changes", "nodes" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri($"/api/v1/fleet/clusters/{first.Id}/{path}", UriKind.Relative))).StatusCode);
        }

        client.Dispose();
    }

    [Fact]
    public async Task An_inventory_that_names_one_thing_twice_is_refused_for_good()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var twice = Full();
        twice.Gateways.Add(twice.Gateways[0].Clone());
        var nodes = Full();
        nodes.Nodes.Add(nodes.Nodes[0].Clone());
        var negative = Full();
        negative.Collectors[0].Count = -1;

        var answer = await cluster.CheckInAsync(Item(cluster, twice), Item(cluster, nodes), Item(cluster, negative));

        Assert.Equal(["inventory-invalid", "node-id-invalid", "inventory-invalid"], answer.Refusals.Select(refusal => refusal.Code));
        Assert.All(answer.Refusals, refusal => Assert.True(refusal.Final));
        Assert.Equal(3, answer.Ack);
    }

    private static Wire Full() => new()
    {
        ProductVersion = "1.0.0",
        AgentVersion = "1",
        TimeZone = "Europe/Oslo",
        UpdateMode = "manual",
        RemoteAccessAllowed = false,
        Nodes = { new Node { Id = "n1", Role = "server", Version = "1.0.0", DiskEncrypted = true }, new Node { Id = "n2", Role = "server", Version = "1.0.0", Cores = 8 } },
        Gateways = { new Gateway { Id = "g1", Kind = "cluster", Version = "1.0.0", State = "running" } },
        Collectors = { new CollectorCount { Version = "1.0.0", Os = "linux", Count = 70 }, new CollectorCount { Version = "1.0.0", Os = "windows", Count = 5 }, new CollectorCount { Version = "0.9.0", Os = "linux", Count = 7 } },
        Environments = { new Protocol.CallHome.Environment { Id = "e1", Name = "Production" } },
    };

    private Item Item(TestCluster cluster, Wire inventory, long? number = null) =>
        new() { Seq = number ?? cluster.Next(), Type = "inventory", AtMs = host.Time.GetUtcNow().ToUnixTimeMilliseconds(), Body = inventory.ToByteString() };

    private Task ExpectAsync(TestCluster cluster, Func<InventoryDocument, bool> condition) => Eventually.TrueAsync(async () =>
    {
        using var response = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/inventory", UriKind.Relative));
        return response.IsSuccessStatusCode && condition((await response.Content.ReadFromJsonAsync<InventoryDocument>())!);
    }, "the inventory reads as expected");
}
