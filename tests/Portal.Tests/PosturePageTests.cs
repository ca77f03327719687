using Microsoft.Playwright;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>What is loose, from the summary to the page on which it is mended, in a real browser.</summary>
public sealed class PosturePageTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_loose_stands_first_with_what_to_do_and_leads_to_where_it_is_mended(bool script)
    {
        await using var window = await portal.OpenAsync(width: script ? 1280 : 390, theme: script ? ColorScheme.Light : ColorScheme.Dark, script: script);
        await window.GoAsync("/security/posture");
        await window.Page.Locator("#summary").GetByRole(AriaRole.Link, new() { Name = "The token of the first start is still good" }).ClickAsync();
        Assert.EndsWith("#bootstrap-token", window.Page.Url, StringComparison.Ordinal);
        await window.Page.Locator("#bootstrap-token").GetByText("it may do everything, and belongs to nobody").WaitForAsync();
        Assert.DoesNotContain("Northwind", string.Join(' ', await window.Page.Locator("section.panel").AllInnerTextsAsync()), StringComparison.Ordinal);
        await window.LookAsync("posture-vendor", script);

        // A customer's: its leak leads to the incident, and to the list of just these.
        await window.Page.GetByLabel("Of", new() { Exact = true }).SelectOptionAsync(portal.Customer.ToString());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Look", Exact = true }).ClickAsync();
        await window.Page.Locator("#summary").GetByText("the people and programs of Northwind Retail").WaitForAsync();
        Assert.Equal(0, await window.Page.Locator("#bootstrap-token").CountAsync());
        Assert.Contains("Programs whose owner is disabled", await window.Page.Locator("#passed").InnerTextAsync(), StringComparison.Ordinal);
        await window.LookAsync("posture-customer", script);
        var address = window.Page.Url;
        await window.Page.Locator("#leaks-open").GetByRole(AriaRole.Link, new() { Name = "All of them in their list" }).ClickAsync();
        Assert.Contains($"/leaks?state=open&customer={portal.Customer}", window.Page.Url, StringComparison.Ordinal);
        await window.Page.GotoAsync(address);
        await window.Page.Locator($"#leaks-open a[href='/leaks/{portal.Leak}']").ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Where it was found" }).WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_customers_reader_sees_its_own_and_chooses_no_other()
    {
        var (client, token) = await portal.Host.ClientWithTokenAsync(portal.Customer, "identity:read", "fleet:read");
        using var _ = client;
        await using var window = await portal.OpenAsync(token.Token, width: 390);
        await window.GoAsync("/security/posture");
        await window.Page.Locator("#summary").GetByText("your people and programs").WaitForAsync();
        Assert.Equal(0, await window.Page.GetByRole(AriaRole.Button, new() { Name = "Look", Exact = true }).CountAsync());
        Assert.Equal("/leaks?state=open", await window.Page.GetByRole(AriaRole.Link, new() { Name = "All of them in their list" }).GetAttributeAsync("href"));
        await window.GoAsync($"/security/posture?customer={portal.OtherCustomer}");
        Assert.Equal(0, await window.Page.Locator("#summary").CountAsync());
        Assert.DoesNotContain("Harbour", await window.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Whoever_may_not_see_people_is_told_which_right_is_missing()
    {
        await using var window = await portal.OpenAsync(portal.FleetToken);
        await window.GoAsync("/security/posture");
        await window.Page.GetByText("This needs the right identity:read.").First.WaitForAsync();
        Assert.Equal(0, await window.Page.GetByRole(AriaRole.Link, new() { Name = "Posture" }).CountAsync());
        Window.AssertNothing(window.Violations);
    }
}
