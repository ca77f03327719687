using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Fleet.Tests;

public sealed class FleetThroughTheDoorTests : IAsyncLifetime
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
    public async Task What_a_cluster_says_is_read_back_and_turns_red_and_green_again()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer, "Oslo");
        await cluster.CheckInAsync(At(cluster.Health(), 0), cluster.Event("e1"));
        await ExpectAsync(cluster, summary => summary is { Health: "green", Liveness: "online", Stale: false, NodesUp: 1, CustomerName: "Acme" });

        await cluster.CheckInAsync(Full(cluster, 1), Full(cluster, 32));
        await ExpectAsync(cluster, summary => summary.Health == "red" && summary.WorstReason == "Disk /data of n1 has 5 % free.");

        await cluster.CheckInAsync(cluster.Health());
        await ExpectAsync(cluster, summary => summary.Health == "green" && summary.WorstReason is null);
        var nodes = await host.Admin.GetFromJsonAsync<Page<NodeItem>>($"/api/v1/fleet/clusters/{cluster.Id}/nodes");
        var document = await host.Admin.GetFromJsonAsync<HealthDocument>($"/api/v1/fleet/clusters/{cluster.Id}/health");
        Assert.Equal("n1", Assert.Single(nodes!.Items).Id);
        Assert.Contains(document!.Indicators, indicator => indicator is { Id: "disk-free:n1/data", Status: "green" });
    }

    [Fact]
    public async Task Older_health_that_arrives_later_changes_nothing()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var old = cluster.Health(1, health => health.Nodes[0].CpuPercent = 99);
        old.AtMs -= 60_000;

        await cluster.CheckInAsync(cluster.Health(2));
        await ExpectAsync(cluster, summary => summary.Health == "green");
        await cluster.CheckInAsync(old);
        await cluster.CheckInAsync(cluster.Event("marker", 3));

        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{cluster.Id}/events"))!.Items.Count == 1, "the marker arrived");
        Assert.Equal("green", (await SummaryAsync(cluster)).Health);
    }

    [Fact]
    public async Task A_site_that_hands_in_bundles_counts_from_when_they_were_written_and_is_given_a_week()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var (written, older) = (cluster.Request(cluster.Event("b", 2)), cluster.Request(cluster.Event("a", 1)));
        written.SentAtMs -= (long)TimeSpan.FromDays(3).TotalMilliseconds;
        older.SentAtMs -= (long)TimeSpan.FromDays(40).TotalMilliseconds;

        await cluster.HandInAsync(cluster.Part(written));
        await ExpectAsync(cluster, summary => summary is { Liveness: "online", ExpectedEverySeconds: 604_800 });
        await cluster.HandInAsync(cluster.Part(older));
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{cluster.Id}/events"))!.Items.Count == 2, "both came");
        var heard = (await SummaryAsync(cluster)).LastContact!.Value;

        // The clock of the site may not be ours: nothing was heard in the future.
        Assert.Equal(written.SentAtMs, heard.ToUnixTimeMilliseconds());
        var ahead = cluster.Request(cluster.Event("c", 3));
        ahead.SentAtMs += (long)TimeSpan.FromDays(400).TotalMilliseconds;
        await cluster.HandInAsync(cluster.Part(ahead));
        await ExpectAsync(cluster, summary => summary.LastContact > heard);
        Assert.True((await SummaryAsync(cluster)).LastContact <= host.Time.GetUtcNow());

        // Online again, it is expected as often as anybody.
        await cluster.CheckInAsync(cluster.Health(4));
        await ExpectAsync(cluster, summary => summary.ExpectedEverySeconds == 60);
    }

    [Fact]
    public async Task An_event_that_comes_twice_is_one_event()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);

        await cluster.CheckInAsync(cluster.Event("same"), cluster.Event("same"), cluster.Event("other"));

        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{cluster.Id}/events"))!.Items.Count == 2, "two events are stored");
    }

    [Fact]
    public async Task A_customers_token_sees_its_own_clusters_only()
    {
        using var own = await TestCluster.EnrollAsync(host, customer, "Own");
        var stranger = (await host.CreateCustomerAsync("Stranger")).Id;
        using var foreign = await TestCluster.EnrollAsync(host, stranger, "Foreign");
        await Eventually.TrueAsync(async () => (await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{foreign.Id}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the foreign cluster");
        var (client, _) = await host.ClientWithTokenAsync(customer, "fleet:read", "callhome:read", "callhome:write", "licensing:read", "audit:read", "identity:read");

        var list = await client.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?count=exact&facets=liveness,health");
        Assert.DoesNotContain(list!.Items, cluster => cluster.CustomerId != customer);
        Assert.Equal(list.Items.Count, list.Total);
        foreach (var path in new[] { $"/api/v1/fleet/clusters/{foreign.Id}", $"/api/v1/fleet/clusters/{foreign.Id}/nodes", $"/api/v1/fleet/clusters/{foreign.Id}/health", $"/api/v1/fleet/clusters/{foreign.Id}/events", $"/api/v1/callhome/clusters/{foreign.Id}", $"/api/v1/licensing/customers/{stranger}" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri(path, UriKind.Relative))).StatusCode);
        }

        client.Dispose();
    }

    [Fact]
    public async Task The_list_leads_with_the_worst_and_pages_without_losing_a_cluster()
    {
        var names = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            using var cluster = await TestCluster.EnrollAsync(host, customer, $"C{i}");
            names.Add($"C{i}");
            await cluster.CheckInAsync(cluster.Health(bend: health => health.Nodes[0].CpuPercent = i == 5 ? 99 : 5));
            await ExpectAsync(cluster, summary => summary.Health != "unknown");
        }

        var seen = new List<string>();
        var next = "/api/v1/fleet/clusters?limit=3";
        while (next is not null)
        {
            var page = await host.Admin.GetFromJsonAsync<Page<ClusterSummary>>(next);
            seen.AddRange(page!.Items.Select(item => item.Name));
            next = page.Next;
        }

        Assert.Equal("C5", seen[0]);
        Assert.Equal(names.Order(), seen.Order());
    }

    [Theory]
    [InlineData("liveness=gone")]
    [InlineData("liveness=1")]
    [InlineData("health=blue")]
    [InlineData("cursor=nonsense")]
    public async Task An_unknown_filter_is_named_instead_of_answered_by_an_empty_list(string query)
    {
        using var response = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters?{query}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private static Item Full(TestCluster cluster, int minutes) => At(cluster.Health(bend: health => health.Nodes[0].Disks[0].UsedBytes = (long)(health.Nodes[0].Disks[0].TotalBytes * 0.95)), minutes);

    // Measured that many minutes into the hour before now.
    private static Item At(Item item, int minutes)
    {
        item.AtMs += (minutes - 60) * 60_000;
        return item;
    }

    private async Task<ClusterSummary> SummaryAsync(TestCluster cluster) => (await host.Admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{cluster.Id}"))!;

    private Task ExpectAsync(TestCluster cluster, Func<ClusterSummary, bool> condition) => Eventually.TrueAsync(async () =>
    {
        using var response = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative));
        return response.IsSuccessStatusCode && condition((await response.Content.ReadFromJsonAsync<ClusterSummary>())!);
    }, "the cluster reads as expected");
}
