using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Http;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>What belongs to a person and not to a browser, in real browsers: the sessions, which an administrator ends, and how pages look.</summary>
public sealed class OwnLooksJourneyTests(PortalFixture portal) : IAsyncLifetime
{
    private ControlPlane host = null!;
    private Forwarder api = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" });
        api = await Forwarder.StartAsync(host.Operations);
        host.Services.GetRequiredService<ApiAddress>().Value = api.Address;
    }

    public async ValueTask DisposeAsync()
    {
        await api.DisposeAsync();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task An_administrator_ends_one_session_of_somebody_and_that_browser_is_outside()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator");
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        using var graces = await grace.ApiAsync();
        var id = (await graces.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;
        await using var lost = await portal.OpenAsSomebodyAsync(grace, host.Portal, "/clusters");
        await using var window = await portal.OpenAsSomebodyAsync(ada, host.Portal, $"/people/{id}");

        var sessions = window.Page.Locator("section", new() { HasText = "Browsers that this person is signed in with" });
        Assert.Equal(2, await sessions.Locator("tbody tr").CountAsync());
        await sessions.GetByText("password and recovery code").WaitForAsync();
        await window.LookAsync("person-sessions");
        await sessions.GetByRole(AriaRole.Button, new() { Name = "End Chrome on Linux" }).ClickAsync();
        await window.Page.GetByText("That browser is signed out").WaitForAsync();
        Assert.Equal(1, await sessions.Locator("tbody tr").CountAsync());
        await Eventually.TrueAsync(async () => (await lost.FetchAsync("/clusters")).Text.Contains("Sign in to Mission Control", StringComparison.Ordinal), "the browser is signed out", TimeSpan.FromSeconds(5));
        Assert.NotNull(await grace.TradeAsync());

        await window.GoAsync("/me");
        await window.Page.GetByText("– this one").WaitForAsync();
        await window.LookAsync("me-sessions");
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task What_somebody_chose_follows_into_the_next_browser_is_cleared_there_too_and_is_nobody_elses()
    {
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        var bo = await SomebodySignedIn.InviteAsync(host, "bo@vendor.example", "viewer");
        using var theirs = await grace.ApiAsync();
        await using var first = await portal.OpenAsSomebodyAsync(grace, host.Portal, "/preferences");
        await first.Page.GetByLabel("Time zone").SelectOptionAsync("Asia/Kathmandu");
        await first.Page.Locator("#theme").SelectOptionAsync("dark");
        await first.Page.GetByRole(AriaRole.Button, new() { Name = "Apply" }).ClickAsync();
        await first.Page.Locator("html[data-bs-theme=dark]").WaitForAsync();
        await first.Page.Locator("#looks").ClickAsync();
        await first.Page.GetByRole(AriaRole.Button, new() { Name = "Compact" }).ClickAsync();
        await first.Page.Locator("html[data-density=compact]").WaitForAsync();
        await first.GoAsync("/keys");
        await first.Page.Locator("#keys-switch").ClickAsync();
        await first.Page.GetByText("Short cuts are off").WaitForAsync();
        await first.LookAsync("keys-off");

        // Another browser has all of it from its first page on, and asks for it no more.
        await using var second = await portal.OpenAsSomebodyAsync(grace, host.Portal, "/keys", code: 1);
        await second.Page.Locator("html[data-bs-theme=dark][data-density=compact] #looks", new() { HasText = "Kathmandu" }).WaitForAsync();
        await second.Page.GetByText("Short cuts are off").WaitForAsync();
        var asked = Asked();
        await second.GoAsync("/preferences");
        await second.GoAsync("/");
        Assert.Equal(asked, Asked());

        // What is cleared in one is cleared in the other, at its next sign-in.
        await second.Page.Locator("#looks").ClickAsync();
        await second.Page.GetByRole(AriaRole.Button, new() { Name = "As the system" }).ClickAsync();
        await second.Page.Locator("html:not([data-bs-theme])").WaitForAsync();
        await SignInAgainAsync(first, grace, 2);
        await first.Page.Locator("html:not([data-bs-theme])[data-density=compact]").WaitForAsync();

        // Who never chose anything keeps what the browser had.
        await SignInAgainAsync(first, bo, 0);
        await first.Page.Locator("html[data-density=compact]").WaitForAsync();
        using var bos = await bo.ApiAsync();
        Assert.Null((await PreferencesAsync(bos)).ChangedAt);

        // The first window shows a page that brings itself up to date, which says so when identity is silent: its account ends here.
        Window.AssertNothing(first.Violations);

        // What identity cannot be told holds in this browser, and that is said; the next choice tells it all.
        using (api.Silence("identity"))
        {
            await second.Page.Locator("#looks").ClickAsync();
            await second.Page.GetByRole(AriaRole.Button, new() { Name = "Light" }).ClickAsync();
            await second.Page.GetByText("The choice holds in this browser").WaitForAsync();
            await second.Page.Locator("html[data-bs-theme=light]").WaitForAsync();
            await second.LookAsync("looks-silent");
        }

        Assert.Null((await PreferencesAsync(theirs)).Theme);
        await second.GoAsync("/");
        await second.Page.Locator("#looks").ClickAsync();
        await second.Page.GetByRole(AriaRole.Button, new() { Name = "Cosy" }).ClickAsync();
        await second.Page.Locator("html[data-bs-theme=light]:not([data-density])").WaitForAsync();
        var kept = await PreferencesAsync(theirs);
        Assert.Equal(new PreferencesItem("light", null, "Asia/Kathmandu", false, true, kept.ChangedAt), kept);
    }

    private static async Task<PreferencesItem> PreferencesAsync(HttpClient api) => (await api.GetFromJsonAsync<PreferencesItem>("/api/v1/identity/me/preferences"))!;

    private static async Task SignInAgainAsync(Window window, SomebodySignedIn somebody, int code)
    {
        await window.Page.Locator("summary[title=You]").ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await window.Page.GetByText("With mail address and password").ClickAsync();
        await window.Page.GetByLabel("Mail address").FillAsync(somebody.Email);
        await window.Page.GetByLabel("Password").FillAsync(SomebodySignedIn.Password);
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(somebody.RecoveryCodes[code]);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).Last.ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();
    }

    private int Asked() => api.Asked.Count(path => path.EndsWith("/me/preferences", StringComparison.Ordinal));
}
