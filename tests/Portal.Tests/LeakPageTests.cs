using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>A token is found, reported, looked at and closed, in a real browser: by somebody who is not signed in, and by whoever keeps watch.</summary>
public sealed class LeakPageTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stranger_reports_a_token_and_whoever_keeps_watch_finds_it_dead_and_closes_it(bool script)
    {
        var (client, token) = await portal.Host.ClientWithTokenAsync(portal.Customer, "fleet:read");
        using var _ = client;
        await using var stranger = await portal.OpenStrangerAsync(script: script);
        await stranger.GoAsync("/signin");
        await stranger.Page.GetByRole(AriaRole.Link, new() { Name = "I found a token that leaked" }).ClickAsync();

        // What is no token is not sent on; what was pasted is never shown again, the place is.
        await ReportAsync(stranger, token.Token[..^1], "https://pastes.example/1?t=" + token.Token);
        await stranger.Page.GetByText("There is no whole token in what was pasted").WaitForAsync();
        Assert.Equal("", await stranger.Page.GetByLabel("The token").InputValueAsync());
        Assert.DoesNotContain(token.Token[17..], await stranger.Page.ContentAsync(), StringComparison.Ordinal);
        await stranger.LookAsync("leak-report-refused", script);
        await ReportAsync(stranger, $"export MC_TOKEN={token.Token} # of the nightly job", "https://pastes.example/1");
        await stranger.Page.GetByRole(AriaRole.Heading, new() { Name = "It is dead now" }).WaitForAsync();
        Assert.DoesNotContain(token.Token[17..], await stranger.Page.ContentAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await stranger.Page.GetByRole(AriaRole.Link, new() { Name = "Open the incident" }).CountAsync());
        await stranger.LookAsync("leak-reported", script);
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode == System.Net.HttpStatusCode.Unauthorized, "the token is dead");

        // From the list to the incident: who used it since, from where.
        await using var watch = await portal.OpenAsync(script: script);
        await watch.GoAsync($"/search?q=mca_{token.Id}");
        Assert.Equal(1, await watch.Page.GetByRole(AriaRole.Link, new() { Name = $"mca_{token.Id}" }).CountAsync());
        await watch.GoAsync("/");
        await watch.Page.GetByText("dead, and not closed by anybody yet").ClickAsync();
        await Eventually.TrueAsync(async () => (await watch.FetchAsync("/leaks?state=open")).Text.Contains($"mca_{token.Id}", StringComparison.Ordinal), "it is listed");
        await watch.Page.GetByRole(AriaRole.Link, new() { Name = $"mca_{token.Id}" }).ClickAsync();
        await Eventually.TrueAsync(async () =>
        {
            await watch.Page.ReloadAsync();
            return await watch.Page.GetByText("Somebody used it, or tried to, after it was reported.").CountAsync() == 1;
        }, "the use since is known");
        Assert.Contains("https://pastes.example/1", await watch.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await watch.Page.Locator("main a[href*='pastes.example']").CountAsync());
        Assert.Equal(1, await watch.Page.GetByRole(AriaRole.Link, new() { Name = "Northwind Retail" }).CountAsync());
        await watch.LookAsync("leak-open", script);

        await watch.Page.GetByLabel("Because").SelectOptionAsync("contained");
        await watch.Page.GetByLabel("What was done?").FillAsync("the job has a new one");
        await watch.Page.GetByRole(AriaRole.Button, new() { Name = "Close this incident" }).ClickAsync();
        await watch.Page.GetByText("Closed the incident.").WaitForAsync();
        Assert.Equal(0, await watch.Page.GetByRole(AriaRole.Button, new() { Name = "Close this incident" }).CountAsync());
        await watch.LookAsync("leak-closed", script);
        Window.AssertNothing(stranger.Violations.Concat(watch.Violations));
    }

    [Fact]
    public async Task Somebody_who_is_signed_in_is_led_to_the_incident_and_a_form_of_before_changes_nothing_unseen()
    {
        var (_, token) = await portal.Host.ClientWithTokenAsync(null, "fleet:read");
        await using var watch = await portal.OpenAsync();
        await watch.GoAsync("/leaks");
        await watch.Page.GetByRole(AriaRole.Link, new() { Name = "Report a token" }).ClickAsync();
        await ReportAsync(watch, token.Token, null);
        await watch.Page.GetByRole(AriaRole.Link, new() { Name = "Open the incident" }).ClickAsync();
        await watch.Page.GetByText("none: it could act for the vendor").WaitForAsync();

        // It is found elsewhere while the form is open.
        using var again = await portal.Host.Admin.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(token.Token, "https://pastes.example/2"));
        again.EnsureSuccessStatusCode();
        await watch.Page.GetByLabel("What was done?").FillAsync("it was only a test");
        await watch.Page.GetByRole(AriaRole.Button, new() { Name = "Close this incident" }).ClickAsync();
        await watch.Page.GetByText("It has changed since you read it").WaitForAsync();
        Assert.Equal("it was only a test", await watch.Page.GetByLabel("What was done?").InputValueAsync());
        await watch.Page.GetByText("https://pastes.example/2").WaitForAsync();
        Window.AssertNothing(watch.Violations);
    }

    private static async Task ReportAsync(Window window, string text, string? place)
    {
        if (!window.Page.Url.Contains("/leaks/report", StringComparison.Ordinal))
        {
            await window.GoAsync("/leaks/report");
        }

        await window.Page.GetByLabel("The token").FillAsync(text);
        await window.Page.GetByLabel("Where was it?").FillAsync(place ?? "");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Report it" }).ClickAsync();
    }
}
