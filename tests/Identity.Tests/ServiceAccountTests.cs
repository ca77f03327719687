using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Testing;
using Xunit;
using static MissionControl.Identity.Tests.ProgramsHost;

namespace MissionControl.Identity.Tests;

/// <summary>Programs: who makes them, what they may do, and who gives them what matters most.</summary>
public sealed class ServiceAccountTests : IAsyncLifetime
{
    private const string Path = "/api/v1/identity/service-accounts";
    private ProgramsHost programs = null!;

    private ControlPlane Host => programs.Host;

    public async ValueTask InitializeAsync() => programs = await ProgramsHost.StartAsync();

    public ValueTask DisposeAsync() => programs.DisposeAsync();

    [Fact]
    public async Task What_the_account_loses_its_tokens_lose_and_when_it_is_disabled_they_open_nothing()
    {
        var account = await programs.MakeAsync("billing", ["licensing:read", "fleet:read"]);
        var token = await ReadAsync<CreatedToken>(await programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/tokens", new CreateAccountTokenRequest("export")));
        await programs.KnownAsync(token.Token);
        Assert.Equal(HttpStatusCode.OK, await programs.CallAsync(token.Token));
        var item = (await programs.Api.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{token.Id}"))!;
        Assert.Equal((account.Id, "bearer", null), (item.AccountId!.Value, item.Use, item.PersonId));

        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/take-scope", new TakeScopeRequest("licensing:read"))));
        await Eventually.TrueAsync(async () => await programs.CallAsync(token.Token) == HttpStatusCode.Forbidden, "the token lost it, too", TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.OK, await programs.CallAsync(token.Token, "/api/v1/fleet/clusters"));

        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/disable", new ServiceAccountActionRequest())));
        await programs.KnownAsync(token.Token, isGood: false);
        Assert.Equal("conflict", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/secrets", new CreateClientSecretRequest())));

        // Enabling is confirmed; then it is as it was.
        using var unconfirmed = await programs.Root.ApiAsync(confirms: false);
        Assert.Equal("step-up-required", await CodeAsync(unconfirmed.PostAsJsonAsync($"{Path}/{account.Id}/enable", new ServiceAccountActionRequest())));
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/enable", new ServiceAccountActionRequest())));
        await programs.KnownAsync(token.Token);
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=mail&limit=500"))!.Items.Count(one => one.Recipient == "root@vendor.example") >= 5, "the owner is told of each step");
    }

    [Fact]
    public async Task A_sensitive_right_is_asked_for_by_one_person_and_granted_by_another_who_confirms_it()
    {
        var account = await programs.MakeAsync("provisioning", ["fleet:read"]);
        Assert.Equal("done", await CodeAsync(Ask(programs.Api, account.Id, "licensing:write")));
        var asked = await ReadAsync<AskedScope>(await Ask(programs.Api, account.Id, "identity:write"));
        Assert.Equal("conflict", await CodeAsync(Ask(programs.Api, account.Id, "identity:write")));
        var grant = $"{Path}/{account.Id}/scope-requests/{asked.Id}/grant";

        // Not whoever asked, owns and made it; no program; nobody who does not hold it; nobody without confirming it.
        Assert.Equal("conflict", await CodeAsync(programs.Api.PostAsync(new Uri(grant, UriKind.Relative), null)));
        Assert.Equal("step-up-impossible", await CodeAsync(Host.Admin.PostAsync(new Uri(grant, UriKind.Relative), null)));

        // Nor whom they made themselves: one human with two accounts is no second person.
        var twin = await SomebodySignedIn.InviteByAsync(Host, programs.Root, "root+2@vendor.example", "administrator");
        using var twins = await twin.ApiAsync();
        Assert.Equal("conflict", await CodeAsync(twins.PostAsync(new Uri(grant, UriKind.Relative), null)));
        var joan = await SomebodySignedIn.InviteAsync(Host, "joan@vendor.example", "administrator");
        using var unconfirmed = await joan.ApiAsync(confirms: false);
        Assert.Equal("step-up-required", await CodeAsync(unconfirmed.PostAsync(new Uri(grant, UriKind.Relative), null)));
        Assert.Equal(["fleet:read"], (await programs.DetailAsync(account.Id)).Account.Scopes);

        // The proof is for this account, this request and this right.
        using var refusal = await unconfirmed.PostAsync(new Uri(grant, UriKind.Relative), null);
        var demand = (await refusal.Content.ReadFromJsonAsync<ProblemDocument>())!.StepUp!;
        Assert.Equal(StepUp.Grant(account.Id, asked.Id, "identity:write").Digest, demand.SubjectDigest);
        Assert.NotEqual(StepUp.Grant(account.Id, asked.Id, "licensing:write").Digest, demand.SubjectDigest);

        using var joans = await joan.ApiAsync();
        Assert.Equal("done", await CodeAsync(joans.PostAsync(new Uri(grant, UriKind.Relative), null)));
        Assert.Equal("conflict", await CodeAsync(joans.PostAsync(new Uri(grant, UriKind.Relative), null)));
        var detail = await programs.DetailAsync(account.Id);
        Assert.Equal(["fleet:read", "identity:write"], detail.Account.Scopes);
        Assert.Equal("granted", detail.Requests.Single(one => one.Id == asked.Id).State);
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.scope-granted"))!.Items.Any(one => one.TargetId == account.Id.ToString()), "it is in the log");

        // What was asked for is withdrawn by whoever asked, refused by whoever may, and forgotten after a week.
        var other = detail.Requests.Single(one => one.Scope == "licensing:write").Id;
        Assert.Equal("conflict", await CodeAsync(joans.PostAsync(new Uri($"{Path}/{account.Id}/scope-requests/{other}/withdraw", UriKind.Relative), null)));
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsync(new Uri($"{Path}/{account.Id}/scope-requests/{other}/withdraw", UriKind.Relative), null)));
        Assert.Equal("conflict", await CodeAsync(joans.PostAsync(new Uri($"{Path}/{account.Id}/scope-requests/{other}/grant", UriKind.Relative), null)));
        var third = await ReadAsync<AskedScope>(await Ask(programs.Api, account.Id, "updates:write"));
        Assert.Equal("done", await CodeAsync(joans.PostAsJsonAsync($"{Path}/{account.Id}/scope-requests/{third.Id}/refuse", new ServiceAccountActionRequest("not for this one"))));
        var fourth = await ReadAsync<AskedScope>(await Ask(programs.Api, account.Id, "updates:write"));
        programs.Time.Advance(TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));
        var fresh = await SignedInAnewAsync(joan);
        Assert.Equal("conflict", await CodeAsync(fresh.PostAsync(new Uri($"{Path}/{account.Id}/scope-requests/{fourth.Id}/grant", UriKind.Relative), null)));
        fresh.Dispose();
    }

    [Fact]
    public async Task Whoever_owns_or_made_the_account_grants_it_nothing_and_what_a_stopped_person_asked_for_is_granted_by_nobody()
    {
        var joan = await SomebodySignedIn.InviteAsync(Host, "joan@vendor.example", "administrator");
        var mary = await SomebodySignedIn.InviteByAsync(Host, programs.Root, "mary@vendor.example", "administrator");
        var security = await SomebodySignedIn.InviteByAsync(Host, programs.Root, "sec@vendor.example", "security-officer");
        using var joans = await joan.ApiAsync();
        using var marys = await mary.ApiAsync();
        using var securitys = await security.ApiAsync();
        var people = (await programs.Api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items;
        var joansId = people.Single(one => one.Email == "joan@vendor.example").Id;
        var made = await ReadAsync<CreatedServiceAccount>(await programs.Api.PostAsJsonAsync(Path, new CreateServiceAccountRequest("ci", [], OwnerId: joansId, Networks: Anywhere)));
        var asked = await ReadAsync<AskedScope>(await Ask(marys, made.Id, "updates:write"));
        var grant = new Uri($"{Path}/{made.Id}/scope-requests/{asked.Id}/grant", UriKind.Relative);
        Assert.Equal("conflict", await CodeAsync(joans.PostAsync(grant, null)));
        Assert.Equal("conflict", await CodeAsync(programs.Api.PostAsync(grant, null)));

        // A security officer holds identity:write, and not this right.
        Assert.Equal("conflict", await CodeAsync(securitys.PostAsync(grant, null)));
        var marysId = people.Single(one => one.Email == "mary@vendor.example").Id;
        var fourth = await SomebodySignedIn.InviteByAsync(Host, programs.Root, "fay@vendor.example", "administrator");
        using var fays = await fourth.ApiAsync();
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"/api/v1/identity/people/{marysId}/disable", new PersonActionRequest())));
        Assert.Equal("conflict", await CodeAsync(fays.PostAsync(grant, null)));
        Assert.Empty((await programs.DetailAsync(made.Id)).Account.Scopes);
    }

    [Fact]
    public async Task No_sensitive_right_comes_in_at_creation_or_beside_the_fields_that_there_are()
    {
        foreach (var scope in ApiScopes.Sensitive.Append("*"))
        {
            using var answer = await programs.Api.PostAsJsonAsync(Path, new CreateServiceAccountRequest("x", ["fleet:read", scope], Networks: Anywhere));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            Assert.Contains((await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!, error => error is { Pointer: "/scopes/1", Code: "needs-a-second-person" });
        }

        Assert.Equal("invalid", await CodeAsync(programs.Api.PostAsJsonAsync(Path, new CreateServiceAccountRequest("x", ["fleet:read", "nothing:known"], Networks: Anywhere))));
        Assert.Equal("invalid", await CodeAsync(programs.Api.PostAsJsonAsync(Path, new CreateServiceAccountRequest("x", ["fleet:read"]))));
        Assert.Equal("invalid", await CodeAsync(programs.Api.PostAsJsonAsync(Path, new CreateServiceAccountRequest("x", ["fleet:read"], Networks: ["0.0.0.0/0"]))));

        using var stuffed = await programs.Api.PostAsync(new Uri(Path, UriKind.Relative), Json("""{"name":"stuffed","scopes":["fleet:read"],"networks":["127.0.0.0/8"],"grantedScopes":["identity:write"],"Scopes2":["*"],"madeBy":"person:x","version":7,"isActive":true,"clientId":"me"}"""));
        if (stuffed.IsSuccessStatusCode)
        {
            var account = (await stuffed.Content.ReadFromJsonAsync<CreatedServiceAccount>())!;
            var detail = await programs.DetailAsync(account.Id);
            Assert.Equal(["fleet:read"], detail.Account.Scopes);
            Assert.Equal((1L, account.Id.ToString("N")), (detail.Account.Version, detail.Account.ClientId));

            // Nor afterwards: there is nothing to patch.
            foreach (var method in new[] { HttpMethod.Patch, HttpMethod.Put })
            {
                using var request = new HttpRequestMessage(method, new Uri($"{Path}/{account.Id}", UriKind.Relative)) { Content = Json("""{"scopes":["identity:write"]}""") };
                using var answer = await programs.Api.SendAsync(request);
                Assert.False(answer.IsSuccessStatusCode);
            }

            Assert.Equal("invalid", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/tokens", new CreateAccountTokenRequest("more", ["fleet:read", "identity:write"]))));
            Assert.Equal(["fleet:read"], (await programs.DetailAsync(account.Id)).Account.Scopes);
        }
    }

    [Fact]
    public async Task A_persons_token_holds_nothing_sensitive_and_a_session_by_itself_makes_no_program()
    {
        foreach (var scope in ApiScopes.Sensitive.Append("*"))
        {
            Assert.Equal("invalid", await CodeAsync(programs.Api.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("mine", [scope], Networks: Anywhere))));
        }

        using var unconfirmed = await programs.Root.ApiAsync(confirms: false);
        Assert.Equal("step-up-required", await CodeAsync(unconfirmed.PostAsJsonAsync(Path, new CreateServiceAccountRequest("x", ["fleet:read"], Networks: Anywhere))));
        var account = await programs.MakeAsync("x", ["fleet:read"]);
        Assert.Equal("step-up-required", await CodeAsync(unconfirmed.PostAsJsonAsync($"{Path}/{account.Id}/secrets", new CreateClientSecretRequest())));
        Assert.Equal("step-up-required", await CodeAsync(unconfirmed.PostAsJsonAsync($"{Path}/{account.Id}/tokens", new CreateAccountTokenRequest("x"))));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Equal("step-up-required", await CodeAsync(unconfirmed.PostAsJsonAsync($"{Path}/{account.Id}/keys", new AddClientKeyRequest("x", key.ExportSubjectPublicKeyInfoPem()))));
    }

    [Fact]
    public async Task A_customers_administrator_makes_programs_of_its_own_customer_only_and_sees_no_other()
    {
        var (acme, other) = (await Host.CreateCustomerAsync("Acme"), await Host.CreateCustomerAsync("Other"));
        var ada = await SomebodySignedIn.InviteByAsync(Host, programs.Root, "ada@acme.example", "customer-administrator", acme.Id);
        using var adas = await ada.ApiAsync();
        var (staffs, theirs) = (await programs.MakeAsync("of the vendor", ["fleet:read"]), await programs.MakeAsync("of another", ["fleet:read"], other.Id));

        // Without a customer it is Ada's own; with another one it is nothing; a right of the vendor's is not hers to give.
        var own = await programs.MakeAsync("mine", ["fleet:read"], null, adas);
        Assert.Equal(acme.Id, (await programs.DetailAsync(own.Id)).Account.CustomerId);
        Assert.Equal("invalid", await CodeAsync(adas.PostAsJsonAsync(Path, new CreateServiceAccountRequest("x", ["fleet:read"], other.Id))));
        Assert.Equal("invalid", await CodeAsync(adas.PostAsJsonAsync(Path, new CreateServiceAccountRequest("x", ["system:read"]))));
        Assert.Equal([own.Id], (await adas.GetFromJsonAsync<Page<ServiceAccountItem>>(Path))!.Items.Select(one => one.Id));
        foreach (var id in new[] { staffs.Id, theirs.Id, Guid.NewGuid() })
        {
            Assert.Equal("not-found", await CodeAsync(adas.GetAsync(new Uri($"{Path}/{id}", UriKind.Relative))));
            Assert.Equal("not-found", await CodeAsync(adas.PostAsJsonAsync($"{Path}/{id}/disable", new ServiceAccountActionRequest())));
            Assert.Equal("not-found", await CodeAsync(adas.PostAsJsonAsync($"{Path}/{id}/secrets", new CreateClientSecretRequest())));
            Assert.Equal("not-found", await CodeAsync(Ask(adas, id, "identity:write")));
        }

        // Alone she grants herself nothing.
        var asked = await ReadAsync<AskedScope>(await Ask(adas, own.Id, "identity:write"));
        Assert.Equal("conflict", await CodeAsync(adas.PostAsync(new Uri($"{Path}/{own.Id}/scope-requests/{asked.Id}/grant", UriKind.Relative), null)));
    }

    [Fact]
    public async Task A_program_neither_changes_itself_nor_makes_what_outlives_it()
    {
        var joan = await SomebodySignedIn.InviteAsync(Host, "joan@vendor.example", "administrator");
        using var joans = await joan.ApiAsync();
        var account = await programs.MakeAsync("strong", ["identity:read", "fleet:read"]);
        var asked = await ReadAsync<AskedScope>(await Ask(programs.Api, account.Id, "identity:write"));
        Assert.Equal("done", await CodeAsync(joans.PostAsync(new Uri($"{Path}/{account.Id}/scope-requests/{asked.Id}/grant", UriKind.Relative), null)));
        var token = await ReadAsync<CreatedToken>(await programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/tokens", new CreateAccountTokenRequest("it")));
        await programs.KnownAsync(token.Token);
        using var program = Host.Client(Host.Portal, token.Token);
        Assert.Equal("conflict", await CodeAsync(program.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("child", ["identity:write"], Networks: Anywhere))));
        Assert.Equal("conflict", await CodeAsync(program.PostAsJsonAsync(Path, new CreateServiceAccountRequest("child", ["fleet:read"], Networks: Anywhere))));
        Assert.Equal("conflict", await CodeAsync(program.PostAsJsonAsync($"{Path}/{account.Id}/secrets", new CreateClientSecretRequest())));
        Assert.Equal("conflict", await CodeAsync(Ask(program, account.Id, "updates:write")));
        Assert.Equal("conflict", await CodeAsync(program.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null)));

        // Its own token it may rotate; the account stays its account.
        var rotated = await ReadAsync<RotatedToken>(await program.PostAsJsonAsync("/api/v1/identity/me/token/rotate", new RotateTokenRequest()));
        Assert.Equal(account.Id, (await programs.Api.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{rotated.Id}"))!.AccountId);
    }

    [Fact]
    public async Task Secrets_are_two_at_most_keys_are_public_and_strong_and_a_leaked_secret_is_dead()
    {
        var account = await programs.MakeAsync("billing", ["licensing:read"]);
        var first = await programs.SecretAsync(account.Id);
        await programs.SecretAsync(account.Id);
        Assert.Equal("conflict", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/secrets", new CreateClientSecretRequest())));
        Assert.Equal("conflict", await CodeAsync(programs.Api.PostAsJsonAsync($"/api/v1/identity/tokens/{first.Id}/rotate", new RotateTokenRequest())));

        // It is no bearer, and whoever finds it ends it as any token.
        Assert.Equal(HttpStatusCode.Unauthorized, await programs.CallAsync(first.Token));
        await programs.AccessAsync(account.ClientId, first.Token);
        using var stranger = Host.Client(Host.Portal);
        var reported = await ReadAsync<ReportedLeak>(await stranger.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(first.Token)));
        Assert.Equal("leaked", reported.Verdict);
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=mail&limit=500"))!.Items.Any(one => one.Recipient == "root@vendor.example" && one.Subject.Contains("leaked", StringComparison.Ordinal)), "who answers for it is told");
        Assert.Equal(HttpStatusCode.Unauthorized, (await programs.ExchangeAsync(new Dictionary<string, string> { ["grant_type"] = "client_credentials" }, (account.ClientId, first.Token))).Status);
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/secrets", new CreateClientSecretRequest())));

        using var weak = RSA.Create(1024);
        using var strong = RSA.Create(2048);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        foreach (var (wrong, algorithm) in new[]
        {
            (weak.ExportSubjectPublicKeyInfoPem(), null), (other.ExportSubjectPublicKeyInfoPem(), null), (p256.ExportPkcs8PrivateKeyPem(), null), (strong.ExportRSAPrivateKeyPem(), null), ("nonsense", null), ("{}", null),
            ("""{"kty":"oct","k":"AAAA"}""", null), (p256.ExportSubjectPublicKeyInfoPem(), "RS256"), (strong.ExportSubjectPublicKeyInfoPem(), "ES256"), ("""{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}""", (string?)null),
        })
        {
            Assert.Equal((wrong, "invalid"), (wrong, await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/keys", new AddClientKeyRequest("x", wrong, algorithm)))));
        }

        await programs.AddKeyAsync(account.Id, strong.ExportSubjectPublicKeyInfoPem(), "PS256");
        var added = await programs.AddKeyAsync(account.Id, p256.ExportSubjectPublicKeyInfoPem());
        Assert.Equal("conflict", await CodeAsync(programs.Api.PostAsJsonAsync($"{Path}/{account.Id}/keys", new AddClientKeyRequest("again", p256.ExportSubjectPublicKeyInfoPem()))));
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsync(new Uri($"{Path}/{account.Id}/keys/{added.Id}/revoke", UriKind.Relative), null)));
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    private static Task<HttpResponseMessage> Ask(HttpClient by, Guid account, string scope) => by.PostAsJsonAsync($"{Path}/{account}/scope-requests", new AskScopeRequest(scope, "the program needs it"));

    private async Task<HttpClient> SignedInAnewAsync(SomebodySignedIn somebody)
    {
        using var answer = await somebody.TryAsync(code: somebody.RecoveryCodes.Count > 0 ? somebody.RecoveryCodes[0] : null);
        somebody.Session = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        return await somebody.ApiAsync();
    }
}
