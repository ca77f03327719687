using System.Net;
using Microsoft.Playwright;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Portal.Tests;

/// <summary>Sign-in by a certified OpenID provider in a real browser, from the first page to the last; the host is each test's own.</summary>
public sealed class FederationTests(PortalFixture portal) : IAsyncLifetime
{
    private const string Secret = "a secret of two";
    private readonly TestAuthority authority = new();
    private readonly Uri address = new($"https://localhost:{Ports.Free()}");
    private OpenIdProvider peer = null!;
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        // Another site than the portal's, as at a customer's.
        peer = new OpenIdProvider(authority, "127.0.0.1");
        var secret = Path.Combine(Path.GetDirectoryName(authority.CaFile)!, "client.secret");
        await File.WriteAllTextAsync(secret, Secret);
        host = await ControlPlane.StartAsync(portal: new Uri($"https://127.0.0.1:{address.Port}"), configuration: new Dictionary<string, string?>
        {
            ["Api:RequestsPerMinute"] = "1000000",
            ["Identity:PortalAddress"] = address.ToString(),
            ["Identity:AllowedNetworks:0"] = "127.0.0.0/8",
            ["Identity:CustomerNetworks:0"] = "127.0.0.0/8",
            ["Identity:CaFile"] = authority.CaFile,
            ["Identity:Providers:0:Id"] = "corp",
            ["Identity:Providers:0:Name"] = "Vendor accounts",
            ["Identity:Providers:0:Issuer"] = peer.Issuer,
            ["Identity:Providers:0:ClientId"] = "corp",
            ["Identity:Providers:0:ClientSecretFile"] = secret,
            ["Identity:Providers:0:Scopes"] = "openid profile email groups",
            ["Identity:Providers:0:RequiredAmr"] = "otp",
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
    public async Task Staff_signs_in_by_its_provider_and_comes_to_where_it_wanted(bool script)
    {
        await StartAsync("corp");
        await peer.KeepAsync(new OpenIdAccount("grace", "Grace Hopper", "grace@vendor.example", ["viewers"], Amr: ["otp"]));
        await using var window = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await window.GoAsync("/clusters?health=red");
        await window.LookAsync("signin-providers", script);
        await AtProviderAsync(window, "Sign in with Vendor accounts", "grace");
        await window.ArriveAsync("Clusters", peer.Errors);
        Assert.Equal(new Uri(host.Portal, "/clusters?health=red").ToString(), window.Page.Url);

        // What finished it is gone from the browser, and what it holds now is out of reach of scripts.
        var cookies = await window.Page.Context.CookiesAsync([host.Portal.ToString()]);
        Assert.DoesNotContain(cookies, cookie => cookie.Name == "__Host-mc-signin");
        var session = Assert.Single(cookies, cookie => cookie.Name == "__Host-mc-session");
        Assert.True(session.HttpOnly && session.Secure);
        await window.GoAsync("/me");
        await window.Page.GetByText("grace@vendor.example").First.WaitForAsync();
        Assert.Equal(0, await window.Page.GetByLabel("New password").CountAsync());
        await window.LookAsync("me-federated", script);
        Window.AssertNothing(window.Violations);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_second_factor_that_the_provider_does_not_prove_is_set_up_on_the_way(bool script)
    {
        await StartAsync("corp");
        await peer.KeepAsync(new OpenIdAccount("joan", "Joan Clarke", "joan@vendor.example", ["viewers"]));
        await using var window = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await window.GoAsync("/signin?returnUrl=%2Ffleet");
        await AtProviderAsync(window, "Sign in with Vendor accounts", "joan");
        await window.ArriveAsync("One thing more", peer.Errors);
        Assert.Equal("/signin/code", new Uri(window.Page.Url).PathAndQuery);
        Assert.DoesNotContain(await window.Page.Context.CookiesAsync([host.Portal.ToString()]), cookie => cookie.Name == "__Host-mc-session");
        await window.LookAsync("second-factor-set-up", script);
        var joan = new SomebodySignedIn(host, "") { Secret = await window.Page.Locator("#totp-key").InnerTextAsync() };
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync("000000");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set it up and sign in" }).ClickAsync();
        await window.Page.GetByText("This code is not right").First.WaitForAsync();
        Assert.Equal(joan.Secret, await window.Page.Locator("#totp-key").InnerTextAsync());
        await window.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(joan.Code());
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set it up and sign in" }).ClickAsync();
        var codes = await window.Page.Locator("#recovery-codes code").AllInnerTextsAsync();
        Assert.Equal(10, codes.Count);
        await window.LookAsync("second-factor-codes", script);
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "I have kept them" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Heading, new() { Name = "Today" }).WaitForAsync();

        // The next time a code is asked for, and the reader comes to where it wanted.
        await using var again = await portal.OpenStrangerAsync(script: script, at: host.Portal);
        await again.GoAsync("/signin?returnUrl=%2Ffleet");
        await AtProviderAsync(again, "Sign in with Vendor accounts", "joan");
        await again.LookAsync("second-factor", script);
        await again.Page.GetByLabel("Code", new() { Exact = true }).FillAsync(codes[0]);
        await again.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await again.AtAsync(url => url == new Uri(host.Portal, "/fleet").ToString());
        Window.AssertNothing(window.Violations.Concat(again.Violations));
    }

    [Fact]
    public async Task A_passkey_proves_the_second_factor_that_the_provider_does_not()
    {
        await StartAsync("corp");
        await peer.KeepAsync(new OpenIdAccount("grace", "Grace Hopper", "grace@vendor.example", ["viewers"], Amr: ["pwd", "otp"]));
        await using var window = await portal.OpenStrangerAsync(at: address);
        await Authenticator.AddAsync(window);
        await window.GoAsync("/signin");
        await AtProviderAsync(window, "Sign in with Vendor accounts", "grace");
        await window.ArriveAsync("Today", peer.Errors);
        await window.GoAsync("/me");
        await window.Page.GetByLabel("What to call it").FillAsync("Laptop");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Create the passkey" }).ClickAsync();
        await window.Page.GetByText("Added the passkey “Laptop”.").WaitForAsync();

        // From now on the provider proves one factor.
        await peer.KeepAsync(new OpenIdAccount("grace", "Grace Hopper", "grace@vendor.example", ["viewers"]));
        await window.Page.Context.ClearCookiesAsync();
        await window.GoAsync("/signin?returnUrl=%2Ffleet");
        await AtProviderAsync(window, "Sign in with Vendor accounts", "grace");
        await window.ArriveAsync("One thing more", peer.Errors);
        await window.LookAsync("second-factor-passkey");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Go on with a passkey" }).ClickAsync();
        await window.AtAsync(url => url == new Uri(address, "/fleet").ToString());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task Staff_sees_by_what_it_signs_in_and_tests_the_connection()
    {
        await StartAsync("corp");
        await using var window = await portal.OpenAsSomebodyAsync(await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator"), host.Portal, "/people/providers");
        await window.Page.GetByRole(AriaRole.Link, new() { Name = "how staff signs in" }).ClickAsync();
        await window.ArriveAsync("How staff signs in", peer.Errors);
        Assert.Contains($"{address}signin/corp/callback", await window.Page.Locator("#way-corp").InnerTextAsync(), StringComparison.Ordinal);
        await window.LookAsync("staff-providers");

        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Test the connection" }).ClickAsync();
        await window.Page.GetByText("Vendor accounts can be used").WaitForAsync();
        await window.LookAsync("staff-provider-tested");
        Assert.Equal(1, await window.Page.Locator("#check-discovery").CountAsync());
        Window.AssertNothing(window.Violations);
    }

    [Fact]
    public async Task A_customers_administrator_sets_a_provider_tests_it_and_its_people_sign_in_at_an_address_of_their_own()
    {
        var customer = (await host.CreateCustomerAsync("Northwind Retail")).Id;
        var administrator = await SomebodySignedIn.InviteAsync(host, "ada@northwind.example", "customer-administrator", customer);
        await using var window = await portal.OpenAsSomebodyAsync(administrator, host.Portal, "/people/providers");
        await window.ArriveAsync("Sign-in by a provider", peer.Errors);
        await window.LookAsync("providers-none");
        await window.Page.GetByLabel("Name", new() { Exact = true }).FillAsync("Northwind");
        await window.Page.GetByLabel("Issuer").FillAsync("https://localhost:1/");
        await window.Page.GetByLabel("Client id").FillAsync("northwind");
        await window.Page.GetByLabel("Client secret").FillAsync(Secret);
        await window.Page.GetByLabel("Scopes").FillAsync("openid profile email groups");
        await window.Page.GetByLabel("Groups and roles").FillAsync("cn=ops,dc=example = administrator\n* = customer-viewer");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await window.Page.GetByText("There is no such role").First.WaitForAsync();
        await window.LookAsync("provider-refused");
        await window.Page.GetByLabel("Groups and roles").FillAsync("cn=ops,dc=example = customer-administrator\n* = customer-viewer");
        await window.Page.GetByLabel("Client secret").FillAsync(Secret);
        await window.Page.GetByLabel("Proof of a second factor: amr").FillAsync("otp");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();

        // What gives people roles is confirmed; no secret stands in the page that asks.
        await Authenticator.AddAsync(window, administrator.Passkey);
        await window.Page.GetByText("It proves a second factor by otp.").WaitForAsync();
        Assert.DoesNotContain(Secret, await window.Page.ContentAsync(), StringComparison.Ordinal);
        await window.LookAsync("provider-confirm");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await window.Page.GetByText("Register the addresses below").WaitForAsync();
        var id = new Uri(window.Page.Url).Segments[^1];
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Test the connection" }).ClickAsync();
        await window.Page.GetByText("The provider cannot be used yet").WaitForAsync();
        await window.LookAsync("provider-failed");

        await window.GoAsync($"/people/providers/{id}");
        Assert.Equal("", await window.Page.GetByLabel("Client secret").InputValueAsync());
        await window.Page.GetByLabel("Issuer").FillAsync(peer.Issuer);
        await window.Page.GetByLabel("Client secret").FillAsync(Secret);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Confirm with a passkey" }).ClickAsync();
        await window.Page.GetByText("It counts from the next sign-in on.").WaitForAsync();
        await StartAsync(id, "northwind");
        await peer.KeepAsync(new OpenIdAccount("lin", "Lin", "lin@northwind.example", ["cn=ops,dc=example"], Amr: ["otp"]));
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Test the connection" }).ClickAsync();
        await window.Page.GetByText("The provider can be used", new() { Exact = true }).WaitForAsync();
        await window.LookAsync("provider-tested");

        await using var other = await portal.OpenStrangerAsync(script: false, at: host.Portal);
        await other.GoAsync($"/signin/{id}");
        await other.LookAsync("signin-customer", script: false);
        await AtProviderAsync(other, "Sign in with Northwind", "lin");
        await other.ArriveAsync("Today", peer.Errors);
        await other.GoAsync("/people");
        await other.Page.GetByRole(AriaRole.Link, new() { Name = "Lin", Exact = true }).ClickAsync();
        await other.ArriveAsync("Lin", peer.Errors);
        await other.LookAsync("person-federated", script: false);

        await window.GoAsync($"/people/providers/{id}");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await window.Page.GetByText("Nobody signs in by it any more.").WaitForAsync();
        await Eventually.TrueAsync(async () =>
        {
            await other.GoAsync("/people");
            return other.Page.Url.Contains("/signin", StringComparison.Ordinal);
        }, "whom it signed in is outside");
        await other.GoAsync($"/signin/{id}");
        await other.Page.GetByText("There is no sign-in at this address.").WaitForAsync();
        Window.AssertNothing(window.Violations.Concat(other.Violations));
    }

    [Fact]
    public async Task An_answer_in_another_browser_or_a_second_time_opens_nothing_and_no_address_leads_elsewhere()
    {
        await StartAsync("corp");
        await peer.KeepAsync(new OpenIdAccount("grace", "Grace Hopper", "grace@vendor.example", ["viewers"], Amr: ["otp"]));

        // Login CSRF: an attacker's own answer, opened by somebody else, signs nobody in as the attacker.
        using var attackers = host.Client(host.Portal);
        using var begun = await attackers.GetAsync(new Uri("/signin/corp/begin?returnUrl=https://evil.example/", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Redirect, begun.StatusCode);
        var cookie = Assert.Single(begun.Headers.GetValues("Set-Cookie"), text => text.StartsWith("__Host-mc-signin=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("secure", cookie, StringComparison.OrdinalIgnoreCase);
        using var there = peer.Browser();
        var came = (await peer.SignInAsync(there, begun.Headers.Location!.ToString(), "grace")).PathAndQuery;
        using var victims = await attackers.GetAsync(new Uri(came, UriKind.Relative));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, victims.StatusCode);
        Assert.DoesNotContain("__Host-mc-session", string.Join(' ', victims.Headers.Where(header => header.Key == "Set-Cookie").SelectMany(header => header.Value)), StringComparison.Ordinal);

        // The right browser, also with a session of somebody else in it: what it holds then is new, and it stays on this site.
        using var right = new HttpRequestMessage(HttpMethod.Get, came);
        right.Headers.Add("Cookie", $"{cookie.Split(';')[0]}; __Host-mc-session=fixed-by-an-attacker");
        using var opened = await attackers.SendAsync(right);
        Assert.Equal((HttpStatusCode.Redirect, "/"), (opened.StatusCode, opened.Headers.Location!.ToString()));
        var session = Assert.Single(opened.Headers.GetValues("Set-Cookie"), text => text.StartsWith("__Host-mc-session=", StringComparison.Ordinal));
        Assert.DoesNotContain("fixed-by-an-attacker", session, StringComparison.Ordinal);

        using var twice = new HttpRequestMessage(HttpMethod.Get, came);
        twice.Headers.Add("Cookie", cookie.Split(';')[0]);
        using var replayed = await attackers.SendAsync(twice);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, replayed.StatusCode);

        foreach (var back in new[] { "//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)", "/\tevil" })
        {
            using var page = await attackers.GetAsync(new Uri($"/signin/corp?returnUrl={Uri.EscapeDataString(back)}", UriKind.Relative));
            var text = await page.Content.ReadAsStringAsync();
            Assert.Contains("/signin/corp/begin?returnUrl=%2F\"", text, StringComparison.Ordinal);
            Assert.DoesNotContain("evil", text, StringComparison.Ordinal);
        }

        using var unknown = await attackers.GetAsync(new Uri("/signin/nobody/begin", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        using var nothing = await attackers.GetAsync(new Uri("/signin/code", UriKind.Relative));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, nothing.StatusCode);
    }

    private Task StartAsync(string provider, string client = "corp") => peer.StartAsync(null, new OpenIdClient(client, Secret, new Uri(address, $"/signin/{provider}/callback").ToString()));

    private static async Task AtProviderAsync(Window window, string link, string login)
    {
        await window.Page.GetByRole(AriaRole.Link, new() { Name = link }).ClickAsync();
        await window.Page.GetByLabel("Login").FillAsync(login);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in there" }).ClickAsync();
    }
}
