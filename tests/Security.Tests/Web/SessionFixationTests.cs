using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>What an attacker put into a browser before somebody signs in with it: another session afterwards, by every way in, and nothing for whoever knows the old one.</summary>
public sealed class SessionFixationTests : IAsyncLifetime
{
    private readonly TestAuthority authority = new();
    private OpenIdProvider provider = null!;
    private ControlPlane host = null!;
    private SomebodySignedIn ada = null!;
    private SomebodySignedIn mallory = null!;

    public async ValueTask InitializeAsync()
    {
        provider = new OpenIdProvider(authority);
        var secret = Path.Combine(Path.GetDirectoryName(authority.CaFile)!, "corp.secret");
        await File.WriteAllTextAsync(secret, "the secret of corp");
        var settings = new Dictionary<string, string?>
        {
            ["Api:RequestsPerMinute"] = "1000000", ["Identity:PortalAddress"] = "https://control.example.com", ["Identity:AllowedNetworks:0"] = "127.0.0.0/8", ["Identity:CaFile"] = authority.CaFile, ["Identity:KeepBootstrapToken"] = "true",
        };
        foreach (var (key, value) in new[] { ("Id", "corp"), ("Name", "Corp"), ("Issuer", provider.Issuer), ("ClientId", "mission-control"), ("ClientSecretFile", secret), ("Scopes", "openid profile email groups"), ("Roles:admins", "administrator"), ("RequiredAmr", "hwk") })
        {
            settings[$"Identity:Providers:0:{key}"] = value;
        }

        await provider.StartAsync(null, new OpenIdClient("mission-control", "the secret of corp", "https://control.example.com/signin/corp/callback"));
        await provider.KeepAsync(new OpenIdAccount("grace", "Grace", "grace@vendor.example", ["admins"], Amr: ["hwk"]));
        host = await ControlPlane.StartAsync(configuration: settings);
        ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator");
        mallory = await SomebodySignedIn.InviteAsync(host, "mallory@vendor.example", "viewer");
    }

    public async ValueTask DisposeAsync()
    {
        ada.Passkey.Dispose();
        mallory.Passkey.Dispose();
        await host.DisposeAsync();
        await provider.DisposeAsync();
        authority.Dispose();
    }

    [Theory]
    [InlineData("password")]
    [InlineData("passkey")]
    [InlineData("provider")]
    [InlineData("invitation")]
    public async Task A_planted_session_is_another_one_after_the_sign_in_and_opens_nothing(string by)
    {
        var invented = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

        // One that was invented, the attacker's own, which is open, and the one that the person had before.
        foreach (var planted in new[] { invented, mallory.Session, ada.Session })
        {
            using var browser = Browser.Of(host);
            browser.Session = planted;
            using var signedIn = await SignInAsync(browser, by);
            Assert.Equal(HttpStatusCode.Redirect, signedIn.StatusCode);
            Assert.NotNull(browser.Session);
            Assert.NotEqual(planted, browser.Session);
            Assert.Contains(by is "invitation" ? "fleet:read" : "*", (await HolderAsync(browser.Session))!.Scopes);
            Assert.Null(await HolderAsync(planted));

            using var attacker = Browser.Of(host);
            attacker.Session = planted;
            using var page = await attacker.GetAsync("/me");
            Assert.Equal(HttpStatusCode.Redirect, page.StatusCode);
            Assert.StartsWith("/signin", page.Headers.Location!.OriginalString, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_sign_in_that_fails_ends_nobodys_session_and_gives_none()
    {
        using var browser = Browser.Of(host);
        browser.Session = mallory.Session;
        await browser.OpenAsync("/signin");
        using var refused = await browser.SubmitAsync("/signin", new() { ["email"] = ada.Email, ["password"] = "not this one, but long", ["code"] = "000000" });

        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Equal(mallory.Session, browser.Session);
        Assert.NotNull(await HolderAsync(mallory.Session));
    }

    [Fact]
    public async Task A_planted_question_or_begun_sign_in_is_replaced_by_the_browsers_own()
    {
        using var browser = Browser.Of(host);
        foreach (var cookie in new[] { "__Host-mc-signin", "__Host-mc-passkey" })
        {
            browser.Plant(cookie, "planted");
        }

        await browser.OpenAsync("/signin");
        using var asked = await browser.SubmitAsync("/signin/passkey/begin", []);
        using var begun = await browser.GetAsync("/signin/corp/begin");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Redirect), (asked.StatusCode, begun.StatusCode));
        Assert.NotEqual("planted", browser.Cookie("__Host-mc-passkey"));
        Assert.NotEqual("planted", browser.Cookie("__Host-mc-signin"));
    }

    [Fact]
    public async Task A_passkeys_answer_to_the_question_of_another_browser_is_refused()
    {
        using var attacker = await Browser.OpenAsync(host, "/signin");
        using var victim = await Browser.OpenAsync(host, "/signin");
        using var neither = await Browser.OpenAsync(host, "/signin");
        var asked = await AskAsync(attacker);
        await AskAsync(victim);

        // Somebody was made to answer the attacker's question; the answer comes from their browser, and from one that asked nothing.
        foreach (var browser in new[] { victim, neither })
        {
            using var refused = await browser.SubmitAsync("/signin/passkey", new() { ["credential"] = ada.Passkey.Get(asked) });
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.Null(browser.Session);
        }

        // In the browser that asked it is good: what was refused was the browser.
        using var right = await attacker.SubmitAsync("/signin/passkey", new() { ["credential"] = ada.Passkey.Get(asked) });
        Assert.Equal(HttpStatusCode.Redirect, right.StatusCode);
        Assert.NotNull(attacker.Session);
    }

    private async Task<HttpResponseMessage> SignInAsync(Browser browser, string by)
    {
        if (by == "provider")
        {
            // A provider has five seconds to answer, which is little on a machine that does much besides: then one begins again.
            HttpResponseMessage? answer = null;
            await Eventually.TrueAsync(async () =>
            {
                answer?.Dispose();
                using var begun = await browser.GetAsync("/signin/corp/begin");
                using var there = provider.Browser();
                answer = begun.Headers.Location is { } away ? await browser.GetAsync((await provider.SignInAsync(there, away.OriginalString, "grace")).PathAndQuery) : null;
                return answer is { StatusCode: not HttpStatusCode.ServiceUnavailable };
            }, "the provider answers in time");
            return answer!;
        }

        if (by == "invitation")
        {
            var code = (await SomebodySignedIn.InvitedAsync(host.Admin, $"new-{Guid.NewGuid():N}@vendor.example", "viewer")).Code!;
            using var key = new SoftPasskey { Domain = "control.example.com", Origin = "https://control.example.com" };
            await browser.OpenAsync("/invitation");
            using var opened = await browser.SubmitAsync("/invitation", new() { ["invitation"] = code });
            var page = WebUtility.HtmlDecode(await opened.Content.ReadAsStringAsync());
            var options = JsonNode.Parse(Between(page, "data-options=\"", "}\"") + "}")!;
            return await browser.SubmitAsync("/invitation/accept", new() { ["invitation"] = code, ["challenge"] = Between(page, "name=\"challenge\" value=\"", "\""), ["credential"] = key.Create(options) });
        }

        await browser.OpenAsync("/signin");
        return by == "passkey"
            ? await browser.SubmitAsync("/signin/passkey", new() { ["credential"] = ada.Passkey.Get(await AskAsync(browser)) })
            : await browser.SubmitAsync("/signin", new() { ["email"] = ada.Email, ["password"] = SomebodySignedIn.Password, ["code"] = NextCode() });
    }

    private int used;

    // Each opens one session.
    private string NextCode() => ada.RecoveryCodes[used++];

    private static string Between(string text, string begin, string end)
    {
        var at = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        Assert.True(at >= begin.Length, $"There is no {begin} in {text}");
        return text[at..text.IndexOf(end, at, StringComparison.Ordinal)];
    }

    private static async Task<JsonNode> AskAsync(Browser browser)
    {
        using var asked = await browser.SubmitAsync("/signin/passkey/begin", []);
        return JsonNode.Parse(await asked.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
    }

    /// <summary>Whom a session speaks for; null: nobody.</summary>
    private async Task<PrincipalItem?> HolderAsync(string session)
    {
        using var anonymous = host.Client(host.Portal);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(session, IsActive: false));
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<TradedSession>())!.Principal : null;
    }
}
