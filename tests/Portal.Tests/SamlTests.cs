using System.Net;
using System.Net.Http.Json;
using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Sign-in by an identity provider that speaks SAML in a real browser, from the first page to the last; the host is each test's own.</summary>
public sealed class SamlTests(PortalFixture portal) : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private readonly Uri address = new($"https://localhost:{Ports.Free()}");
    private SamlIdentityProvider peer = null!;
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        // Another site than the portal's, as at a customer's: what it posts brings no Lax cookie along.
        peer = new SamlIdentityProvider(authority, "127.0.0.1");
        host = await ControlPlane.StartAsync(portal: new Uri($"https://127.0.0.1:{address.Port}"), configuration: new Dictionary<string, string?>
        {
            ["Api:RequestsPerMinute"] = "1000000",
            ["Identity:PortalAddress"] = address.ToString(),
            ["Identity:CustomerNetworks:0"] = "127.0.0.0/8",
            ["Identity:CaFile"] = authority.CaFile,
            ["Identity:Providers:0:Id"] = "corp",
            ["Identity:Providers:0:Name"] = "Vendor accounts",
            ["Identity:Providers:0:Kind"] = "saml",
            ["Identity:Providers:0:MetadataFile"] = peer.MetadataFile,
            ["Identity:Providers:0:RequiredAcr"] = "urn:test:mfa",
            ["Identity:Providers:0:Roles:viewers"] = "viewer",
        });
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await peer.DisposeAsync();
        authority.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Staff_signs_in_by_SAML_and_comes_to_where_it_wanted(bool script)
    {
        await StartAsync("corp");
        await peer.KeepAsync(new SamlAccount("G-0001", "Grace Hopper", "grace@vendor.example", ["viewers"], "urn:test:mfa"));
        await using var window = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await window.GoAsync("/clusters?health=red");
        await AtProviderAsync(window, "Sign in with Vendor accounts", "G-0001");
        await window.ArriveAsync("Clusters", peer.Errors);
        Assert.Equal(new Uri(host.Portal, "/clusters?health=red").ToString(), window.Page.Url);
        var cookies = await window.Page.Context.CookiesAsync();
        Assert.DoesNotContain(cookies, cookie => cookie.Name is "__Host-mc-saml" or "__Host-mc-signin");
        var session = Assert.Single(cookies, cookie => cookie.Name == "__Host-mc-session");
        Assert.Equal(SameSiteAttribute.Lax, session.SameSite);
        await window.GoAsync("/me");
        await window.Page.GetByText("grace@vendor.example").First.WaitForAsync();
        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_second_factor_that_the_assertion_does_not_prove_is_set_up_on_the_way(bool script)
    {
        await StartAsync("corp");
        await peer.KeepAsync(new SamlAccount("joan", "Joan Clarke", "joan@vendor.example", ["viewers"]));
        await using var window = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await window.GoAsync("/signin?returnUrl=%2Ffleet");
        await AtProviderAsync(window, "Sign in with Vendor accounts", "joan");
        await window.ArriveAsync("One thing more", peer.Errors);
        var joan = new SomebodySignedIn(host, "") { Secret = await window.Page.Locator("#totp-key").InnerTextAsync() };
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(joan.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set it up and sign in" }).ClickAsync();
        Assert.Equal(10, await window.Page.Locator("#recovery-codes code").CountAsync());
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "I have kept them" }).ClickAsync();
        await window.ArriveAsync("Today", peer.Errors);
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task An_answer_in_another_browser_a_second_time_or_without_end_opens_nothing_and_the_cookie_is_this_attempts_alone()
    {
        await StartAsync("corp");
        await peer.KeepAsync(new SamlAccount("G-0001", "Grace Hopper", null, ["viewers"], "urn:test:mfa"));
        using var browser = host.Client(host.Portal);
        using var begun = await browser.GetAsync(new Uri("/signin/corp/begin?returnUrl=https://evil.example/", UriKind.Relative));
        var cookie = Assert.Single(begun.Headers.GetValues("Set-Cookie"), text => text.StartsWith("__Host-mc-saml=", StringComparison.Ordinal)).ToLowerInvariant();
        Assert.All(new[] { "httponly", "secure", "samesite=none", "path=/;", "expires=" }, part => Assert.Contains(part, cookie, StringComparison.Ordinal));

        // Another site's page that leads somebody here does not sign them in as whom it chose: they are asked first.
        foreach (var (site, isAsked) in new[] { ("cross-site", true), ("same-site", true), ("same-origin", false), ("none", false) })
        {
            using var led = new HttpRequestMessage(HttpMethod.Get, new Uri("/signin/corp/begin", UriKind.Relative));
            led.Headers.Add("Sec-Fetch-Site", site);
            using var shown = await browser.SendAsync(led);
            Assert.Equal((site, isAsked ? HttpStatusCode.OK : HttpStatusCode.Redirect), (site, shown.StatusCode));
            Assert.NotEqual(isAsked, shown.Headers.Contains("Set-Cookie"));
        }

        var held = Assert.Single(begun.Headers.GetValues("Set-Cookie"), text => text.StartsWith("__Host-mc-saml=", StringComparison.Ordinal)).Split(';')[0];
        var post = await peer.SignInAsync(begun.Headers.Location!.ToString(), "G-0001");

        // Login CSRF: posted by a page of another site in somebody else's browser, which holds nothing or another attempt's secret.
        using var other = await browser.GetAsync(new Uri("/signin/corp/begin", UriKind.Relative));
        var others = Assert.Single(other.Headers.GetValues("Set-Cookie"), text => text.StartsWith("__Host-mc-saml=", StringComparison.Ordinal)).Split(';')[0];
        foreach (var (carried, state, response) in new[] { (null, post.RelayState, post.Response), (others, post.RelayState, post.Response), (held, "https://evil.example/", post.Response), (held, post.RelayState, new string('A', 380_000)), (held, "", "") })
        {
            using var refused = await PostAsync(browser, carried, state, response);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.DoesNotContain("__Host-mc-session", Cookies(refused), StringComparison.Ordinal);
        }

        // The right browser, also with a session of somebody else in it; it stays on this site, and then that was it.
        using var opened = await PostAsync(browser, $"{held}; __Host-mc-session=fixed-by-an-attacker", post.RelayState, post.Response);
        Assert.Equal((HttpStatusCode.Redirect, "/"), (opened.StatusCode, opened.Headers.Location!.ToString()));
        Assert.Contains("__Host-mc-session=", Cookies(opened), StringComparison.Ordinal);
        Assert.DoesNotContain("fixed-by-an-attacker", Cookies(opened), StringComparison.Ordinal);
        using var again = await PostAsync(browser, held, post.RelayState, post.Response);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, again.StatusCode);
        using var json = await browser.PostAsJsonAsync("/signin/corp/acs", new { post.RelayState });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, json.StatusCode);
    }

    [Fact]
    public async Task A_customers_administrator_pastes_metadata_tests_it_and_its_people_sign_in()
    {
        var customer = (await host.CreateCustomerAsync("Northwind Retail")).Id;
        var administrator = await SomebodySignedIn.InviteAsync(host, "ada@northwind.example", "customer-administrator", customer);
        await using var window = await portal.OpenAsSomebodyAsync(administrator, host.Portal, "/people/providers");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "By SAML 2.0" }).ClickAsync();
        await window.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Northwind");
        await window.Page.GetByLabel("Or the metadata itself").FillAsync("<nothing/>");
        await window.Page.GetByLabel("Groups and roles").FillAsync("ops = customer-administrator\n* = customer-viewer");
        await window.Page.GetByLabel("Proof of a second factor: AuthnContextClassRef").FillAsync("urn:test:mfa");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await window.Page.GetByText("This is no SAML metadata").First.WaitForAsync();
        await window.LookAsync("saml-refused");
        await window.Page.GetByLabel("Or the metadata itself").FillAsync(await File.ReadAllTextAsync(peer.MetadataFile));
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Authenticator.AddAsync(window, administrator.Passkey);
        await window.Page.GetByText("It signs by the certificate").WaitForAsync();
        await window.LookAsync("saml-confirm");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await window.Page.GetByText("Register the addresses below").WaitForAsync();
        var id = new Uri(window.Page.Url).Segments[^1];
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Test the connection" }).ClickAsync();
        await window.Page.GetByText("The provider can be used", new() { Exact = true }).WaitForAsync();
        await window.LookAsync("saml-tested");

        await StartAsync(id);
        await peer.KeepAsync(new SamlAccount("lin", "Lin", "lin@northwind.example", ["ops"], "urn:test:mfa"));
        await using var other = await portal.OpenStrangerAsync(script: false, at: host.Portal);
        await other.GoAsync($"/signin/{id}");
        await AtProviderAsync(other, "Sign in with Northwind", "lin");
        await other.ArriveAsync("Today", peer.Errors);
        Window.AssertNothing(window.Violations.Concat(other.Violations));
    }

    private static string Cookies(HttpResponseMessage answer) => string.Join(' ', answer.Headers.Where(header => header.Key == "Set-Cookie").SelectMany(header => header.Value));

    private static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string? cookie, string state, string response)
    {
        using var form = new HttpRequestMessage(HttpMethod.Post, "/signin/corp/acs") { Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["SAMLResponse"] = response, ["RelayState"] = state }) };
        form.Headers.Add("Origin", "https://evil.example");
        if (cookie is not null)
        {
            form.Headers.Add("Cookie", cookie);
        }

        return await browser.SendAsync(form);
    }

    private static async Task AtProviderAsync(Window window, string link, string login)
    {
        await window.Page.GetByRole(AriaRole.Link, new() { Name = link }).ClickAsync();
        await window.Page.GetByLabel("Login").FillAsync(login);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in there" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
    }

    private async Task StartAsync(string provider)
    {
        using var anonymous = host.Client(host.Portal);
        await peer.StartAsync(await anonymous.GetStringAsync(new Uri($"/api/v1/identity/federation/{provider}/metadata", UriKind.Relative)));
    }
}
