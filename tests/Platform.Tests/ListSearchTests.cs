using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Searches in what people read of audit entries and events.</summary>
public sealed class ListSearchTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task Entries_are_found_by_what_who_to_what_and_why()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        var (own, created) = await host.ClientWithTokenAsync(customer, "audit:read");
        var (stranger, _) = await host.ClientWithTokenAsync((await host.CreateCustomerAsync("Stranger")).Id, "audit:read");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/licensing/customers/{customer}/legal-hold") { Content = JsonContent.Create(new LegalHoldRequest("Litigation 50% Müller")), Headers = { { "If-Match", "*" } } };
        using var held = await host.Admin.SendAsync(request);
        held.EnsureSuccessStatusCode();
        await Eventually.TrueAsync(async () => await FoundAsync(host.Admin, "type=licensing.customer-held") == 1, "the log has the entry");
        await Eventually.TrueAsync(async () => await FoundAsync(own, $"target={created.Id}") == 1, "the log has the token's entry");

        // What (as it is and as pages say it), to what, why; whatever the case, and wildcards as they are written.
        foreach (var q in new[] { "customer-HELD", "customer held", customer.ToString()[..20], "liTIgation", "50%", "Müller" })
        {
            Assert.True(await FoundAsync(host.Admin, $"type=licensing.customer-held&q={Uri.EscapeDataString(q)}") == 1, q);
        }

        foreach (var q in new[] { "no such thing", "5_%", "litigation%held" })
        {
            Assert.True(await FoundAsync(host.Admin, $"q={Uri.EscapeDataString(q)}") == 0, q);
        }

        // By whom.
        var entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=licensing.customer-held"))!.Items.Single();
        Assert.Equal(1, await FoundAsync(host.Admin, $"type=licensing.customer-held&q={entry.ActorId}"));

        // A customer finds its own, and nothing of others however well it knows what to look for.
        Assert.Equal(1, await FoundAsync(own, $"q={created.Id}"));
        foreach (var q in new[] { created.Id, customer.ToString(), "Litigation" })
        {
            Assert.True(await FoundAsync(stranger, $"q={q}") == 0, q);
        }

        Assert.Equal(0, await FoundAsync(own, "q=Litigation"));
    }

    [Fact]
    public async Task A_search_looks_back_92_days_and_is_bounded_to_as_many()
    {
        var now = host.Time.GetUtcNow();
        await Eventually.TrueAsync(async () => await FoundAsync(host.Admin, "q=identity") > 0, "the log has the first entries");

        Assert.Equal(0, await FoundAsync(host.Admin, $"q=identity&to={now.AddDays(-1):yyyy-MM-dd}T00:00:00Z"));
        Assert.True(await FoundAsync(host.Admin, $"q=identity&from={now.AddDays(-91):yyyy-MM-dd}T00:00:00Z") > 0);
        foreach (var (query, status) in new[] { ($"q=a&from={now.AddDays(-94):yyyy-MM-dd}T00:00:00Z", HttpStatusCode.BadRequest), ($"q=%20&from={now.AddDays(-94):yyyy-MM-dd}T00:00:00Z", HttpStatusCode.OK), ("q=a&from=2020-01-01T00:00:00Z&to=2020-04-01T00:00:00Z", HttpStatusCode.OK), ("q=a&to=0001-01-02T00:00:00Z", HttpStatusCode.OK) })
        {
            using var response = await host.Admin.GetAsync(new Uri($"/api/v1/audit/entries?{query}", UriKind.Relative));
            Assert.True(response.StatusCode == status, query);
        }
    }

    [Fact]
    public async Task Events_are_found_by_kind_text_and_node()
    {
        var customer = (await host.CreateCustomerAsync()).Id;
        using var cluster = await TestCluster.EnrollAsync(host, customer);
        await cluster.CheckInAsync(cluster.Health(), cluster.Event("a"));
        var (stranger, _) = await host.ClientWithTokenAsync((await host.CreateCustomerAsync("Stranger")).Id, "fleet:read");
        var path = $"/api/v1/fleet/clusters/{cluster.Id}/events";
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<EventItem>>($"{path}?q=NODE%20WAS&severity=warning"))!.Items.Count == 1, "the event is kept and found by its text");

        Assert.Equal("a", (await host.Admin.GetFromJsonAsync<Page<EventItem>>($"{path}?q=Node-Added"))!.Items.Single().Id);
        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<EventItem>>($"{path}?q=node%25added"))!.Items);
        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<EventItem>>($"{path}?q=node&severity=severe"))!.Items);
        using var foreign = await stranger.GetAsync(new Uri($"{path}?q=node", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
    }

    private static async Task<long> FoundAsync(HttpClient client, string query) => (await client.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?count=exact&{query}"))!.Total!.Value;
}
