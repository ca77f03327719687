using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api.Platform;
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
    public async Task What_was_fetched_before_a_filter_was_chosen_does_not_take_its_place()
    {
        await using var window = await portal.OpenAsync();
        var (held, release, broken) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        window.Page.RequestFailed += (_, request) =>
        {
            if (request.Url.EndsWith("/events", StringComparison.Ordinal))
            {
                broken.TrySetResult();
            }
        };
        await window.Page.RouteAsync(url => url.EndsWith("/events", StringComparison.Ordinal), async route =>
        {
            // What the page fetches by itself once it is live; not the page.
            if (route.Request.Headers.ContainsKey("hx-request"))
            {
                held.TrySetResult();
                await release.Task;
            }

            await route.ContinueAsync();
        });
        await window.GoAsync($"/clusters/{portal.Red.Id}/events");
        await held.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await window.Page.Locator("#q").FillAsync("nothing is called so");
        await window.Page.GetByText("No event matches").WaitForAsync();
        var late = window.Page.WaitForResponseAsync(response => response.Url.EndsWith("/events", StringComparison.Ordinal));
        var again = window.Page.WaitForResponseAsync(response => response.Url.Contains("q=nothing", StringComparison.Ordinal));
        release.SetResult();

        // A change in the cluster may have made the page break off what is held back: then nothing late comes any more.
        if (await Task.WhenAny(late, broken.Task) == late)
        {
            await late;
            await again;
        }

        Assert.Equal(0, await window.Page.Locator("#list tbody tr").CountAsync());

        // A change in that moment takes the place of what is held back, and htmx says on the console that it broke that off.
        Window.AssertNothing(window.Violations.Where(violation => !violation.Contains("htmx:sendAbort", StringComparison.Ordinal) && !violation.Contains("htmx:afterRequest", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_filter_is_answered_whatever_the_page_fetches_by_itself_meanwhile()
    {
        await using var window = await portal.OpenAsync();
        var (held, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await window.Page.RouteAsync(url => url.Contains("q=nothing", StringComparison.Ordinal), async route =>
        {
            held.TrySetResult();
            await release.Task;
            await route.ContinueAsync();
        });
        // Once it is live it fetches all that it shows, a first time: that would mend what is looked for here.
        var live = window.Page.WaitForResponseAsync(response => response.Url.EndsWith("/events", StringComparison.Ordinal) && response.Request.Headers.ContainsKey("hx-request"));
        await window.GoAsync($"/clusters/{portal.Red.Id}/events");
        await live;
        await window.Page.Locator("#q").FillAsync("nothing is called so");
        await held.Task.WaitAsync(TimeSpan.FromSeconds(30));

        await window.Page.EvaluateAsync("() => new Promise(done => { document.addEventListener('htmx:afterOnLoad', event => event.target.id === 'refresh' && done()); htmx.trigger('#refresh', 'mc:changed'); })");
        release.SetResult();

        await window.Page.GetByText("No event matches").WaitForAsync();
        Assert.Equal(0, await window.Page.Locator("#list tbody tr").CountAsync());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Whoever_watches_a_parked_message_sees_how_others_deal_with_it()
    {
        var ids = await portal.ParkAsync("Applied while watched", null);
        await using var applied = await portal.OpenAsync();
        await using var givenUp = await portal.OpenAsync();
        foreach (var (window, id) in new[] { (applied, ids[0]), (givenUp, ids[1]) })
        {
            await window.GoAsync($"/system/parked/fleet/{id}");
            await window.Page.Locator("#live-state[data-state=live]").WaitForAsync();
        }

        await applied.Page.BringToFrontAsync();
        (await portal.Host.Admin.PostAsync(new Uri($"/api/v1/fleet/parked-messages/{ids[0]}/retry", UriKind.Relative), null)).EnsureSuccessStatusCode();
        await applied.Page.GetByRole(AriaRole.Heading, new() { Name = "It is not parked any more" }).WaitForAsync();
        Assert.Equal(0, await applied.Page.Locator("#retry, #give-up").CountAsync());
        Window.AssertNothing(await applied.AxeAsync());

        await givenUp.Page.BringToFrontAsync();
        (await portal.Host.Admin.PostAsJsonAsync($"/api/v1/fleet/parked-messages/{ids[1]}/give-up", new GiveUpRequest("nobody needs it"))).EnsureSuccessStatusCode();
        await givenUp.Page.GetByText("nobody needs it").First.WaitForAsync();
        Assert.Equal(0, await givenUp.Page.Locator("#give-up").CountAsync());

        // Who comes later is told that there is no such message.
        Assert.Equal(404, await applied.GoAsync($"/system/parked/fleet/{ids[0]}"));
        Window.AssertNothing(givenUp.Violations.Concat(applied.Violations));
    }

    [Fact]
    public async Task Whoever_watches_a_job_sees_it_run()
    {
        const string Job = "identity.purge-records";
        await using var window = await portal.OpenAsync();
        await window.GoAsync($"/system/jobs/identity/{Job}");
        await window.Page.Locator("#live-state[data-state=live]").WaitForAsync();

        (await portal.Host.Admin.PostAsJsonAsync($"/api/v1/identity/jobs/{Job}/run", new RunJobRequest("to be seen at once"))).EnsureSuccessStatusCode();

        var run = window.Page.Locator("#list tbody tr:has-text('to be seen at once')");
        await run.GetByText("Succeeded").WaitForAsync();
        await window.Page.Locator("#run").WaitForAsync();
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
