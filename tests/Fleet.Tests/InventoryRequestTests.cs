using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Fleet.Tests;

/// <summary>One host and one customer for the tests of inventories out of turn; each enrols its own cluster.</summary>
public sealed class InventoryRequestFixture : IAsyncLifetime
{
    public ControlPlane Host { get; private set; } = null!;

    public Guid Customer { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Host = await ControlPlane.StartAsync();
        Customer = (await Host.CreateCustomerAsync()).Id;
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}

/// <summary>An inventory out of turn: asked for by a person, told by the real agent.</summary>
public sealed class InventoryRequestTests(InventoryRequestFixture fixture) : IClassFixture<InventoryRequestFixture>
{
    private readonly ControlPlane host = fixture.Host;
    private readonly Guid customer = fixture.Customer;

    [Fact]
    public async Task An_agent_that_is_asked_tells_its_inventory_though_nothing_changed_and_once_for_each_asking()
    {
        using var agent = await RealAgent.EnrollAsync(host, customer);
        await agent.CheckInUntilAsync(async () => await InventoryAsync(agent.Id) is { AsOf: not null }, "the first inventory is known");
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{agent.Id}"))!.Liveness == "online", "it is online");
        await agent.CheckInAsync();
        Assert.Equal(1, agent.Way.Items("inventory"));
        Assert.Null((await InventoryAsync(agent.Id))!.Asked);

        var asked = await AskAsync(agent.Id);
        Assert.Equal((false, null), (asked.Answered, asked.Waits));
        Assert.False((await InventoryAsync(agent.Id))!.Asked!.Answered);
        await agent.CheckInUntilAsync(async () => (await InventoryAsync(agent.Id))!.Asked is { Answered: true }, "the inventory came");
        await CheckInAsync(agent, 3);
        Assert.Equal(2, agent.Way.Items("inventory"));
        Assert.Equal(asked.At, (await InventoryAsync(agent.Id))!.Asked!.At);

        // Asked twice before it heard of the first: once is enough; in no case more than once for each.
        await AskAsync(agent.Id);
        var last = await AskAsync(agent.Id);
        Assert.True(last.At > asked.At);
        await agent.CheckInUntilAsync(async () => (await InventoryAsync(agent.Id))!.Asked is { Answered: true }, "it came again");
        await CheckInAsync(agent, 3);
        Assert.InRange(agent.Way.Items("inventory"), 3, 4);
        var entries = await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?target={agent.Id}&type=fleet.inventory-requested");
        Assert.Equal(3, entries!.Items.Count);
    }

    [Fact]
    public async Task After_a_restart_an_asking_that_was_answered_costs_one_inventory_and_no_more()
    {
        using var agent = await RealAgent.EnrollAsync(host, customer);
        await agent.CheckInUntilAsync(async () => await InventoryAsync(agent.Id) is { AsOf: not null }, "the first inventory is known");
        await AskAsync(agent.Id);
        await agent.CheckInUntilAsync(async () => (await InventoryAsync(agent.Id))!.Asked is { Answered: true }, "the inventory came");
        var before = agent.Way.Items("inventory");

        agent.Restart();
        await CheckInAsync(agent, 5);

        // Its first one in any case, and one for the asking that it cannot remember.
        Assert.InRange(agent.Way.Items("inventory") - before, 1, 2);
    }

    [Fact]
    public async Task An_agent_that_does_not_understand_is_not_told()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        await cluster.CheckInAsync(cluster.Health());
        await KnownAsync(Guid.Parse(cluster.Id));
        await AskAsync(Guid.Parse(cluster.Id));
        await Eventually.TrueAsync(async () => (await SectionsAsync(cluster, "receipts", "inventory")).Contains("inventory"), "who understands is told");

        Assert.DoesNotContain("inventory", await SectionsAsync(cluster, "receipts"));
    }

    [Fact]
    public async Task What_keeps_a_cluster_from_answering_is_said()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var id = Guid.Parse(cluster.Id);
        await KnownAsync(id);
        Assert.Equal("offline", (await AskAsync(id)).Waits);

        await SwitchAsync(id, "suspend");
        await Eventually.TrueAsync(async () => (await InventoryAsync(id))!.Asked!.Waits == "suspended", "fleet knows of the suspension");
        var asked = await AskAsync(id);
        Assert.Equal("suspended", asked.Waits);
        Assert.Contains("resumed", asked.Detail, StringComparison.Ordinal);

        await SwitchAsync(id, "decommission");
        await Eventually.TrueAsync(async () => await CodeAsync(host.Admin, id, "a test") == "cluster-state-conflict", "fleet knows that it ended");
    }

    [Fact]
    public async Task A_site_that_hands_in_bundles_is_said_to_hear_nothing_of_it()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        await cluster.HandInAsync(cluster.Part(cluster.Request(cluster.Health())));
        var id = Guid.Parse(cluster.Id);
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{id}"))!.ExpectedEverySeconds > 3600, "fleet knows how it comes");

        Assert.Equal("by-bundle", (await AskAsync(id)).Waits);
    }

    [Fact]
    public async Task Only_staff_with_the_right_and_a_reason_ask_and_only_their_own_clusters()
    {
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        var id = Guid.Parse(cluster.Id);
        await KnownAsync(id);
        var stranger = (await host.CreateCustomerAsync("Stranger")).Id;
        var (foreign, _) = await host.ClientWithTokenAsync(stranger, "fleet:read", "fleet:write");
        var (reader, _) = await host.ClientWithTokenAsync(customer, "fleet:read");
        using (foreign)
        using (reader)
        {
            Assert.Equal("not-found", await CodeAsync(foreign, id, "curious"));
            Assert.Equal("scope-missing", await CodeAsync(reader, id, "curious"));
            Assert.Equal("invalid", await CodeAsync(host.Admin, id, " "));
            Assert.Equal("not-found", await CodeAsync(host.Admin, Guid.CreateVersion7(), "curious"));
        }

        Assert.Null((await InventoryAsync(id))!.Asked);
    }

    private static async Task CheckInAsync(RealAgent agent, int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.True((await agent.CheckInAsync()).Succeeded);
        }
    }

    private static async Task<IReadOnlyList<string>> SectionsAsync(TestCluster cluster, params string[] understood)
    {
        var request = cluster.Request();
        request.Sections.AddRange(understood);
        using var response = await cluster.SendAsync("checkin", request);
        return [.. (await TestCluster.ReadAsync(response, CheckInResponse.Parser)).Desired.Sections.Select(section => section.Name)];
    }

    private async Task<InventoryAsked> AskAsync(Guid cluster)
    {
        using var response = await host.Admin.PostAsJsonAsync($"/api/v1/fleet/clusters/{cluster}/inventory-request", new InventoryRequest("a test asks"));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<InventoryAsked>())!;
    }

    private static async Task<string> CodeAsync(HttpClient client, Guid cluster, string reason)
    {
        using var response = await client.PostAsJsonAsync($"/api/v1/fleet/clusters/{cluster}/inventory-request", new InventoryRequest(reason));
        return response.IsSuccessStatusCode ? "" : (await TestCluster.ProblemAsync(response)).Code;
    }

    private async Task SwitchAsync(Guid cluster, string verb)
    {
        using var response = await host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster}/{verb}", new ReasonRequest("a test says so"));
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private Task KnownAsync(Guid cluster) => Eventually.TrueAsync(async () => await InventoryAsync(cluster) is not null, "fleet knows the cluster");

    private async Task<InventoryDocument?> InventoryAsync(Guid cluster)
    {
        using var response = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster}/inventory", UriKind.Relative));
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<InventoryDocument>() : null;
    }
}
