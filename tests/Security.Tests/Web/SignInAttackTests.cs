using System.Net;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>The sign-in page and its cookie as an attacker sees them.</summary>
public sealed class SignInAttackTests(SecurityFixture fixture)
{
    private ControlPlane Host => fixture.Host;

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("/\n/evil.example")]
    [InlineData("/\r\nSet-Cookie: a=b")]
    [InlineData("https://evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("~/evil")]
    [InlineData("/clusters?q=é")]
    [InlineData("/💣")]
    [InlineData("\\\\evil.example")]
    [InlineData(" //evil.example")]
    public async Task After_sign_in_nobody_lands_anywhere_but_here(string returnUrl)
    {
        using var browser = await Browser.OpenAsync(Host, $"/signin?returnUrl={Uri.EscapeDataString(returnUrl)}");
        using var response = await browser.SignInAsync(Host.AdminToken, returnUrl);

        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        var location = response.Headers.GetValues("Location").Single();
        Assert.True(location.StartsWith('/') && !location.StartsWith("//", StringComparison.Ordinal) && !location.Contains('\\') && location.All(character => character is > ' ' and < (char)127), location);
        Assert.True(new Uri(Host.Portal, location).Authority == Host.Portal.Authority, location);
    }

    [Theory]
    [InlineData("")]
    [InlineData("mca_nonsense")]
    [InlineData("mca_é")]
    [InlineData("a\r\nX-Injected: yes")]
    [InlineData("💣")]
    public async Task A_token_that_is_none_is_answered_with_the_form(string token)
    {
        using var browser = await Browser.OpenAsync(Host, "/signin");
        using var response = await browser.SignInAsync(token);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.DoesNotContain("__Host-mc-session", string.Join(';', response.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : []), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("returnUrl")]
    [InlineData("__RequestVerificationToken")]
    public async Task A_field_with_NUL_is_refused_and_is_nobodys_failure(string field)
    {
        using var browser = await Browser.OpenAsync(Host, "/signin");
        foreach (var address in new[] { "/signin", "/signout", "/customers/new" })
        {
            using var response = await browser.PostAsync(address, new() { [field] = "a\0b" });

            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Fact]
    public async Task An_address_that_is_none_is_told_by_a_page()
    {
        using var browser = await Browser.OpenAsync(Host, "/signin");
        using var signedIn = await browser.SignInAsync(Host.AdminToken);
        using var response = await browser.GetAsync("/versions");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("There is no such page", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_session_cookie_is_bound_to_this_host_unreadable_by_script_and_holds_no_token()
    {
        using var browser = await Browser.OpenAsync(Host, "/signin");
        using var response = await browser.SignInAsync(Host.AdminToken);

        var cookie = response.Headers.GetValues("Set-Cookie").Single(value => value.StartsWith("__Host-mc-session=", StringComparison.Ordinal));
        foreach (var attribute in new[] { "httponly", "secure", "samesite=lax", "path=/" })
        {
            Assert.Contains(attribute, cookie, StringComparison.OrdinalIgnoreCase);
        }

        Assert.DoesNotContain("domain=", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Host.AdminToken[17..], cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_of_another_site_changes_nothing()
    {
        using var browser = await Browser.OpenAsync(Host, "/signin");
        using var forged = await browser.PostAsync("/signin", new() { ["token"] = Host.AdminToken });
        Assert.False(forged.Headers.TryGetValues("Set-Cookie", out var cookies) && cookies.Any(cookie => cookie.StartsWith("__Host-mc-session=", StringComparison.Ordinal)), "signed in without the form's own token");

        using var signedIn = await browser.SignInAsync(Host.AdminToken);
        using var signOut = await browser.PostAsync("/signout", []);
        using var still = await browser.GetAsync("/clusters");
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task A_cookie_opens_no_api_and_an_invented_one_no_page()
    {
        using var browser = await Browser.OpenAsync(Host, "/signin");
        using var signedIn = await browser.SignInAsync(Host.AdminToken);
        using var api = await browser.GetAsync("/api/v1/fleet/clusters");
        Assert.Equal(HttpStatusCode.Unauthorized, api.StatusCode);

        foreach (var value in new[] { "", "x", new string('A', 43), new string('A', 5000), "%00", "é", "\"quoted\"", "a;b" })
        {
            var (status, text) = await RawHttp.AskAsync(Host.Portal, Host.CaFile, $"GET /clusters HTTP/1.1\r\nHost: localhost\r\nCookie: __Host-mc-session={value}\r\nConnection: close\r\n\r\n");
            Assert.True(status is 302 or 400, $"'{value}': {text[..Math.Min(300, text.Length)]}");
        }
    }

    [Fact]
    public async Task Every_page_says_what_a_browser_may_do_with_it()
    {
        using var browser = await Browser.OpenAsync(Host, "/signin");
        using var signedIn = await browser.SignInAsync(Host.AdminToken);
        foreach (var path in new[] { "/signin", "/", "/clusters" })
        {
            using var page = await browser.GetAsync(path);
            var policy = page.Headers.GetValues("Content-Security-Policy").Single();
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.True(page.Headers.CacheControl is { NoStore: true }, path);
        }
    }
}
