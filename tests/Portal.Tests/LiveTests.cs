using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Pages that change by themselves: one stream for all tabs, and nothing taken away from whoever is using it.</summary>
public sealed class LiveTests(PortalFixture portal)
{
    [Fact]
    public async Task A_change_reaches_every_tab_over_one_stream()
    {
        using var cluster = await TestCluster.EnrollAsync(portal.Host, portal.Customer, "Narvik");
        await cluster.CheckInAsync(cluster.Health());
        await Eventually.TrueAsync(async () => (await portal.Host.Admin.GetStringAsync($"/api/v1/fleet/clusters/{cluster.Id}")).Contains("\"green\"", StringComparison.Ordinal), "the cluster is green");
        await using var window = await portal.OpenAsync();
        var streams = 0;
        window.Page.Context.Request += (_, request) => streams += request.Url.Contains("/_changes", StringComparison.Ordinal) ? 1 : 0;
        await window.GoAsync($"/clusters/{cluster.Id}");
        await window.Page.Locator("#live-state[data-state=live]").WaitForAsync();
        var second = await window.Page.Context.NewPageAsync();
        await second.GotoAsync(new Uri(portal.Host.Portal, $"/clusters/{cluster.Id}").ToString());
        await second.Locator("#live-state[data-state=live]").WaitForAsync();

        await cluster.CheckInAsync(cluster.Health(bend: health => health.Nodes[0].Disks[0].ReadOnly = true));

        await second.BringToFrontAsync();
        await second.GetByText("Disk /data of n1 is read-only.").First.WaitForAsync();
        await window.Page.BringToFrontAsync();
        await window.Page.GetByText("Disk /data of n1 is read-only.").First.WaitForAsync();
        Assert.Equal(1, streams);
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task An_open_stream_does_not_hold_up_the_end_of_the_process()
    {
        var host = await ControlPlane.StartAsync();
        await using (host)
        {
            await using var context = await portal.Browser.NewContextAsync(new BrowserNewContextOptions { IgnoreHTTPSErrors = true });
            var page = await context.NewPageAsync();
            await page.GotoAsync(new Uri(host.Portal, "/").ToString());
            await page.GetByLabel("API token").FillAsync(host.AdminToken);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await page.Locator("#live-state[data-state=live]").WaitForAsync();
            var since = System.Diagnostics.Stopwatch.StartNew();

            await host.StopAsync();

            Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public async Task A_stream_says_only_that_something_changed_and_a_session_that_ended_ends_it()
    {
        var (client, token) = await portal.Host.ClientWithTokenAsync(null, "fleet:read");
        client.Dispose();
        await using var window = await portal.OpenAsync(token.Token);
        await window.GoAsync("/fleet");
        await window.Page.Locator("#live-state[data-state=live]").WaitForAsync();

        using var revoked = await portal.Host.Admin.PostAsync(new Uri($"/api/v1/identity/tokens/{token.Id}/revoke", UriKind.Relative), null);

        revoked.EnsureSuccessStatusCode();

        // Either the page says so, or it has gone to the sign-in already.
        await window.Page.Locator("#live-state[data-state=signedout], #token").First.WaitForAsync();
    }
}
