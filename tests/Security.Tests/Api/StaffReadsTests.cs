using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Security;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Api;

/// <summary>A customer finds in its own log who of the vendor looked at what of it.</summary>
public sealed class StaffReadsTests : IAsyncLifetime
{
    // Shortly before a full hour of a morning: two hours on it is still the same day.
    private readonly ManualTime time = new(new DateTimeOffset(DateTime.UtcNow.Date.AddDays(-1).AddHours(9.8), TimeSpan.Zero));
    private ControlPlane host = null!;
    private Guid customer;
    private HttpClient theirs = null!;
    private TestCluster cluster = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(time: time);
        customer = (await host.CreateCustomerAsync("Watched")).Id;
        (theirs, _) = await host.ClientWithTokenAsync(customer, "audit:read", "fleet:read");
        cluster = await TestCluster.EnrollAsync(host, customer);
        await Eventually.TrueAsync(async () => (await theirs.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
    }

    public async ValueTask DisposeAsync()
    {
        theirs.Dispose();
        cluster.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task What_staff_opens_stands_in_the_customers_log_once_an_hour_and_for_a_program_once_a_day()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "sue@vendor.example", "support-engineer");
        using var sue = await somebody.ApiAsync();

        foreach (var what in new[] { "", "/health", "/events", "", "/nodes" })
        {
            await OpenAsync(sue, $"/api/v1/fleet/clusters/{cluster.Id}{what}");
        }

        var read = Assert.Single(await ReadsAsync("fleet.cluster-read", 1));
        Assert.Equal(("staff", "cluster", cluster.Id, "success", "customer"), (read.ActorKind, read.TargetType, read.TargetId, read.Outcome, read.Log));
        Assert.StartsWith("person:", read.ActorId, StringComparison.Ordinal);
        Assert.Equal(Guid.Parse(cluster.Id), read.ClusterId);

        time.Advance(TimeSpan.FromMinutes(15));
        using var later = await somebody.ApiAsync();
        await OpenAsync(later, $"/api/v1/fleet/clusters/{cluster.Id}/health");
        await ReadsAsync("fleet.cluster-read", 2);

        await OpenAsync(host.Admin, $"/api/v1/fleet/clusters/{cluster.Id}");
        await ReadsAsync("fleet.cluster-read", 3);
        time.Advance(TimeSpan.FromHours(1));
        await OpenAsync(host.Admin, $"/api/v1/fleet/clusters/{cluster.Id}");
        time.Advance(TimeSpan.FromHours(24));
        await OpenAsync(host.Admin, $"/api/v1/fleet/clusters/{cluster.Id}");
        Assert.Equal(4, (await ReadsAsync("fleet.cluster-read", 4)).Count);
    }

    [Fact]
    public async Task A_list_that_is_narrowed_to_a_customer_is_a_look_at_it()
    {
        foreach (var (address, type) in new[]
        {
            ($"/api/v1/fleet/clusters?customer={customer}", "fleet.clusters-read"),
            ($"/api/v1/licensing/usage?customer={customer}", "licensing.usage-read"),
            ($"/api/v1/licensing/contracts?customer={customer}", "licensing.contracts-read"),
            ($"/api/v1/licensing/windows?cluster={cluster.Id}", "licensing.cluster-read"),
            ($"/api/v1/identity/people?customer={customer}", "identity.people-read"),
            ($"/api/v1/identity/posture?customer={customer}", "identity.posture-read"),
            ($"/api/v1/notifications/contacts?customer={customer}", "notifications.contacts-read"),
            ($"/api/v1/audit/entries?customer={customer}", "audit.entries-read"),
            ($"/api/v1/audit/access?customer={customer}", "audit.access-read"),
            ($"/api/v1/callhome/enrollment-tokens?customer={customer}", "callhome.enrollment-tokens-read"),
        })
        {
            await OpenAsync(host.Admin, address);
            Assert.Equal(customer, Assert.Single(await ReadsAsync(type, 1)).CustomerId);
        }
    }

    [Fact]
    public async Task What_a_customer_reads_itself_and_what_nobody_was_shown_leaves_nothing()
    {
        await OpenAsync(theirs, $"/api/v1/fleet/clusters/{cluster.Id}");
        await OpenAsync(theirs, $"/api/v1/fleet/clusters?customer={customer}");
        using var nothing = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{Guid.CreateVersion7()}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        using var refused = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/windows?cluster={cluster.Id}&state=lost", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);

        // Entries of one producer come in order: this one is the last.
        await OpenAsync(host.Admin, $"/api/v1/fleet/clusters/{cluster.Id}");
        await ReadsAsync("fleet.cluster-read", 1);
        Assert.DoesNotContain(await EntriesAsync("?kind=reads&limit=500"), entry => entry.Type is "fleet.clusters-read" or "licensing.cluster-read");
    }

    [Fact]
    public async Task A_list_over_customers_stands_in_the_log_of_the_operators_with_what_was_asked_and_shown()
    {
        using var sue = await (await SomebodySignedIn.InviteAsync(host, "sue@vendor.example", "support-engineer")).ApiAsync();
        var other = (await host.CreateCustomerAsync("Other")).Id;
        foreach (var address in new[] { "/api/v1/fleet/clusters?state=active&q=nobody", "/api/v1/licensing/customers?limit=2&sort=name", "/api/v1/licensing/usage?groupBy=customer", "/api/v1/licensing/customers?limit=2&sort=name" })
        {
            await OpenAsync(sue, address);
        }

        using (var file = new HttpRequestMessage(HttpMethod.Get, new Uri("/api/v1/fleet/clusters?state=active", UriKind.Relative)) { Headers = { { "Accept", "text/csv" } } })
        using (var answer = await sue.SendAsync(file))
        {
            Assert.Contains(cluster.Id, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        // Entries of one producer come in order: this one is the last, and what was asked twice stood before it.
        await OpenAsync(sue, $"/api/v1/fleet/clusters/{cluster.Id}");
        await ReadsAsync("fleet.cluster-read", 1);
        await Eventually.TrueAsync(async () => (await ToldAsync()).Count >= 4, "four questions are told");
        var told = await ToldAsync();
        Assert.Equal(["fleet/clusters /filter/state=active /count=0 /ids=[] q=nobody", $"licensing/customers /count=2 /ids={Ids(other, customer)}", "licensing/usage /filter/groupBy=customer /count=0 /ids=[]", $"fleet/clusters /filter/state=active /count=1 /ids={Ids(cluster.Id)}"], told);
        Assert.DoesNotContain(await EntriesAsync("?kind=reads&limit=500"), entry => entry.Type is "fleet.clusters-read" or "licensing.customers-read");

        static string Ids(params object[] ids) => $"[{string.Join(',', ids.Select(id => $"\"{id}\""))}]";
        async Task<IReadOnlyList<string>> ToldAsync()
        {
            var entries = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?log=operator&kind=reads&sort=occurredAt&limit=500"))!.Items.Where(entry => entry.ActorId.StartsWith("person:", StringComparison.Ordinal)).ToList();
            Assert.All(entries, entry => Assert.Equal(("operator", "list", null, "success"), (entry.Log, entry.TargetType, entry.CustomerId, entry.Outcome)));
            return [.. entries.Select(entry => $"{entry.TargetId} {string.Join(' ', entry.Entry.GetProperty("changes").EnumerateArray().Select(change => $"{change.GetProperty("path")}={change.GetProperty("value").GetRawText().Trim('"')}"))}{(entry.Entry.TryGetProperty("personal", out var personal) && personal.TryGetProperty("q", out var q) ? $" q={q}" : "")}")];
        }
    }

    [Fact]
    public async Task To_look_for_a_customer_that_there_is_not_makes_no_log()
    {
        var nobody = Guid.CreateVersion7();
        await OpenAsync(host.Admin, $"/api/v1/fleet/clusters?customer={nobody}");

        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?log=operator&kind=reads&type=fleet.clusters-read&limit=500"))!.Items.Any(entry => entry.TargetId == nobody.ToString()), "that somebody looked is told");
        Assert.DoesNotContain((await host.Admin.GetFromJsonAsync<Page<AuditLogItem>>("/api/v1/audit/logs?limit=500"))!.Items, log => log.CustomerId == nobody);
    }

    /// <summary>What has a row for each customer, or thing of one, says which rows it showed.</summary>
    [Fact]
    public void Whatever_lists_things_of_customers_says_which()
    {
        var silent = host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("GET") == true && endpoint.Metadata.GetMetadata<ListsCustomers>() is null && endpoint.RoutePattern.Parameters.Count == 0
                && endpoint.Metadata.OfType<IProducesResponseTypeMetadata>().Any(produced => produced.Type is { IsGenericType: true } page && page.GetGenericTypeDefinition() == typeof(Page<>)
                    && page.GetGenericArguments()[0].GetProperties().Any(property => property.Name is "CustomerId" or "ClusterId")))
            .Select(endpoint => endpoint.DisplayName);

        Assert.Empty(silent);
    }

    [Fact]
    public async Task The_review_sums_up_who_looked_and_changed_and_a_customer_sees_its_own()
    {
        var other = (await host.CreateCustomerAsync("Other")).Id;
        using var sue = await (await SomebodySignedIn.InviteAsync(host, "sue@vendor.example", "support-engineer")).ApiAsync();
        await OpenAsync(sue, $"/api/v1/fleet/clusters/{cluster.Id}");
        await OpenAsync(sue, $"/api/v1/callhome/clusters/{cluster.Id}");
        await OpenAsync(sue, $"/api/v1/licensing/customers/{other}");
        using var suspended = await sue.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/suspend", new { reason = "the walk says so" });
        Assert.Equal(HttpStatusCode.NoContent, suspended.StatusCode);
        await Eventually.TrueAsync(async () => (await ReviewAsync(theirs)).Items.Any(item => item is { Reads: 2, Changes: 1 } && item.ActorId.StartsWith("person:", StringComparison.Ordinal)), "two reads and a change are counted");

        Assert.All((await ReviewAsync(theirs)).Items, item => Assert.Equal(customer, item.CustomerId));
        await Eventually.TrueAsync(async () => (await ReviewAsync(host.Admin)).Items.Select(item => item.CustomerId).Distinct().Count() == 2, "staff sees both customers");
        Assert.Equal([other], (await ReviewAsync(host.Admin, $"?customer={other}")).Items.Select(item => item.CustomerId).Distinct());
        Assert.Empty((await ReviewAsync(theirs, $"?customer={other}")).Items);
        Assert.Empty((await ReviewAsync(host.Admin, $"?to={time.GetUtcNow().AddDays(-1):yyyy-MM-dd}&from={time.GetUtcNow().AddDays(-2):yyyy-MM-dd}")).Items);
        using var tooLong = await host.Admin.GetAsync(new Uri("/api/v1/audit/access?from=2020-01-01", UriKind.Relative));
        await Answers.RefusedAsync("unknown-parameter", tooLong, "a span of years");
    }

    [Fact]
    public async Task A_review_is_signed_for_a_period_that_has_ended_with_what_it_found()
    {
        var (from, to) = (time.GetUtcNow().AddDays(-30), time.GetUtcNow());
        using var signed = await host.Admin.PostAsJsonAsync("/api/v1/audit/access/reviews", new SignAccessReviewRequest(from, to, customer, "Two looks, both with a ticket"));
        Assert.Equal(HttpStatusCode.NoContent, signed.StatusCode);
        await Eventually.TrueAsync(async () => (await EntriesAsync("?type=audit.access-reviewed")).Any(entry => entry.Reason == "Two looks, both with a ticket"), "the customer finds the review in its log");

        foreach (var wrong in new[] { new SignAccessReviewRequest(to, from, customer, "the wrong way round"), new SignAccessReviewRequest(from, to.AddHours(1), customer, "not over yet"), new SignAccessReviewRequest(from, to, customer, " ") })
        {
            using var refused = await host.Admin.PostAsJsonAsync("/api/v1/audit/access/reviews", wrong);
            await Answers.RefusedAsync("invalid", refused, wrong.ToString());
        }

        var (writing, _) = await host.ClientWithTokenAsync(customer, "audit:write");
        using var others = await writing.PostAsJsonAsync("/api/v1/audit/access/reviews", new SignAccessReviewRequest(from, to, Guid.CreateVersion7(), "of somebody else"));
        await Answers.RefusedAsync("invalid", others, "another customer's");
        writing.Dispose();
    }

    /// <summary>Lists that are narrowed by a customer tell by themselves; what shows one thing of a customer says whose it is.</summary>
    [Fact]
    public void Whatever_shows_a_thing_of_one_customer_says_whose()
    {
        // What nobody has to be signed in for is of no customer.
        string[] ofTheVendorOrOnesOwn = ["parked-messages", "tasks", "incidents", "views", "federation", "me", "price-books", "plans"];
        var silent = host.Services.GetRequiredService<IEnumerable<EndpointDataSource>>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.TrimStart('/').StartsWith("api/v1/", StringComparison.Ordinal) && endpoint.RoutePattern.Parameters.Count > 0
                && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("GET") == true
                && endpoint.Metadata.GetMetadata<ShowsCustomer>() is null && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null && !ofTheVendorOrOnesOwn.Contains(endpoint.RoutePattern.RawText.TrimStart('/').Split('/')[3]))
            .Select(endpoint => endpoint.DisplayName);

        Assert.Empty(silent);
    }

    private static async Task OpenAsync(HttpClient client, string address)
    {
        // The key that signs a session's tokens reaches each role within a second.
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative))).StatusCode != HttpStatusCode.Unauthorized, "fleet knows the caller");
        using var response = await client.GetAsync(new Uri(address, UriKind.Relative));
        Assert.True(response.IsSuccessStatusCode, $"{address}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
    }

    private static async Task<AccessReview> ReviewAsync(HttpClient client, string query = "") => (await client.GetFromJsonAsync<AccessReview>($"/api/v1/audit/access{query}"))!;

    private async Task<IReadOnlyList<AuditEntryItem>> EntriesAsync(string query) => (await theirs.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries{query}"))!.Items;

    private async Task<IReadOnlyList<AuditEntryItem>> ReadsAsync(string type, int count)
    {
        await Eventually.TrueAsync(async () => (await EntriesAsync($"?kind=reads&type={type}")).Count >= count, $"{count} entries {type}");
        var entries = await EntriesAsync($"?kind=reads&type={type}");
        Assert.Equal(count, entries.Count);
        Assert.Empty(await EntriesAsync($"?kind=changes&type={type}"));
        return entries;
    }
}
