using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Who looked at a customer, as the vendor's security officer and as the customer see it, in a real browser.</summary>
public sealed class AccessReviewTests(PortalFixture portal)
{
    [Fact]
    public async Task A_customers_page_says_whom_of_it_is_told_and_that_a_security_contact_is_missing()
    {
        var customer = (await portal.Host.CreateCustomerAsync("Fourth Coffee")).Id;
        var address = new Uri("/api/v1/notifications/contacts", UriKind.Relative);
        await Eventually.TrueAsync(async () =>
        {
            using var technical = await portal.Host.Admin.PostAsJsonAsync(address, new AddContactRequest(customer, "technical", "Tess Technical", "tess@fourth.example"));
            return technical.IsSuccessStatusCode;
        }, "notifications knows the customer");
        await using var window = await portal.OpenAsync();
        await window.GoAsync($"/customers/{customer}");
        await window.Page.GetByText("There is no security contact").WaitForAsync();
        await window.LookAsync("customer-without-security-contact");
        using var security = await portal.Host.Admin.PostAsJsonAsync(address, new AddContactRequest(customer, "security", "Sam Security", "sam@fourth.example"));
        security.EnsureSuccessStatusCode();
        await window.Page.ReloadAsync();
        await window.Page.GetByText("sam@fourth.example").WaitForAsync();

        await Assertions.Expect(window.Page.GetByText("There is no security contact")).ToHaveCountAsync(0);
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Who of the vendor looked at it" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Access review" }).WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_staff_opened_is_reviewed_and_signed_and_the_customer_sees_it(bool script)
    {
        await using var watch = await portal.OpenAsync(script: script);
        await watch.GoAsync($"/clusters/{portal.Red.Id}");
        await watch.GoAsync("/audit");
        await watch.Page.GetByRole(AriaRole.Link, new() { Name = "Access review", Exact = true }).ClickAsync();
        await Eventually.TrueAsync(async () =>
        {
            await watch.Page.ReloadAsync();
            return await watch.Page.GetByRole(AriaRole.Link, new() { Name = "Northwind Retail" }).CountAsync() > 0;
        }, "the look stands in the review");
        await watch.LookAsync("access-review", script);

        await watch.Page.GetByRole(AriaRole.Link, new() { Name = "last 7 days" }).ClickAsync();
        await watch.Page.GetByRole(AriaRole.Link, new() { Name = "Northwind Retail" }).First.ClickAsync();
        await watch.Page.GetByLabel("What did the review of these 7 days find?").FillAsync("  .");
        await watch.Page.GetByRole(AriaRole.Button, new() { Name = "Sign the review" }).ClickAsync();
        if (!script)
        {
            await watch.Page.GetByText("Say why, in 3 to 500 characters").WaitForAsync();
        }

        await watch.Page.GetByLabel("What did the review of these 7 days find?").FillAsync("Each look has its ticket");
        await watch.Page.GetByRole(AriaRole.Button, new() { Name = "Sign the review" }).ClickAsync();
        await watch.Page.GetByText("Signed the review.").WaitForAsync();
        await Eventually.TrueAsync(async () => (await watch.FetchAsync("/audit/access")).Text.Contains("Each look has its ticket", StringComparison.Ordinal), "the review is listed");

        await using var customer = await portal.OpenAsync(portal.CustomerToken, script: script);
        await customer.GoAsync("/audit/access");
        await customer.Page.GetByText("Who of the vendor looked at your clusters and data, and changed what").WaitForAsync();
        Assert.Equal(0, await customer.Page.GetByRole(AriaRole.Button, new() { Name = "Sign the review" }).CountAsync());
        await customer.LookAsync("access-review-of-a-customer", script);
        await customer.Page.Locator("td.n a").First.ClickAsync();
        await customer.Page.GetByRole(AriaRole.Heading, new() { Name = "Audit" }).WaitForAsync();
        await customer.LookAsync("audit-reads", script);
        Window.AssertNothing(watch.Violations.Concat(customer.Violations));
    }
}
