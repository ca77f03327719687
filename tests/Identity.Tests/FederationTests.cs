using System.Net;
using System.Net.Http.Json;
using System.Web;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Sign-in by a certified OpenID provider that knows nothing of Mission Control.</summary>
public sealed class FederationTests : IAsyncLifetime
{
    private static readonly string[] Mfa = ["pwd", "otp"];
    private readonly TestAuthority authority = new();
    private OpenIdProvider peer = null!;
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        peer = new OpenIdProvider(authority);
        host = await ControlPlane.StartAsync(configuration: FederationHost.Configuration(authority, ("corp", peer.Issuer), ("ecc", peer.Issuer)));
        await peer.StartAsync(host.CaFile,
            FederationHost.Client("corp", $"{host.Portal.ToString().Replace("127.0.0.1", "localhost", StringComparison.Ordinal)}api/v1/identity/federation/corp/backchannel-logout"),
            FederationHost.Client("ecc", authentication: "client_secret_post", algorithm: "ES256"));
        await peer.KeepAsync(new OpenIdAccount("grace", "Grace Hopper", "grace@vendor.example", ["viewers", "others"], Amr: Mfa));
        await peer.KeepAsync(new OpenIdAccount("ada", "Ada Lovelace", "ada@vendor.example", ["admins"], Acr: "urn:test:mfa", Amr: Mfa));
        await peer.KeepAsync(new OpenIdAccount("joan", "Joan Clarke", null, ["viewers"]));
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        await peer.DisposeAsync();
        authority.Dispose();
    }

    [Fact]
    public async Task Staff_signs_in_by_a_provider_of_the_configuration_and_holds_the_roles_of_its_groups()
    {
        using var anonymous = host.Client(host.Portal);
        Assert.Equal(["corp", "ecc"], (await anonymous.GetFromJsonAsync<SignInOptions>("/api/v1/identity/sign-in"))!.Providers.Select(provider => provider.Id));

        var (signIn, traded) = await host.SignInAsync(peer, "corp", "grace");

        Assert.Null(signIn.Needs);
        Assert.Equal("/clusters", signIn.ReturnUrl);
        Assert.Equal("staff", traded.Principal.Kind);
        Assert.Contains("fleet:read", traded.Principal.Scopes);
        Assert.DoesNotContain("fleet:write", traded.Principal.Scopes);
        var person = await host.PersonAsync(traded.Principal.Subject);
        Assert.Equal(("Grace Hopper", "grace@vendor.example", true), (person.Person.Name, person.Person.Email, person.Person.IsFederated));
        Assert.Equal(["viewer"], person.Person.Roles.Select(role => role.Name));
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.signed-in"))!.Items.Any(entry =>
            entry.ActorId == traded.Principal.Subject && entry.Entry.GetProperty("actor").GetProperty("auth").GetString() == "openid"), "the sign-in is in the log");

        // The same subject of the same issuer is the same person, by whichever client.
        var (_, again) = await host.SignInAsync(peer, "ecc", "grace");
        Assert.Equal(traded.Principal.Subject, again.Principal.Subject);
        Assert.Single(await host.RowsAsync<FederatedIdentity>());
    }

    [Fact]
    public async Task Staff_is_told_by_what_it_signs_in_and_what_is_wrong_there()
    {
        var ways = (await host.Admin.GetFromJsonAsync<StaffProviderList>("/api/v1/identity/staff-providers"))!.Items;
        Assert.Equal([("corp", "Provider corp", "openid", peer.Issuer, $"{FederationHost.Portal}/signin/corp/callback"), ("ecc", "Provider ecc", "openid", peer.Issuer, $"{FederationHost.Portal}/signin/ecc/callback")],
            ways.Select(way => (way.Id, way.Name, way.Kind, way.Address, way.RedirectUri)));
        Assert.Equal([new GroupRole("admins", "administrator"), new GroupRole("viewers", "viewer")], ways[0].Roles);
        Assert.DoesNotContain("the secret of", await host.Admin.GetStringAsync(new Uri("/api/v1/identity/staff-providers", UriKind.Relative)), StringComparison.Ordinal);
        var well = await TestAsync(host, "corp");
        Assert.True(well.Succeeded);
        Assert.Equal(["discovery", "keys", "pkce", "iss", "redirect-uri"], well.Checks.Select(check => check.Code));

        await using var other = await ControlPlane.StartAsync(configuration: FederationHost.Configuration(authority, ("gone", $"https://localhost:{Ports.Free()}"), ("ecc", peer.Issuer)));
        var gone = await TestAsync(other, "gone");
        Assert.Equal((false, "not-reachable"), (gone.Succeeded, Assert.Single(gone.Checks).Code));

        // A secret that is taken away under a server that runs is said as it is.
        File.Delete(Path.Combine(Path.GetDirectoryName(authority.CaFile)!, "ecc.secret"));
        var without = await TestAsync(other, "ecc");
        Assert.Equal((false, "no-file"), (without.Succeeded, Assert.Single(without.Checks).Code));
        await Eventually.TrueAsync(async () => (await other.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.provider-tested"))!.Items.Count(entry =>
            entry.Entry.GetProperty("outcome").GetString() == "failed") == 2, "both tests are in the log");

        static async Task<ProviderTest> TestAsync(ControlPlane of, string id)
        {
            using var answer = await of.Admin.PostAsJsonAsync($"/api/v1/identity/staff-providers/{id}/test", new TestStaffProviderRequest());
            return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ProviderTest>())!;
        }
    }

    [Fact]
    public async Task Roles_follow_the_groups_at_each_sign_in_and_what_was_held_stays_in_the_history()
    {
        var (_, before) = await host.SignInAsync(peer, "corp", "ada");
        Assert.Equal(["*"], before.Principal.Scopes);
        using var asBefore = host.Client(host.Portal, before.AccessToken);
        await Eventually.TrueAsync(async () => (await asBefore.GetAsync(new Uri("/api/v1/identity/people", UriKind.Relative))).IsSuccessStatusCode, "the administrator is known");

        // Nobody changes by hand what groups give.
        using var changed = await host.Admin.PutAsJsonAsync($"/api/v1/identity/people/{Guid.Parse(before.Principal.Subject["person:".Length..])}/roles", new ChangeRolesRequest(["viewer"]));
        Assert.Equal(HttpStatusCode.Conflict, changed.StatusCode);

        await peer.KeepAsync(new OpenIdAccount("ada", "Ada King", "ada@vendor.example", ["viewers"], Amr: Mfa));
        var (_, after) = await host.SignInAsync(peer, "corp", "ada");
        Assert.Equal(before.Principal.Subject, after.Principal.Subject);
        Assert.DoesNotContain("*", after.Principal.Scopes);
        await Eventually.TrueAsync(async () => (await asBefore.GetAsync(new Uri("/api/v1/identity/people", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, "the token of before is worth nothing");
        var person = await host.PersonAsync(after.Principal.Subject);
        Assert.Equal("Ada King", person.Person.Name);
        Assert.Contains(person.History, role => role is { Name: "administrator", Until: not null });
        Assert.Contains(person.History, role => role is { Name: "viewer", Until: null });

        // Without any role there is no session, and those of before end.
        await peer.KeepAsync(new OpenIdAccount("ada", "Ada King", "ada@vendor.example", [], Amr: Mfa));
        var (kept, _) = await (Task<(FederatedSignIn, TradedSession)>)host.SignInAsync(peer, "corp", "grace");
        using var refused = await host.TryAsync(peer, "corp", "ada");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(FederatedPeople.NoRole, await refused.DetailAsync());
        Assert.Equal(0, (await host.PersonAsync(after.Principal.Subject)).Person.Sessions);
        Assert.Empty((await host.PersonAsync(after.Principal.Subject)).Person.Roles);
        Assert.NotNull(await host.TradeAsync(kept.Session!));
    }

    [Fact]
    public async Task Who_never_had_a_role_here_becomes_nobody()
    {
        await peer.KeepAsync(new OpenIdAccount("eve", "Eve", "eve@vendor.example", ["*", "administrator", "visitors"], Amr: Mfa));
        using var refused = await host.TryAsync(peer, "corp", "eve");
        Assert.Equal((HttpStatusCode.Unauthorized, FederatedPeople.NoRole), (refused.StatusCode, await refused.DetailAsync()));
        Assert.Empty(await host.RowsAsync<FederatedIdentity>());
    }

    [Fact]
    public async Task A_second_factor_that_the_provider_does_not_prove_is_set_up_here_before_there_is_a_session_and_asked_for_from_then_on()
    {
        var begun = await host.BeginAsync("corp");
        using var browser = peer.Browser();
        using var answer = await host.FinishAsync("corp", begun.Browser, await peer.SignInAsync(browser, begun.Address, "joan"));
        var missing = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!;
        Assert.Equal(("authenticator", null), (missing.Needs, missing.Session));
        Assert.Contains("Joan", missing.TotpUri, StringComparison.Ordinal);
        Assert.DoesNotContain(await host.RowsAsync<Sessions.Session>(), session => session.PersonId is not null);

        // What is shown stays the same while the page is open, and is shown to no other browser.
        using var anonymous = host.Client(host.Portal);
        using var pending = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/pending", new FederatedSignInRequest(begun.Browser));
        Assert.Equal(missing.TotpSecret, (await pending.Content.ReadFromJsonAsync<FederatedSignIn>())!.TotpSecret);
        using var strangers = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/pending", new FederatedSignInRequest((await host.BeginAsync("corp")).Browser));
        Assert.Equal(HttpStatusCode.Unauthorized, strangers.StatusCode);

        var joan = new SomebodySignedIn(host, "") { Secret = missing.TotpSecret! };
        using var wrong = await ProveAsync(begun.Browser, joan.Code(away: 40));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        using var right = await ProveAsync(begun.Browser, joan.Code());
        var opened = (await right.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!;
        Assert.NotNull(await host.TradeAsync(opened.Session!));
        Assert.Equal(10, opened.RecoveryCodes!.Count);
        using var twice = await ProveAsync(begun.Browser, opened.RecoveryCodes[0]);
        Assert.Equal(HttpStatusCode.Unauthorized, twice.StatusCode);

        // The next time a code is asked for; one of these will do.
        var second = await host.BeginAsync("corp");
        using var asked = await host.FinishAsync("corp", second.Browser, await peer.SignInAsync(browser, second.Address, "joan"));
        var code = (await asked.Content.ReadFromJsonAsync<FederatedSignIn>())!;
        Assert.Equal(("code", null, null), (code.Needs, code.Session, code.TotpSecret));
        using var proved = await ProveAsync(second.Browser, opened.RecoveryCodes[0]);
        var traded = (await host.TradeAsync((await proved.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!.Session!))!;

        // Who lost it sets up another one; there is no password to give back.
        var id = Guid.Parse(traded.Principal.Subject["person:".Length..]);
        using var recovered = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{id}/recover", new PersonActionRequest());
        Assert.Equal(HttpStatusCode.Conflict, recovered.StatusCode);
        using var forgotten = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{id}/forget-authenticator", new PersonActionRequest("lost"));
        Assert.Equal(HttpStatusCode.NoContent, forgotten.StatusCode);
        var (third, _) = await host.SignInAsync(peer, "corp", "joan", browser);
        Assert.Equal("authenticator", third.Needs);
    }

    [Fact]
    public async Task A_passkey_of_the_person_proves_the_second_factor_too_and_nobody_elses_or_an_old_answer_does()
    {
        // While their provider proved the second factor, two people added passkeys; from now on it proves none.
        using var graces = new SoftPasskey { Domain = "control.example.com", Origin = FederationHost.Portal };
        using var adas = new SoftPasskey { Domain = "control.example.com", Origin = FederationHost.Portal };
        foreach (var (login, key) in new[] { ("grace", graces), ("ada", adas) })
        {
            using var api = host.Client(host.Portal, (await host.SignInAsync(peer, "corp", login)).Traded.AccessToken);
            await Eventually.TrueAsync(async () => (await api.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative))).IsSuccessStatusCode, $"{login} is known");
            using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("laptop"));
            var made = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
            using var added = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(made.Challenge, key.Create(made.Options)));
            added.EnsureSuccessStatusCode();
        }

        await peer.KeepAsync(new OpenIdAccount("grace", "Grace Hopper", "grace@vendor.example", ["viewers", "others"]));
        await peer.KeepAsync(new OpenIdAccount("ada", "Ada Lovelace", "ada@vendor.example", ["admins"]));
        var (graceWaits, adaWaits) = (await WaitAsync("grace"), await WaitAsync("ada"));
        using var anonymous = host.Client(host.Portal);
        using var pending = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/pending", new FederatedSignInRequest(graceWaits));
        Assert.True((await pending.Content.ReadFromJsonAsync<FederatedSignIn>())!.AcceptsPasskey);

        // Another's key, another's question, a question that was answered already, and neither a key nor a code.
        var asked = await AskedAsync(graceWaits);
        Assert.Single(asked.Options["allowCredentials"]!.AsArray());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ProvenAsync(graceWaits, asked.Challenge, adas.Get(asked.Options)));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ProvenAsync(graceWaits, asked.Challenge, graces.Get(asked.Options)));
        var others = await AskedAsync(adaWaits);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ProvenAsync(graceWaits, others.Challenge, adas.Get(others.Options)));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ProvenAsync(graceWaits, null, null));
        Assert.DoesNotContain(await host.RowsAsync<Sessions.Session>(), session => session.Factors is { } factors && factors.Contains("hwk", StringComparison.Ordinal));

        // The right one signs her in, once; by itself it opens nothing.
        asked = await AskedAsync(graceWaits);
        var answer = graces.Get(asked.Options);
        var both = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ProvenAsync(graceWaits, asked.Challenge, answer)));
        Assert.Single(both, status => status == HttpStatusCode.OK);
        Assert.Equal("fed hwk user mfa", Assert.Single(await host.RowsAsync<Sessions.Session>(), session => session.Factors!.Contains("hwk", StringComparison.Ordinal)).Factors);
        using var alone = await anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        var question = (await alone.Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var opened = await anonymous.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(question.Challenge, graces.Get(question.Options)));
        Assert.Equal(HttpStatusCode.Unauthorized, opened.StatusCode);

        // Who lost every one begins anew, once an administrator forgot them.
        using var forgotten = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{(await host.RowsAsync<People.Person>()).Single(person => person.Name == "Grace Hopper").Id}/forget-authenticator", new PersonActionRequest("lost"));
        Assert.Equal(HttpStatusCode.NoContent, forgotten.StatusCode);
        Assert.Equal("authenticator", (await host.SignInAsync(peer, "corp", "grace")).SignIn.Needs);

        async Task<string> WaitAsync(string login)
        {
            using var browser = peer.Browser();
            var begun = await host.BeginAsync("corp");
            using var came = await host.FinishAsync("corp", begun.Browser, await peer.SignInAsync(browser, begun.Address, login));

            // Nothing is set up on the way: the first factor would give itself the second.
            var missing = (await came.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<FederatedSignIn>())!;
            Assert.Equal(("passkey", true, null), (missing.Needs, missing.AcceptsPasskey, missing.TotpSecret));
            return begun.Browser;
        }

        async Task<PasskeyChallenge> AskedAsync(string browser)
        {
            using var begun = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/passkey", new FederatedSignInRequest(browser));
            return (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        }

        async Task<HttpStatusCode> ProvenAsync(string browser, string? challenge, string? credential)
        {
            using var proved = await anonymous.PostAsJsonAsync("/api/v1/identity/federation/prove", new ProveFederatedSignInRequest(browser, null, "a test", challenge, credential));
            return proved.StatusCode;
        }
    }

    [Fact]
    public async Task What_waits_for_a_code_ends_with_the_person()
    {
        var begun = await host.BeginAsync("corp");
        using var browser = peer.Browser();
        using var answer = await host.FinishAsync("corp", begun.Browser, await peer.SignInAsync(browser, begun.Address, "joan"));
        var joan = new SomebodySignedIn(host, "") { Secret = (await answer.Content.ReadFromJsonAsync<FederatedSignIn>())!.TotpSecret! };
        var person = Assert.Single(await host.RowsAsync<People.Person>());
        using var disabled = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{person.Id}/disable", new PersonActionRequest());
        disabled.EnsureSuccessStatusCode();
        using var late = await ProveAsync(begun.Browser, joan.Code());
        Assert.Equal(HttpStatusCode.Unauthorized, late.StatusCode);
        using var back = await host.TryAsync(peer, "corp", "joan", browser);
        Assert.Equal((HttpStatusCode.Unauthorized, FederatedPeople.Disabled), (back.StatusCode, await back.DetailAsync()));
    }

    [Fact]
    public async Task A_state_is_good_once_in_the_browser_that_began_and_for_ten_minutes()
    {
        var mine = await host.BeginAsync("corp");
        var others = await host.BeginAsync("corp");
        using var browser = peer.Browser();
        var came = await peer.SignInAsync(browser, mine.Address, "grace");
        foreach (var (provider, secret) in new[] { ("corp", others.Browser), ("ecc", mine.Browser), ("corp", "nonsense") })
        {
            using var refused = await host.FinishAsync(provider, secret, came);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        var query = HttpUtility.ParseQueryString(came.Query);
        using var swapped = await host.FinishAsync("corp", others.Browser, HttpUtility.ParseQueryString(new Uri(others.Address).Query)["state"], query["code"], query["iss"]);
        Assert.Equal(HttpStatusCode.Unauthorized, swapped.StatusCode);
        var attempt = Assert.Single(await host.RowsAsync<SignInAttempt>(), row => row.StateSha256.SequenceEqual(SignInAttempt.Digest(query["state"]!)));
        Assert.Equal(TimeSpan.FromMinutes(10), attempt.ExpiresAt - attempt.CreatedAt);
        Assert.Null(attempt.AnsweredAt);

        // A code that was tried in vain is used up at the provider; a fresh sign-in is good, once.
        var fresh = await host.BeginAsync("corp");
        var good = await peer.SignInAsync(browser, fresh.Address, "grace");
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => host.FinishAsync("corp", fresh.Browser, good)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.StatusCode != HttpStatusCode.OK), answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));
    }

    [Fact]
    public async Task Nothing_that_finishes_a_sign_in_stands_in_the_database_or_in_what_the_provider_is_sent()
    {
        var begun = await host.BeginAsync("corp");
        var sent = HttpUtility.ParseQueryString(new Uri(begun.Address).Query);
        Assert.Equal(("code", "S256", "mission-control-corp", $"{FederationHost.Portal}/signin/corp/callback"), (sent["response_type"], sent["code_challenge_method"], sent["client_id"], sent["redirect_uri"]));
        Assert.Equal(43, sent["state"]!.Length);
        Assert.Equal(43, sent["nonce"]!.Length);
        Assert.NotEqual(SignInAttempt.VerifierOf(begun.Browser), sent["code_challenge"]);
        Assert.DoesNotContain(begun.Browser, begun.Address, StringComparison.Ordinal);
        var files = Directory.GetFiles(host.Data, "missioncontrol.db*").SelectMany(file => { using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite); var bytes = new byte[stream.Length]; stream.ReadExactly(bytes); return bytes; }).ToArray();
        foreach (var secret in new[] { begun.Browser, sent["state"]!, sent["nonce"]!, SignInAttempt.VerifierOf(begun.Browser) })
        {
            Assert.Equal(-1, files.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(secret)));
        }
    }

    [Fact]
    public async Task Whoever_declines_is_told_so_and_nothing_came_of_it()
    {
        using var refused = await host.TryAsync(peer, "corp", "grace", declines: true);
        Assert.Equal((HttpStatusCode.Unauthorized, "The provider says that the sign-in was declined."), (refused.StatusCode, await refused.DetailAsync()));
        Assert.Equal("The provider says that the sign-in was declined.", (await host.RefusalsAsync(1))[0]);
    }

    [Fact]
    public async Task A_claimed_address_links_nobody_and_a_password_never_opens_a_federated_person()
    {
        var local = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "administrator");
        var (_, traded) = await host.SignInAsync(peer, "corp", "grace");
        Assert.NotEqual((await local.TradeAsync())!.Principal.Subject, traded.Principal.Subject);
        Assert.DoesNotContain("*", traded.Principal.Scopes);
        Assert.NotNull(await local.TradeAsync());

        // The address of the federated one is nobody's at the form, and does not stand in the way of an invitation.
        await host.SignInAsync(peer, "corp", "ada");
        await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        await peer.KeepAsync(new OpenIdAccount("mary", "Mary", "mary@vendor.example", ["viewers"], Amr: Mfa));
        await host.SignInAsync(peer, "corp", "mary");
        foreach (var password in new[] { SomebodySignedIn.Password, "\0", " " })
        {
            using var tried = await new SomebodySignedIn(host, "mary@vendor.example") { Secret = "" }.TryAsync(password, "000000");
            Assert.NotEqual(HttpStatusCode.OK, tried.StatusCode);
        }
    }

    [Fact]
    public async Task Who_signs_out_at_the_provider_is_signed_out_here()
    {
        using var browser = peer.Browser();
        using var elsewhere = peer.Browser();
        var (here, _) = await host.SignInAsync(peer, "corp", "grace", browser);
        var (there, _) = await host.SignInAsync(peer, "corp", "grace", elsewhere);
        var (others, _) = await host.SignInAsync(peer, "corp", "ada");
        await peer.SignOutAsync(browser);
        await Eventually.TrueAsync(async () => await host.TradeAsync(here.Session!) is null, $"the session has ended; {string.Join(' ', peer.Errors)}");
        Assert.NotNull(await host.TradeAsync(there.Session!));
        Assert.NotNull(await host.TradeAsync(others.Session!));
    }

    [Fact]
    public async Task The_last_administrator_with_a_password_stays_one_and_is_loud()
    {
        var local = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        await host.SignInAsync(peer, "corp", "ada");
        var id = Guid.Parse((await local.TradeAsync())!.Principal.Subject["person:".Length..]);
        using var disabled = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest());
        Assert.Equal(HttpStatusCode.Conflict, disabled.StatusCode);

        using var signedIn = await local.TryAsync(code: local.RecoveryCodes[0]);
        Assert.Equal(HttpStatusCode.OK, signedIn.StatusCode);
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.local-administrator-signed-in"))!.Items is [{ } typed, { } accepted] && typed.Entry.GetProperty("actor").GetProperty("auth").GetString() == "password" && accepted.Entry.GetProperty("actor").GetProperty("auth").GetString() == "invitation", "the log says so, each time");
    }

    private async Task<HttpResponseMessage> ProveAsync(string browser, string code)
    {
        using var anonymous = host.Client(host.Portal);
        return await anonymous.PostAsJsonAsync("/api/v1/identity/federation/prove", new ProveFederatedSignInRequest(browser, code, "a test"));
    }
}
