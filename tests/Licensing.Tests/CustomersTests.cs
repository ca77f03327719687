using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests;

public sealed class CustomersTests : IAsyncLifetime
{
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync();

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task A_change_names_the_version_it_was_made_from()
    {
        var customer = await host.CreateCustomerAsync();

        using var without = await ChangeAsync(customer.Id, null, new ChangeCustomerRequest(Name: "Beta"));
        using var good = await ChangeAsync(customer.Id, "\"1\"", new ChangeCustomerRequest(Name: "Beta"));
        using var late = await ChangeAsync(customer.Id, "\"1\"", new ChangeCustomerRequest(Name: "Gamma"));

        Assert.Equal(HttpStatusCode.PreconditionRequired, without.StatusCode);
        Assert.Equal("\"2\"", good.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.PreconditionFailed, late.StatusCode);
        Assert.Equal("Beta", (await host.Admin.GetFromJsonAsync<CustomerItem>($"/api/v1/licensing/customers/{customer.Id}"))!.Name);
    }

    [Fact]
    public async Task A_customer_says_what_its_reader_may_do_and_the_endpoint_agrees()
    {
        var customer = await host.CreateCustomerAsync();
        var (staff, _) = await host.ClientWithTokenAsync(null, "licensing:read");
        var (own, _) = await host.ClientWithTokenAsync(customer.Id, "licensing:read", "licensing:write");
        using var _1 = staff;
        using var _2 = own;
        const string staffOnly = "Only staff of the vendor changes customers.";

        Assert.Equal([("change", null), ("close", null), ("reopen", "It is active already.")], Actions(customer));
        Assert.Equal([("change", null), ("close", null), ("reopen", "It is active already.")], Actions((await host.Admin.GetFromJsonAsync<Page<CustomerItem>>("/api/v1/licensing/customers"))!.Items.Single(one => one.Id == customer.Id)));
        Assert.All(Actions((await staff.GetFromJsonAsync<CustomerItem>($"/api/v1/licensing/customers/{customer.Id}"))!), action => Assert.Equal("This needs the right licensing:write.", action.Reason));
        Assert.All(Actions((await own.GetFromJsonAsync<CustomerItem>($"/api/v1/licensing/customers/{customer.Id}"))!), action => Assert.Equal(staffOnly, action.Reason));
        using var theirs = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/licensing/customers/{customer.Id}") { Content = JsonContent.Create(new ChangeCustomerRequest(State: "closed")) };
        theirs.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        using var refused = await own.SendAsync(theirs);
        Assert.Equal((HttpStatusCode.Forbidden, staffOnly), (refused.StatusCode, (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Detail));

        using var closed = await ChangeAsync(customer.Id, "\"1\"", new ChangeCustomerRequest(State: "closed"));
        Assert.Equal([("change", null), ("close", "It is closed already."), ("reopen", null)], Actions((await closed.Content.ReadFromJsonAsync<CustomerItem>())!));

        // Asked for what is so already: nothing is different afterwards.
        using var again = await ChangeAsync(customer.Id, "\"2\"", new ChangeCustomerRequest(State: "closed"));
        Assert.Equal((HttpStatusCode.OK, 2L), (again.StatusCode, (await again.Content.ReadFromJsonAsync<CustomerItem>())!.Version));

        static IEnumerable<(string Name, string? Reason)> Actions(CustomerItem item) => item.Actions.Select(action => action.Allowed == action.Reason is null ? (action.Name, action.Reason) : default);
    }

    [Fact]
    public async Task A_request_without_its_members_is_refused_with_every_error_at_once()
    {
        using var response = await host.Admin.PostAsJsonAsync("/api/v1/licensing/customers", new { });

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Contains("name", text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("region", text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task No_cluster_can_be_enrolled_for_a_closed_customer()
    {
        var customer = await host.CreateCustomerAsync();
        await host.CreateEnrollmentTokenAsync(customer.Id);
        (await ChangeAsync(customer.Id, "\"1\"", new ChangeCustomerRequest(State: "closed"))).EnsureSuccessStatusCode();

        await Eventually.TrueAsync(async () =>
        {
            using var response = await host.Admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new { customerId = customer.Id });
            return response.StatusCode == HttpStatusCode.UnprocessableEntity && (await response.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Single().Code == "customer-closed";
        }, "callhome has learnt that the customer is closed");
    }

    [Fact]
    public async Task The_list_pages_by_name_without_losing_anybody()
    {
        for (var i = 0; i < 7; i++)
        {
            await host.CreateCustomerAsync($"Customer {i}");
        }

        var seen = new List<string>();
        var next = "/api/v1/licensing/customers?limit=2&count=exact";
        while (next is not null)
        {
            var page = await host.Admin.GetFromJsonAsync<Page<CustomerItem>>(next);
            seen.AddRange(page!.Items.Select(item => item.Name));
            next = page.Next;
        }

        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"Customer {i}"), seen);
    }

    [Theory]
    [InlineData("nordWIND", 1)]
    [InlineData("wind", 1)]
    [InlineData("_", 0)]
    [InlineData("%", 0)]
    public async Task A_customer_is_found_by_a_part_of_its_name_in_capitals_or_not(string q, int found)
    {
        await host.CreateCustomerAsync("NordWind Energie");
        await host.CreateCustomerAsync("Harbour Bank");

        var page = await host.Admin.GetFromJsonAsync<Page<CustomerItem>>($"/api/v1/licensing/customers?count=exact&q={Uri.EscapeDataString(q)}");

        Assert.Equal((found, (long?)found), (page!.Items.Count, page.Total));
    }

    private async Task<HttpResponseMessage> ChangeAsync(Guid id, string? match, ChangeCustomerRequest change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/licensing/customers/{id}") { Content = JsonContent.Create(change) };
        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        return await host.Admin.SendAsync(request);
    }
}
