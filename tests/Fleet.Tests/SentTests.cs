using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Google.Protobuf;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;
using Wire = MissionControl.Protocol.CallHome.Inventory;

namespace MissionControl.Fleet.Tests;

/// <summary>What a cluster sent, word for word where it is kept so.</summary>
public sealed class SentTests : IAsyncLifetime
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
    public async Task The_newest_health_and_the_present_inventory_are_given_back_as_they_arrived_and_what_was_noted_here_is_not_among_the_events()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var before = await SentAsync(cluster);
        Assert.Empty(before!.Messages);
        Assert.All(before.Classes, one => Assert.Equal((0, null, null), (one.Kept, one.Bytes, one.NewestReceivedAt)));

        var inventory = new Item { Seq = cluster.Next(), Type = "inventory", AtMs = host.Time.GetUtcNow().ToUnixTimeMilliseconds(), Body = new Wire { ProductVersion = "1.0.0", Nodes = { new Node { Id = "node-0123456789ab" } } }.ToByteString() };
        await cluster.CheckInAsync(cluster.Health());
        await Eventually.TrueAsync(async () => (await SentAsync(cluster))!.Messages.Count == 1, "it was judged once");
        var health = cluster.Health(bend: health => (health.Nodes[0].Id, health.Nodes[0].Disks[0].ReadOnly) = ("node-0123456789ab", true));
        await cluster.CheckInAsync(inventory, cluster.Event("e1"), cluster.Event("e2"), health);

        SentDocument? sent = null;
        await Eventually.TrueAsync(async () => (sent = await SentAsync(cluster)) is { Messages.Count: 2 } && sent.Messages[0].Sequence == health.Seq && sent.Classes.Single(one => one.Class == "event").Kept == 2, "everything has come");
        Assert.Equal(["health", "inventory", "event"], sent!.Classes.Select(one => one.Class));
        Assert.Equal([14, 400, 400], sent.Classes.Select(one => one.KeptDays));
        Assert.Null(sent.Classes[2].Bytes);
        foreach (var (message, item) in sent.Messages.Zip([health, inventory]))
        {
            Assert.Equal((item.Type, cluster.Epoch, item.Seq, item.Body.Length), (message.Class, message.Epoch, message.Sequence, message.Bytes));
            Assert.Equal(item.Body.ToBase64(), message.Raw);
            Assert.Equal($"sha256:{Convert.ToHexStringLower(SHA256.HashData(item.Body.Span))}", message.Sha256);
            Assert.Equal(item.AtMs, message.At.ToUnixTimeMilliseconds());
            Assert.Equal("node-0123456789ab", message.Message.GetProperty("nodes")[0].GetProperty("id").GetString());
            Assert.Equal((1, item.Body.Length, message.ReceivedAt), sent.Classes.Where(one => one.Class == item.Type).Select(one => (one.Kept, one.Bytes, one.NewestReceivedAt!.Value)).Single());
        }

        // That its health turned was noted as an event, too: that one the cluster did not send.
        Assert.Equal("red", (await host.Admin.GetFromJsonAsync<ClusterSummary>(Path(cluster, "")))!.Health);
        var all = await EventsAsync(cluster, "");
        var (theirs, ours) = (await EventsAsync(cluster, "?origin=cluster"), await EventsAsync(cluster, "?origin=missioncontrol"));
        Assert.Equal(["e1", "e2"], theirs.Select(one => one.Id).Order(StringComparer.Ordinal));
        Assert.NotEmpty(ours);
        Assert.Equal(all.Count, theirs.Count + ours.Count);
        Assert.Equal("inventory", Assert.Single((await SentAsync(cluster, "?class=inventory"))!.Messages).Class);
        Assert.Empty((await SentAsync(cluster, "?class=event"))!.Messages);
        foreach (var nonsense in new[] { "sent?class=usage", "events?origin=nobody" })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await host.Admin.GetAsync(Path(cluster, nonsense))).StatusCode);
        }
    }

    [Fact]
    public async Task What_a_cluster_sent_is_its_customers_and_whoever_may_read_the_fleet()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var (own, _) = await host.ClientWithTokenAsync(customer, "fleet:read");
        var (stranger, _) = await host.ClientWithTokenAsync((await host.CreateCustomerAsync("Stranger")).Id, "fleet:read");
        var (elsewhere, _) = await host.ClientWithTokenAsync(null, "licensing:read");
        using var _1 = own;
        using var _2 = stranger;
        using var _3 = elsewhere;

        await Eventually.TrueAsync(async () => (await own.GetAsync(Path(cluster, "sent"))).StatusCode == HttpStatusCode.OK, "fleet knows the cluster");
        Assert.Equal(HttpStatusCode.NotFound, (await stranger.GetAsync(Path(cluster, "sent"))).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await elsewhere.GetAsync(Path(cluster, "sent"))).StatusCode);
    }

    private static Uri Path(TestCluster cluster, string what) => new($"/api/v1/fleet/clusters/{cluster.Id}/{what}", UriKind.Relative);

    private async Task<IReadOnlyList<EventItem>> EventsAsync(TestCluster cluster, string query) => (await host.Admin.GetFromJsonAsync<Page<EventItem>>(Path(cluster, "events" + query)))!.Items;

    private async Task<SentDocument?> SentAsync(TestCluster cluster, string query = "")
    {
        SentDocument? found = null;
        await Eventually.TrueAsync(async () =>
        {
            using var response = await host.Admin.GetAsync(Path(cluster, "sent" + query));
            found = response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<SentDocument>() : null;
            return found is not null;
        }, "fleet knows the cluster");
        return found;
    }
}
