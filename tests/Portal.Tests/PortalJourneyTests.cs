using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Real Chromium against the real host over TLS.</summary>
public sealed class PortalJourneyTests : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";
    private readonly List<string> violations = [];
    private ControlPlane host = null!;
    private IPlaywright playwright = null!;
    private IBrowser browser = null!;
    private TestCluster cluster = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync();
        var customer = await host.CreateCustomerAsync();
        cluster = await TestCluster.EnrollAsync(host, customer.Id, "Oslo");
        await cluster.CheckInAsync(cluster.Health(bend: health => health.Nodes[0].Disks[0].UsedBytes = (long)(health.Nodes[0].Disks[0].TotalBytes * 0.95)), cluster.Event("e1"));
        await Eventually.TrueAsync(async () => (await host.Admin.GetStringAsync("/api/v1/fleet/clusters")).Contains("\"red\""), "the cluster is red");
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"] });
    }

    public async ValueTask DisposeAsync()
    {
        cluster.Dispose();
        await browser.DisposeAsync();
        playwright.Dispose();
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light, true)]
    [InlineData(390, ColorScheme.Dark, true)]
    [InlineData(320, ColorScheme.Light, true)]
    [InlineData(1280, ColorScheme.Dark, false)]
    public async Task Somebody_signs_in_sees_what_is_wrong_and_why_with_and_without_script(int width, ColorScheme theme, bool script)
    {
        await using var context = await ContextAsync(width, theme, script);
        var page = await PageAsync(context);

        await page.GotoAsync(new Uri(host.Portal, "/clusters?health=red").ToString());
        await page.GetByLabel("API token").FillAsync(host.AdminToken);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        Assert.EndsWith("/clusters?health=red", page.Url);
        await CheckAsync(page, script);
        await page.GetByRole(AriaRole.Link, new() { Name = "Oslo" }).ClickAsync();
        await page.GetByText("Disk /data of n1 has 5 % free.").First.WaitForAsync();
        await page.GetByText("Do:").First.WaitForAsync();
        await CheckAsync(page, script);
        await page.GetByRole(AriaRole.Link, new() { Name = "Today" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Needs attention" }).WaitForAsync();
        await CheckAsync(page, script);

        Assert.Empty(violations);
    }

    [Fact]
    public async Task A_wrong_token_is_refused_in_words_and_never_kept()
    {
        await using var context = await ContextAsync(1280, ColorScheme.Light, true);
        var page = await PageAsync(context);
        await page.GotoAsync(new Uri(host.Portal, "/signin").ToString());

        await page.GetByLabel("API token").FillAsync("mca_wrong");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await page.GetByRole(AriaRole.Alert).GetByText("This token is not valid.").WaitForAsync();
        Assert.DoesNotContain("mca_wrong", page.Url);
        Assert.DoesNotContain("mca_wrong", await page.ContentAsync());
        Assert.DoesNotContain(await context.CookiesAsync(), cookie => cookie.Name == "__Host-mc-session");
    }

    [Fact]
    public async Task Revoking_the_token_closes_the_pages_within_five_seconds()
    {
        var (client, token) = await host.ClientWithTokenAsync(null, "fleet:read");
        client.Dispose();
        await using var context = await ContextAsync(1280, ColorScheme.Light, true);
        var page = await PageAsync(context);
        await page.GotoAsync(new Uri(host.Portal, "/").ToString());
        await page.GetByLabel("API token").FillAsync(token.Token);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();
        var cookies = await context.CookiesAsync();
        Assert.DoesNotContain(cookies, cookie => cookie.Value.Contains(token.Token, StringComparison.Ordinal));
        Assert.All(cookies, cookie => Assert.True(cookie is { HttpOnly: true, Secure: true }));

        using var revoked = await host.Admin.PostAsync(new Uri($"/api/v1/identity/tokens/{token.Id}/revoke", UriKind.Relative), null);
        revoked.EnsureSuccessStatusCode();
        var since = System.Diagnostics.Stopwatch.StartNew();
        await Eventually.TrueAsync(async () =>
        {
            await page.GotoAsync(new Uri(host.Portal, "/").ToString());
            return page.Url.Contains("/signin", StringComparison.Ordinal);
        }, "the session has ended");

        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_form_of_another_site_changes_nothing_and_other_listeners_show_no_page()
    {
        using var browserLike = host.Client(host.Portal);
        using var forged = await browserLike.PostAsync(new Uri("/signin", UriKind.Relative), new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = host.AdminToken }));
        using var plain = new HttpClient { BaseAddress = host.Operations };
        using var callHome = host.Client(host.CallHome);

        Assert.False(forged.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(cookie => cookie.StartsWith("__Host-mc-session", StringComparison.Ordinal)));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await plain.GetAsync(new Uri("/signin", UriKind.Relative))).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await callHome.GetAsync(new Uri("/signin", UriKind.Relative))).StatusCode);
    }

    private Task<IBrowserContext> ContextAsync(int width, ColorScheme theme, bool script) => browser.NewContextAsync(
        new BrowserNewContextOptions { IgnoreHTTPSErrors = true, ViewportSize = new ViewportSize { Width = width, Height = 900 }, ColorScheme = theme, JavaScriptEnabled = script });

    private async Task<IPage> PageAsync(IBrowserContext context)
    {
        var page = await context.NewPageAsync();
        page.Console += (_, message) =>
        {
            // A refused page (422) is logged by the browser itself; violations of the content policy are ours.
            if (message.Text.Contains("Content Security Policy", StringComparison.Ordinal))
            {
                violations.Add(message.Text);
            }
        };
        return page;
    }

    private static async Task CheckAsync(IPage page, bool script)
    {
        Assert.EndsWith("Mission Control", await page.TitleAsync());
        if (script)
        {
            Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"), $"{page.Url} scrolls sideways");
        }
    }
}
