using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using MissionControl.Portal.Sessions;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Signing in with a token: once, rate-limited, and over when the token is.</summary>
public sealed partial class SignInTests(PortalFixture portal)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Somebody_signs_in_and_comes_to_where_the_link_led(bool script)
    {
        await using var window = await portal.OpenStrangerAsync(script: script);
        await window.GoAsync("/clusters?health=red");
        await window.Page.GetByLabel("API token").FillAsync(portal.FleetToken);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        Assert.EndsWith("/clusters?health=red", window.Page.Url, StringComparison.Ordinal);

        await window.Page.GetByRole(AriaRole.Link, new() { Name = "Oslo" }).ClickAsync();
        await window.Page.GetByText("Disk /data of n1 has 5 % free.").First.WaitForAsync();

        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_wrong_token_is_refused_in_words_and_never_kept()
    {
        await using var window = await portal.OpenStrangerAsync();
        await window.GoAsync("/signin");
        await window.Page.GetByLabel("API token").FillAsync("mca_wrong");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await window.Page.GetByRole(AriaRole.Alert).GetByText("This token is not valid.").First.WaitForAsync();
        Window.AssertNothing(await window.AxeAsync());
        Assert.DoesNotContain("mca_wrong", window.Page.Url, StringComparison.Ordinal);
        Assert.DoesNotContain("mca_wrong", await window.Page.ContentAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(await window.Page.Context.CookiesAsync(), cookie => cookie.Name == "__Host-mc-session");
    }

    [Fact]
    public async Task Revoking_the_token_closes_the_pages_within_five_seconds()
    {
        var (client, token) = await portal.Host.ClientWithTokenAsync(null, "fleet:read");
        client.Dispose();

        // Without a script, which leaves such a page by itself and would cross what is opened here.
        await using var window = await portal.OpenAsync(token.Token, script: false);
        await window.GoAsync("/");
        var cookies = await window.Page.Context.CookiesAsync();
        Assert.DoesNotContain(cookies, cookie => cookie.Value.Contains(token.Token, StringComparison.Ordinal));

        // The zone is the browser's own to say, and nobody's secret.
        Assert.All(cookies, cookie => Assert.True(cookie is { Secure: true } && (cookie.HttpOnly || cookie.Name == "__Host-mc-zone")));

        using var revoked = await portal.Host.Admin.PostAsync(new Uri($"/api/v1/identity/tokens/{token.Id}/revoke", UriKind.Relative), null);
        revoked.EnsureSuccessStatusCode();
        var since = System.Diagnostics.Stopwatch.StartNew();
        await Eventually.TrueAsync(async () =>
        {
            await window.GoAsync("/");
            return window.Page.Url.Contains("/signin", StringComparison.Ordinal);
        }, "the session has ended");

        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Signing_out_ends_the_session_for_every_window()
    {
        var (client, token) = await portal.Host.ClientWithTokenAsync(null, "fleet:read");
        client.Dispose();
        await using var window = await portal.OpenAsync(token.Token, script: false);
        await using var other = await portal.OpenAsync(token.Token, script: false);
        await window.GoAsync("/");
        await window.Page.Locator("summary[title=You]").ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        Assert.Contains("/signin", window.Page.Url, StringComparison.Ordinal);

        await other.GoAsync("/clusters");

        Assert.Contains("/signin", other.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_of_another_site_changes_nothing_and_other_listeners_show_no_page()
    {
        using var browserLike = portal.Host.Client(portal.Host.Portal);
        using var forged = await browserLike.PostAsync(new Uri("/signin", UriKind.Relative), new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = portal.Host.AdminToken }));
        await using var window = await portal.OpenAsync();
        var form = window.Page.APIRequest.CreateFormData();
        form.Set("reason", "forged");
        var suspended = await window.Page.APIRequest.PostAsync(new Uri(portal.Host.Portal, $"/clusters/{portal.Red.Id}/suspend").ToString(), new APIRequestContextOptions { Form = form, MaxRedirects = 0 });
        using var plain = new HttpClient { BaseAddress = portal.Host.Operations };
        using var callHome = portal.Host.Client(portal.Host.CallHome);

        Assert.False(forged.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(cookie => cookie.StartsWith("__Host-mc-session", StringComparison.Ordinal)));
        Assert.Equal(400, suspended.Status);
        Assert.Contains("\"state\":\"active\"", await portal.Host.Admin.GetStringAsync($"/api/v1/callhome/clusters/{portal.Red.Id}"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await plain.GetAsync(new Uri("/signin", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await callHome.GetAsync(new Uri("/signin", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Guessing_is_slowed_down()
    {
        await using var host = await ControlPlane.StartAsync();
        using var guesser = host.Client(host.Portal);
        using var form = await guesser.GetAsync(new Uri("/signin", UriKind.Relative));
        var field = ForgeryField().Match(await form.Content.ReadAsStringAsync()).Groups[1].Value;
        guesser.DefaultRequestHeaders.Add("Cookie", form.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]));
        var answers = new List<HttpStatusCode>();
        for (var i = 0; i <= SignInLimit.TriesPerMinute; i++)
        {
            using var answer = await guesser.PostAsync(new Uri("/signin", UriKind.Relative), new FormUrlEncodedContent(new Dictionary<string, string> { ["__RequestVerificationToken"] = field, ["token"] = $"mca_{i}" }));
            answers.Add(answer.StatusCode);
        }

        Assert.All(answers[..SignInLimit.TriesPerMinute], answer => Assert.Equal(HttpStatusCode.UnprocessableEntity, answer));
        Assert.Equal(HttpStatusCode.TooManyRequests, answers[^1]);
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex ForgeryField();
}
