using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Pages offer what the API says that their reader may do now, and say why not where somebody asks for more.</summary>
public sealed class ActionsTests(PortalFixture portal)
{
    [Fact]
    public async Task A_cluster_offers_the_switches_that_its_state_allows_and_says_why_not_the_others()
    {
        using var cluster = await TestCluster.EnrollAsync(portal.Host, portal.Customer, "Alta");
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative))).IsSuccessStatusCode, "fleet knows the cluster");
        await using var window = await portal.OpenAsync(script: false);
        var offered = window.Page.Locator("#cluster-head .tools a");

        await window.GoAsync($"/clusters/{cluster.Id}");
        Assert.Equal(["Suspend", "Decommission"], await offered.AllInnerTextsAsync());
        await window.GoAsync($"/clusters/{cluster.Id}/resume");
        await window.Page.GetByText("The cluster is active; it cannot be resumed.").WaitForAsync();
        Assert.Equal(0, await window.Page.Locator("#confirm form").CountAsync());

        await window.GoAsync($"/clusters/{cluster.Id}/decommission");
        await window.Page.GetByLabel("Why?").FillAsync("the hall is closed");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Decommission" }).ClickAsync();
        await window.Page.GetByText("Decommissioned the cluster.").First.WaitForAsync();

        // At once, although fleet may hear of it a moment later.
        Assert.Empty(await offered.AllInnerTextsAsync());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Whoever_may_not_switch_a_cluster_is_told_which_right_is_missing()
    {
        await using var window = await portal.OpenAsync(portal.CustomerToken);
        await window.GoAsync($"/clusters/{portal.Red.Id}/suspend");

        await window.Page.GetByText("This needs the right callhome:write.").WaitForAsync();
        Assert.Equal(0, await window.Page.Locator("#confirm form").CountAsync());
        await window.GoAsync($"/customers/{portal.Customer}");
        Assert.Equal(0, await window.Page.Locator("main form button[name=act]").CountAsync());
        Window.AssertNothing((await window.AxeAsync()).Concat(window.Violations));
    }

    [Fact]
    public async Task A_customer_is_closed_and_opened_again()
    {
        var customer = await portal.Host.CreateCustomerAsync("Short Lived");
        await using var window = await portal.OpenAsync(script: false);
        await window.GoAsync($"/customers/{customer.Id}");
        var buttons = window.Page.Locator("main form button[name=act]");
        Assert.Equal(["Save", "Close customer"], await buttons.AllInnerTextsAsync());

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Close customer" }).ClickAsync();
        await window.Page.GetByText("Closed Short Lived.").First.WaitForAsync();
        Assert.Equal(["Save", "Open again"], await buttons.AllInnerTextsAsync());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Open again" }).ClickAsync();
        await window.Page.GetByText("Opened Short Lived again.").First.WaitForAsync();
        Window.AssertNothing(window.Violations);
    }
}
