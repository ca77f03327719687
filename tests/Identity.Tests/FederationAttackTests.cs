using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Web;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Identity.People;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>What a dishonest provider, or somebody between, tries.</summary>
public sealed class FederationAttackTests : IAsyncLifetime
{
    private const string Client = "mission-control-corp";
    private readonly TestAuthority authority = new();
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private DishonestProvider peer = null!;
    private DishonestProvider other = null!;
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        peer = await DishonestProvider.StartAsync(authority);
        other = await DishonestProvider.StartAsync(authority);
        host = await ControlPlane.StartAsync(time: time, configuration: FederationHost.Configuration(authority, ("corp", peer.Issuer), ("other", other.Issuer)));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await peer.DisposeAsync();
        await other.DisposeAsync();
        authority.Dispose();
    }

    [Fact]
    public async Task A_token_as_it_must_be_opens_a_session_so_that_what_follows_fails_for_its_own_reason()
    {
        using var answer = await TryAsync(_ => { });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var several = await TryAsync(claims => (claims["aud"], claims["azp"]) = (new[] { Client, "another" }, Client));
        Assert.Equal(HttpStatusCode.OK, several.StatusCode);

        // The code goes to the token endpoint with the verifier whose digest the browser carried, and with the client's own credentials.
        var form = peer.Form!;
        Assert.Equal(("authorization_code", "a code", $"{FederationHost.Portal}/signin/corp/callback"), (form["grant_type"].ToString(), form["code"].ToString(), form["redirect_uri"].ToString()));
        Assert.Equal(43, form["code_verifier"].ToString().Length);
    }

    private static readonly (string How, string Reason)[] Forged =
    [
        ("alg none", "algorithm"),
        ("alg none without signature", "algorithm"),
        ("HS256 with the public key", "algorithm"),
        ("HS256 with the client's secret", "algorithm"),
        ("another key under the published kid", "signature"),
        ("a kid that is not published", "kid"),
        ("another audience", "aud"),
        ("several audiences and no azp", "azp"),
        ("given to another client", "azp"),
        ("another issuer", "iss"),
        ("the issuer with a slash", "iss"),
        ("expired", "exp"),
        ("no exp", "exp"),
        ("not yet", "exp"),
        ("signed an hour ago", "iat"),
        ("signed tomorrow", "iat"),
        ("no iat", "iat"),
        ("another nonce", "nonce"),
        ("no nonce", "nonce"),
        ("no subject", "sub"),
        ("a subject beyond all length", "sub"),
        ("a subject that no database keeps", "sub"),
        ("a changed claim under the old signature", "signature"),
        ("no JWT", "JWT"),
        ("too long", "long"),
    ];

    [Fact]
    public async Task A_forged_token_opens_nothing_and_makes_nobody()
    {
        var tried = 0;
        foreach (var (how, reason) in Forged)
        {
            using var answer = await TryAsync(claims => Spoil(how, claims), how);
            Assert.Equal((how, HttpStatusCode.Unauthorized, FinishSignIn.NotGood), (how, answer.StatusCode, await answer.DetailAsync()));
            var said = (await host.RefusalsAsync(++tried))[0];
            Assert.True(said.Contains(reason, StringComparison.Ordinal), $"{how}: {said}");
            Assert.Empty(await host.RowsAsync<FederatedIdentity>());
            Assert.Empty(await host.RowsAsync<Person>());
        }
    }

    [Fact]
    public async Task Another_providers_answer_is_never_taken_nor_its_code_sent_on()
    {
        // The mix-up: the browser was sent to the one, and another one's answer comes back.
        var begun = await host.BeginAsync("corp");
        var state = HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["state"];
        using var mixed = await host.FinishAsync("corp", begun.Browser, state, "the other's code", other.Issuer);
        Assert.Equal(HttpStatusCode.Unauthorized, mixed.StatusCode);

        // It says that it names itself, and an answer does not.
        var second = await host.BeginAsync("corp");
        using var silent = await host.FinishAsync("corp", second.Browser, HttpUtility.ParseQueryString(new Uri(second.Address).Query)["state"], "the other's code", null);
        Assert.Equal(HttpStatusCode.Unauthorized, silent.StatusCode);

        // At the address of another one the state is not good.
        var third = await host.BeginAsync("corp");
        using var crossed = await host.FinishAsync("other", third.Browser, HttpUtility.ParseQueryString(new Uri(third.Address).Query)["state"], "the other's code", other.Issuer);
        Assert.Equal(HttpStatusCode.Unauthorized, crossed.StatusCode);

        Assert.False(peer.Asked.ContainsKey("/token"));
        Assert.False(other.Asked.ContainsKey("/token"));
        Assert.All(await host.RefusalsAsync(2), why => Assert.Contains("(iss)", why, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_that_one_provider_signed_is_worth_nothing_at_another()
    {
        var begun = await host.BeginAsync("corp");
        other.IdToken = other.Sign(other.Claims(begun.Address, Client, time.GetUtcNow()));
        peer.IdToken = other.IdToken;
        using var answer = await FinishAsync(begun);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task The_same_subject_of_another_issuer_is_another_person()
    {
        using var first = await TryAsync(_ => { });
        first.EnsureSuccessStatusCode();
        var begun = await host.BeginAsync("other");
        other.IdToken = other.Sign(other.Claims(begun.Address, "mission-control-other", time.GetUtcNow()));
        using var second = await host.FinishAsync("other", begun.Browser, HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["state"], "a code", other.Issuer);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal(2, (await host.RowsAsync<Person>()).Count);
    }

    [Fact]
    public async Task A_token_of_a_sign_in_before_is_not_taken_for_a_later_one()
    {
        using var good = await TryAsync(_ => { });
        good.EnsureSuccessStatusCode();
        using var replayed = await FinishAsync(await host.BeginAsync("corp"));
        Assert.Equal(HttpStatusCode.Unauthorized, replayed.StatusCode);
        Assert.Contains("(nonce)", (await host.RefusalsAsync(1))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sign_in_begun_more_than_ten_minutes_ago_is_over()
    {
        var begun = await host.BeginAsync("corp");
        peer.IdToken = peer.Sign(peer.Claims(begun.Address, Client, time.GetUtcNow()));
        time.Advance(TimeSpan.FromMinutes(10));
        using var answer = await FinishAsync(begun);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.False(peer.Asked.ContainsKey("/token"));
    }

    [Fact]
    public async Task New_keys_are_fetched_when_one_is_missing_once_a_minute_at_most()
    {
        using var first = await TryAsync(_ => { });
        first.EnsureSuccessStatusCode();
        Assert.Equal(1, peer.Asked["/jwks"]);
        peer.Rotate("second");
        time.Advance(TimeSpan.FromMinutes(2));
        using var rotated = await TryAsync(_ => { });
        Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
        Assert.Equal(2, peer.Asked["/jwks"]);
        for (var i = 0; i < 5; i++)
        {
            using var invented = await TryAsync(claims => { }, "a kid that is not published");
            Assert.Equal(HttpStatusCode.Unauthorized, invented.StatusCode);
        }

        Assert.Equal(2, peer.Asked["/jwks"]);
    }

    [Fact]
    public async Task Userinfo_of_somebody_else_is_not_taken()
    {
        peer.Discovery["userinfo_endpoint"] = $"{peer.Issuer}/userinfo";
        peer.Instead["/userinfo"] = context => Microsoft.AspNetCore.Http.HttpResponseJsonExtensions.WriteAsJsonAsync(context.Response, new { sub = "admin", groups = new[] { "admins" } });
        using var answer = await TryAsync(claims => claims.Remove("groups"));
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("userinfo", (await host.RefusalsAsync(1))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_stands_in_no_log_also_where_addresses_are_logged()
    {
        var begun = await host.BeginAsync("corp");
        var state = HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["state"]!;
        var address = $"https://control.example.com/signin/corp/callback?code=0.AXkAq-_code~of.a%2Fprovider&state={state}&iss=https://login.example.com";
        foreach (var logged in new[] { $"Request starting HTTP/2 GET {address}", System.Text.Json.JsonSerializer.Serialize(new { address }) })
        {
            var text = Platform.Telemetry.RedactingFormatter.Redact(logged);
            Assert.DoesNotContain(state, text, StringComparison.Ordinal);
            Assert.DoesNotContain("code~of", text, StringComparison.Ordinal);
            Assert.Contains("login.example.com", text, StringComparison.Ordinal);
        }

        Assert.Equal("GET /clusters?state=suspended&code=x", Platform.Telemetry.RedactingFormatter.Redact("GET /clusters?state=suspended&code=x"));
    }

    [Fact]
    public async Task Somebody_without_an_authenticator_gets_no_session_by_what_was_not_configured_to_prove_one()
    {
        using var answer = await TryAsync(claims => (claims["amr"], claims["acr"]) = (new[] { "pwd", "mfa" }, "urn:other:mfa"));
        Assert.Equal("authenticator", (await answer.Content.ReadFromJsonAsync<FederatedSignIn>())!.Needs);
    }

    public static TheoryData<string> LogoutMistakes => ["an id_token", "with a nonce", "no jti", "neither sub nor sid", "another audience", "another issuer", "alg none", "no events"];

    [Theory]
    [MemberData(nameof(LogoutMistakes))]
    public async Task A_logout_token_that_is_none_ends_nothing(string how)
    {
        var session = await SignedInAsync();
        var claims = LogoutClaims();
        switch (how)
        {
            case "an id_token":
                claims = peer.Claims("https://x.example/?nonce=1", Client, time.GetUtcNow());
                break;
            case "with a nonce":
                claims["nonce"] = "1";
                break;
            case "no jti":
                claims.Remove("jti");
                break;
            case "neither sub nor sid":
                claims.Remove("sub");
                break;
            case "another audience":
                claims["aud"] = "another";
                break;
            case "another issuer":
                claims["iss"] = other.Issuer;
                break;
            case "no events":
                claims["events"] = new Dictionary<string, object> { ["http://schemas.openid.net/event/other"] = new { } };
                break;
        }

        using var answer = await LogOutAsync("corp", how == "alg none" ? peer.Sign(claims, "none", by: _ => []) : peer.Sign(claims));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.NotNull(await host.TradeAsync(session));
    }

    [Fact]
    public async Task A_logout_token_ends_the_subjects_sessions_of_its_provider_once()
    {
        var session = await SignedInAsync();
        var token = peer.Sign(LogoutClaims());
        using var elsewhere = await LogOutAsync("other", token);
        Assert.Equal(HttpStatusCode.BadRequest, elsewhere.StatusCode);
        Assert.NotNull(await host.TradeAsync(session));

        using var done = await LogOutAsync("corp", token);
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        Assert.Null(await host.TradeAsync(session));

        var next = await SignedInAsync();
        using var again = await LogOutAsync("corp", token);
        Assert.Equal(HttpStatusCode.BadRequest, again.StatusCode);
        Assert.NotNull(await host.TradeAsync(next));
    }

    [Fact]
    public async Task Whom_a_provider_signs_in_adds_a_passkey_right_after_it_confirms_with_it_a_day_later_and_never_signs_in_by_it()
    {
        void Mallory(Dictionary<string, object> claims) => claims["groups"] = new[] { "admins" };
        var session = await SignedInAsync(Mallory);
        time.Advance(TimeSpan.FromMinutes(11));
        using var first = await ApiAsync(session);
        using var late = await first.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("laptop"));
        Assert.Equal("step-up-required", (await late.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);

        using var passkey = new SoftPasskey { Domain = "control.example.com", Origin = FederationHost.Portal };
        using var fresh = await ApiAsync(await SignedInAsync(Mallory));
        using var begun = await fresh.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("laptop"));
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var added = await fresh.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(asked.Challenge, passkey.Create(asked.Options)));
        added.EnsureSuccessStatusCode();
        using var second = await fresh.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("another"));
        Assert.Equal("step-up-required", (await second.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);
        var invite = new InviteRequest("friend@vendor.example", "Friend", ["viewer"]);
        using var soon = await fresh.PostAsJsonAsync("/api/v1/identity/invitations", invite);
        Assert.Equal(HttpStatusCode.Unauthorized, soon.StatusCode);

        time.Advance(TimeSpan.FromHours(24));
        using var confirms = await ApiAsync(await SignedInAsync(Mallory), new Confirming(passkey));
        using var invited = await confirms.PostAsJsonAsync("/api/v1/identity/invitations", invite);
        Assert.Equal(HttpStatusCode.Created, invited.StatusCode);

        using var anonymous = host.Client(host.Portal);
        using var question = await anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        var signIn = (await question.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var opened = await anonymous.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(signIn.Challenge, passkey.Get(signIn.Options)));
        Assert.Equal(HttpStatusCode.Unauthorized, opened.StatusCode);
        Assert.Contains("its provider signs this person in", await host.RefusalsAsync(1));
    }

    private static void Spoil(string how, Dictionary<string, object> claims)
    {
        switch (how)
        {
            case "another audience": claims["aud"] = "another"; break;
            case "several audiences and no azp": claims["aud"] = new[] { Client, "another" }; break;
            case "given to another client": claims["azp"] = "another"; break;
            case "another issuer": claims["iss"] = "https://login.example.com"; break;
            case "the issuer with a slash": claims["iss"] = $"{claims["iss"]}/"; break;
            case "expired": claims["exp"] = (long)claims["iat"] - 120; break;
            case "no exp": claims.Remove("exp"); break;
            case "not yet": claims["nbf"] = (long)claims["iat"] + 120; break;
            case "signed an hour ago": claims["iat"] = (long)claims["iat"] - 3600; break;
            case "signed tomorrow": claims["iat"] = (long)claims["iat"] + 86400; break;
            case "no iat": claims.Remove("iat"); break;
            case "another nonce": claims["nonce"] = new string('a', 43); break;
            case "no nonce": claims.Remove("nonce"); break;
            case "no subject": claims.Remove("sub"); break;
            case "a subject beyond all length": claims["sub"] = new string('a', 256); break;
            case "a subject that no database keeps": claims["sub"] = "a\0b"; break;
            case "too long": claims["more"] = new string('a', 70_000); break;
        }
    }

    private string Forge(string how, Dictionary<string, object> claims)
    {
        using var stranger = RSA.Create(2048);
        switch (how)
        {
            case "alg none": return peer.Sign(claims, "none");
            case "alg none without signature": return peer.Sign(claims, "none", by: _ => []);
            case "HS256 with the public key": return peer.Sign(claims, "HS256", by: data => HMACSHA256.HashData(Encoding.ASCII.GetBytes(peer.Key.ExportSubjectPublicKeyInfoPem()), data));
            case "HS256 with the client's secret": return peer.Sign(claims, "HS256", by: data => HMACSHA256.HashData("the secret of corp: a+b/c"u8, data));
            case "another key under the published kid": return peer.Sign(claims, by: data => stranger.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            case "a kid that is not published": return peer.Sign(claims, kid: "never", by: data => stranger.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
            case "no JWT": return "no.thing";
            case "a changed claim under the old signature":
                var (good, changed) = (peer.Sign(claims).Split('.'), peer.Sign(new Dictionary<string, object>(claims) { ["groups"] = new[] { "admins" } }).Split('.'));
                return $"{good[0]}.{changed[1]}.{good[2]}";
            default: return peer.Sign(claims);
        }
    }

    private async Task<HttpResponseMessage> TryAsync(Action<Dictionary<string, object>> change, string how = "")
    {
        var begun = await host.BeginAsync("corp");
        var claims = peer.Claims(begun.Address, Client, time.GetUtcNow());
        change(claims);
        peer.IdToken = Forge(how, claims);
        return await FinishAsync(begun);
    }

    private Task<HttpResponseMessage> FinishAsync(BegunFederatedSignIn begun) =>
        host.FinishAsync("corp", begun.Browser, HttpUtility.ParseQueryString(new Uri(begun.Address).Query)["state"], "a code", peer.Issuer);

    private async Task<HttpClient> ApiAsync(string session, DelegatingHandler? before = null)
    {
        var client = host.Client(host.Portal, (await host.TradeAsync(session))!.AccessToken, before);
        await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative))).IsSuccessStatusCode, "the person is known");
        return client;
    }

    private async Task<string> SignedInAsync(Action<Dictionary<string, object>>? change = null)
    {
        using var answer = await TryAsync(change ?? (_ => { }));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!.Session!;
    }

    private Dictionary<string, object> LogoutClaims() => new()
    {
        ["iss"] = peer.Issuer,
        ["aud"] = Client,
        ["sub"] = "mallory",
        ["jti"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(8)),
        ["iat"] = time.GetUtcNow().ToUnixTimeSeconds(),
        ["exp"] = time.GetUtcNow().AddMinutes(2).ToUnixTimeSeconds(),
        ["events"] = new Dictionary<string, object> { ["http://schemas.openid.net/event/backchannel-logout"] = new { } },
    };

    private async Task<HttpResponseMessage> LogOutAsync(string provider, string token)
    {
        using var anonymous = host.Client(host.Portal);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["logout_token"] = token });
        return await anonymous.PostAsync(new Uri($"/api/v1/identity/federation/{provider}/backchannel-logout", UriKind.Relative), form);
    }
}
