using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;
using static MissionControl.Identity.Tests.ProgramsHost;

namespace MissionControl.Identity.Tests;

/// <summary>What somebody tries who holds a token, a key, an assertion or nothing at all.</summary>
public sealed class OAuthAttackTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Grant = new() { ["grant_type"] = "client_credentials" };
    private ProgramsHost programs = null!;
    private CreatedServiceAccount account = null!;
    private CreatedToken secret = null!;

    public async ValueTask InitializeAsync()
    {
        programs = await StartAsync();
        account = await programs.MakeAsync("billing", ["licensing:read"]);
        secret = await programs.SecretAsync(account.Id);
    }

    public ValueTask DisposeAsync() => programs.DisposeAsync();

    [Fact]
    public async Task A_token_is_of_one_algorithm_key_type_issuer_and_audience_and_nothing_else_opens_anything()
    {
        var good = await programs.AccessAsync(account.ClientId, secret.Token);
        await programs.KnownAsync(good);
        using var own = Key("client-token.pem");
        using var users = Key("user-token.pem");
        using var strange = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (header, claims) = (Part(good, 0), Part(good, 1));
        var (kid, usersKid) = (header["kid"]!.GetValue<string>(), Kid(users));
        var spki = own.ExportSubjectPublicKeyInfo();
        JsonObject Header(Action<JsonObject> change) => Changed(header, change);
        JsonObject Claims(Action<JsonObject> change) => Changed(claims, change);

        // That what is made here would be taken, were nothing wrong about it, shows that each of the others is refused for what is wrong.
        Assert.Equal(HttpStatusCode.OK, await programs.CallAsync(Sign(header, claims, own)));
        var now = programs.Time.GetUtcNow().ToUnixTimeSeconds();
        var nobody = Guid.NewGuid().ToString("N");
        (string What, string Token)[] attacks =
        [
            ("none", $"{Encode(Header(one => one["alg"] = "none"))}.{Encode(claims)}."),
            ("none with the signature", $"{Encode(Header(one => one["alg"] = "none"))}.{Encode(claims)}.{good.Split('.')[2]}"),
            ("HS256 with the public key", Sign(Header(one => one["alg"] = "HS256"), claims, null, spki)),
            ("HS256 with its PEM", Sign(Header(one => one["alg"] = "HS256"), claims, null, Encoding.ASCII.GetBytes(own.ExportSubjectPublicKeyInfoPem()))),
            ("another key by the right name", Sign(header, claims, strange)),
            ("a name that nobody has", Sign(Header(one => one["kid"] = "nobody"), claims, own)),
            ("no name", Sign(Header(one => one.Remove("kid")), claims, own)),
            ("a key beside it", Sign(Header(one => { one["kid"] = Kid(strange); one["jwk"] = new JsonObject { ["kty"] = "EC" }; }), claims, strange)),
            ("the key of user tokens by its own name", Sign(Header(one => one["kid"] = usersKid), claims, users)),
            ("the key of user tokens by ours", Sign(header, claims, users)),
            ("our key by the name of user tokens", Sign(Header(one => one["kid"] = usersKid), claims, own)),
            ("another audience", Sign(header, Claims(one => one["aud"] = "https://elsewhere.example/api"), own)),
            ("two audiences", Sign(header, Claims(one => one["aud"] = new JsonArray($"{programs.Issuer}/api", "x")), own)),
            ("the audience of user tokens", Sign(header, Claims(one => one["aud"] = "missioncontrol"), own)),
            ("another issuer", Sign(header, Claims(one => one["iss"] = "https://elsewhere.example"), own)),
            ("the issuer of user tokens", Sign(header, Claims(one => one["iss"] = "missioncontrol/identity"), own)),
            ("an id_token", Sign(Header(one => one["typ"] = "JWT"), claims, own)),
            ("a user token's type", Sign(Header(one => one["typ"] = "mc-user+jwt"), claims, own)),
            ("a proof's type", Sign(Header(one => one["typ"] = "mc-stepup+jwt"), claims, own)),
            ("no type", Sign(Header(one => one.Remove("typ")), claims, own)),
            ("expired", Sign(header, Claims(one => { one["iat"] = now - 601; one["exp"] = now - 1; }), own)),
            ("one that lives for a year", Sign(header, Claims(one => one["exp"] = now + (365 * 86_400)), own)),
            ("of tomorrow", Sign(header, Claims(one => { one["iat"] = now + 86_400; one["exp"] = now + 86_999; }), own)),
            ("another subject", Sign(header, Claims(one => one["sub"] = "person:x"), own)),
            ("a client that is none", Sign(header, Claims(one => (one["sub"], one["client_id"]) = (nobody, nobody)), own)),
            ("bound to a customer that it is not", Sign(header, Claims(one => one["customer"] = Guid.NewGuid().ToString()), own)),
            ("a claim more", Sign(header, Claims(one => one["person"] = Guid.NewGuid().ToString()), own)),
            ("no end", Sign(header, Claims(one => one.Remove("exp")), own)),
            ("cut", good[..^4]),
            ("too long", good + new string('A', 10_000)),
        ];
        foreach (var (what, token) in attacks)
        {
            Assert.Equal((what, HttpStatusCode.Unauthorized), (what, await programs.CallAsync(token)));
        }

        // A scope that the account does not hold is none, whoever signed it.
        Assert.Equal(HttpStatusCode.Forbidden, await programs.CallAsync(Sign(header, Claims(one => one["scope"] = "* fleet:read identity:read"), own), "/api/v1/fleet/clusters"));
    }

    [Fact]
    public async Task No_token_of_one_kind_is_one_of_another()
    {
        var access = await programs.AccessAsync(account.ClientId, secret.Token);
        await programs.KnownAsync(access);
        var user = programs.Api.DefaultRequestHeaders.Authorization!.Parameter!;
        using var own = Key("client-token.pem");
        using var users = Key("user-token.pem");

        // An access token signs nobody in and confirms nothing; our keys are apart in both directions.
        using var by = programs.Host.Client(programs.Host.Portal, access);
        Assert.Equal("conflict", await CodeAsync(by.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null)));
        Assert.Equal("step-up-impossible", await CodeAsync(by.PostAsJsonAsync("/api/v1/identity/me/step-up/begin", new BeginStepUpRequest("identity", StepUp.ChangeRole, StepUp.Recover(Guid.NewGuid()).Digest))));
        Assert.Equal("conflict", await CodeAsync(by.PostAsJsonAsync("/api/v1/identity/me/token/rotate", new RotateTokenRequest())));
        var head = Part(user, 0);
        Assert.Equal(HttpStatusCode.OK, await programs.CallAsync(Sign(head, Part(user, 1), users)));
        Assert.Equal(HttpStatusCode.Unauthorized, await programs.CallAsync(Sign(Changed(head, one => one["kid"] = Kid(own)), Part(user, 1), own)));
        Assert.Equal(HttpStatusCode.Unauthorized, await programs.CallAsync(Sign(Part(access, 0), Part(user, 1), own)));
        using var unconfirmed = await programs.Root.ApiAsync(confirms: false);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/identity/service-accounts", UriKind.Relative)) { Content = JsonContent.Create(new CreateServiceAccountRequest("x", ["fleet:read"], Networks: Anywhere)) };
        request.Headers.Add(StepUp.Header, access);
        Assert.Equal("step-up-required", await CodeAsync(unconfirmed.SendAsync(request)));
    }

    [Fact]
    public async Task An_assertion_counts_once_even_fifty_times_at_once()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var added = await programs.AddKeyAsync(account.Id, key.ExportSubjectPublicKeyInfoPem());
        var assertion = programs.Assertion(account.ClientId, key, added.Kid);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => programs.AssertAsync(assertion)));
        Assert.Equal(1, answers.Count(answer => answer.Status == HttpStatusCode.OK));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => Assert.Contains(answer.Body["error"]!.GetValue<string>(), new[] { "invalid_client", "temporarily_unavailable" }));
        await Eventually.TrueAsync(async () => (await programs.Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.client-refused"))!.Items
            .Any(entry => entry.TargetId == account.Id.ToString() && entry.Reason == "the assertion was used already"), "the replay is in the log");
    }

    [Fact]
    public async Task An_assertion_is_of_its_client_by_its_key_and_algorithm_for_us_alone_and_for_minutes()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var strange = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        var other = await programs.MakeAsync("other", ["licensing:read"]);
        var (kid, theirs) = ((await programs.AddKeyAsync(account.Id, key.ExportSubjectPublicKeyInfoPem())).Kid, (await programs.AddKeyAsync(other.Id, strange.ExportSubjectPublicKeyInfoPem())).Kid);
        var rsaKid = (await programs.AddKeyAsync(account.Id, rsa.ExportSubjectPublicKeyInfoPem(), "PS256")).Kid;
        var id = account.ClientId;
        var now = programs.Time.GetUtcNow().ToUnixTimeSeconds();
        foreach (var good in new[]
        {
            programs.Assertion(id, key, kid), programs.Assertion(id, key), programs.Assertion(id, rsa, rsaKid, "PS256"), programs.Assertion(id, key, kid, claims: one => one["aud"] = $"{programs.Issuer}{TokenPath}"),
            programs.Assertion(id, key, kid, claims: one => one["aud"] = new JsonArray(programs.Issuer)), programs.Assertion(id, key, kid, header: one => one["typ"] = "client-authentication+jwt"), programs.Assertion(id, key, kid, header: one => one.Remove("typ")),
        })
        {
            Assert.Equal(HttpStatusCode.OK, (await programs.AssertAsync(good)).Status);
        }

        (string What, string Assertion)[] attacks =
        [
            ("none", programs.Assertion(id, key, kid, "none")),
            ("HS256 with the public key", Sign(new JsonObject { ["alg"] = "HS256", ["kid"] = kid }, Part(programs.Assertion(id, key), 1), null, key.ExportSubjectPublicKeyInfo())),
            ("HS256 with its PEM", Sign(new JsonObject { ["alg"] = "HS256", ["kid"] = kid }, Part(programs.Assertion(id, key), 1), null, Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()))),
            ("another algorithm of the same key", programs.Assertion(id, rsa, rsaKid, "RS256")),
            ("a strange key", programs.Assertion(id, strange, kid)),
            ("another client's key by its name", programs.Assertion(id, strange, theirs)),
            ("another client's key without a name", programs.Assertion(id, strange)),
            ("a name that nobody has", programs.Assertion(id, key, "nobody")),
            ("our key for another client", programs.Assertion(other.ClientId, key, kid)),
            ("issuer and subject differ", programs.Assertion(id, key, kid, claims: one => one["iss"] = other.ClientId)),
            ("another audience", programs.Assertion(id, key, kid, claims: one => one["aud"] = "https://elsewhere.example")),
            ("a slash more", programs.Assertion(id, key, kid, claims: one => one["aud"] = programs.Issuer + "/")),
            ("somebody else besides", programs.Assertion(id, key, kid, claims: one => one["aud"] = new JsonArray(programs.Issuer, "https://elsewhere.example"))),
            ("no audience", programs.Assertion(id, key, kid, claims: one => one.Remove("aud"))),
            ("expired", programs.Assertion(id, key, kid, claims: one => one["exp"] = now - 60)),
            ("for an hour", programs.Assertion(id, key, kid, claims: one => one["exp"] = now + 3600)),
            ("without an end", programs.Assertion(id, key, kid, claims: one => one.Remove("exp"))),
            ("not yet", programs.Assertion(id, key, kid, claims: one => one["nbf"] = now + 120)),
            ("without an id", programs.Assertion(id, key, kid, claims: one => one.Remove("jti"))),
            ("with an endless id", programs.Assertion(id, key, kid, claims: one => one["jti"] = new string('x', 201))),
            ("an access token's type", programs.Assertion(id, key, kid, header: one => one["typ"] = "at+jwt")),
            ("no JWT", "nonsense"),
            ("too long", programs.Assertion(id, key, kid, claims: one => one["more"] = new string('x', 9000))),
        ];
        foreach (var (what, assertion) in attacks)
        {
            var (status, body) = await programs.AssertAsync(assertion);
            Assert.Equal((what, HttpStatusCode.Unauthorized, "invalid_client"), (what, status, body["error"]!.GetValue<string>()));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await programs.AssertAsync(programs.Assertion(id, key, kid), other.ClientId)).Status);
    }

    [Fact]
    public async Task One_answer_tells_nothing_of_which_clients_there_are()
    {
        var disabled = await programs.MakeAsync("stopped", ["licensing:read"]);
        var theirs = await programs.SecretAsync(disabled.Id);
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"/api/v1/identity/service-accounts/{disabled.Id}/disable", new ServiceAccountActionRequest())));
        var bearer = await ReadAsync<CreatedToken>(await programs.Api.PostAsJsonAsync($"/api/v1/identity/service-accounts/{account.Id}/tokens", new CreateAccountTokenRequest("bearer")));
        var answers = new List<(string What, HttpStatusCode Status, string Body, long Milliseconds)>();
        foreach (var (what, id, proof) in new[]
        {
            ("nobody", Guid.NewGuid().ToString("N"), secret.Token), ("no id", "billing", secret.Token), ("a wrong secret", account.ClientId, theirs.Token), ("nonsense", account.ClientId, "nonsense"),
            ("a disabled client", disabled.ClientId, theirs.Token), ("a bearer in place of a secret", account.ClientId, bearer.Token), ("with dashes", account.Id.ToString(), secret.Token),
        })
        {
            var watch = Stopwatch.StartNew();
            var (status, body) = await programs.ExchangeAsync(Grant, (id, proof));
            answers.Add((what, status, body.ToJsonString(), watch.ElapsedMilliseconds));
        }

        Assert.All(answers, answer => Assert.Equal((answer.What, HttpStatusCode.Unauthorized, answers[0].Body), (answer.What, answer.Status, answer.Body)));
        Assert.All(answers, answer => Assert.True(answer.Milliseconds >= 490, $"{answer.What} was answered after {answer.Milliseconds} ms"));
    }

    [Fact]
    public async Task Disabled_or_narrowed_an_account_loses_what_its_access_tokens_say_within_five_seconds()
    {
        var token = await programs.AccessAsync(account.ClientId, secret.Token);
        await programs.KnownAsync(token);
        Assert.Equal("done", await CodeAsync(programs.Api.PostAsJsonAsync($"/api/v1/identity/service-accounts/{account.Id}/disable", new ServiceAccountActionRequest())));
        foreach (var path in new[] { "licensing/customers", "fleet/clusters", "audit/entries", "callhome/enrollment-tokens", "notifications/contacts", "identity/tokens" })
        {
            await Eventually.TrueAsync(async () => await programs.CallAsync(token, $"/api/v1/{path}") == HttpStatusCode.Unauthorized, $"{path} refuses it", TimeSpan.FromSeconds(5));
        }

        Assert.Equal(HttpStatusCode.Unauthorized, (await programs.ExchangeAsync(Grant, (account.ClientId, secret.Token))).Status);
    }

    [Fact]
    public async Task Scopes_are_narrowed_and_never_widened_and_a_foreign_network_gets_nothing()
    {
        var (status, body) = await programs.ExchangeAsync(new Dictionary<string, string>(Grant) { ["scope"] = "licensing:read licensing:write" }, (account.ClientId, secret.Token));
        Assert.Equal((HttpStatusCode.BadRequest, "invalid_scope"), (status, body["error"]!.GetValue<string>()));
        Assert.Equal("invalid_scope", (await programs.ExchangeAsync(new Dictionary<string, string>(Grant) { ["scope"] = "*" }, (account.ClientId, secret.Token))).Body["error"]!.GetValue<string>());

        var far = await ReadAsync<CreatedServiceAccount>(await programs.Api.PostAsJsonAsync("/api/v1/identity/service-accounts", new CreateServiceAccountRequest("far", ["licensing:read"], Networks: ["192.0.2.0/24"])));
        var theirs = await programs.SecretAsync(far.Id);
        Assert.Equal((HttpStatusCode.Unauthorized, "invalid_client"), await Refused(programs.ExchangeAsync(Grant, (far.ClientId, theirs.Token))));
        Assert.Equal("invalid", await CodeAsync(programs.Api.PostAsJsonAsync($"/api/v1/identity/service-accounts/{far.Id}/tokens", new CreateAccountTokenRequest("x", Networks: ["198.51.100.0/24"]))));
        await Eventually.TrueAsync(async () => (await programs.Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.client-refused"))!.Items.Any(entry => entry.TargetId == far.Id.ToString()), "it is in the log");
    }

    [Fact]
    public async Task Whoever_stuffs_secrets_is_slowed_down_and_no_form_is_too_large_or_says_things_twice()
    {
        using var http = programs.Host.Client(programs.Host.Portal);
        async Task<(HttpStatusCode, string)> PostAsync(HttpContent content)
        {
            using (content)
            {
                using var answer = await http.PostAsync(new Uri(TokenPath, UriKind.Relative), content);
                Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
                return (answer.StatusCode, (await answer.Content.ReadFromJsonAsync<JsonNode>())!["error"]!.GetValue<string>());
            }
        }

        static StringContent Form(string text) => new(text, Encoding.ASCII, "application/x-www-form-urlencoded");
        foreach (var wrong in new[]
        {
            Form(""), Form("grant_type=client_credentials&grant_type=client_credentials"), Form($"grant_type=client_credentials&client_id=x&client_secret={new string('x', 20_000)}"), Form(string.Join('&', Enumerable.Range(0, 50).Select(i => $"f{i}=1")) + "&grant_type=client_credentials"),
            Form("grant_type=client_credentials&client_id=%00"), Form("grant_type=client_credentials&client_id=x&client_secret=y&client_assertion=z"), new StringContent("""{"grant_type":"client_credentials"}""", Encoding.UTF8, "application/json"),
        })
        {
            Assert.Equal((HttpStatusCode.BadRequest, "invalid_request"), await PostAsync(wrong));
        }

        Assert.Equal((HttpStatusCode.BadRequest, "unsupported_grant_type"), await PostAsync(Form("grant_type=password&username=a&password=b")));
        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => PostAsync(Form($"grant_type=client_credentials&client_id={account.ClientId}&client_secret=mca_{i}"))));
        Assert.All(answers, answer => Assert.Contains(answer, new[] { (HttpStatusCode.Unauthorized, "invalid_client"), (HttpStatusCode.TooManyRequests, "temporarily_unavailable") }));
        Assert.Equal((HttpStatusCode.TooManyRequests, "temporarily_unavailable"), await PostAsync(Form("grant_type=client_credentials&client_id=x&client_secret=y")));
    }

    private static async Task<(HttpStatusCode, string)> Refused(Task<(HttpStatusCode Status, JsonNode Body)> asked) => ((await asked).Status, (await asked).Body["error"]!.GetValue<string>());

    private static JsonObject Changed(JsonObject of, Action<JsonObject> change)
    {
        var copy = of.DeepClone().AsObject();
        change(copy);
        return copy;
    }

    private static string Kid(ECDsa key) => Trust.Envelopes.KeyIds.Of(key.ExportSubjectPublicKeyInfo());

    private ECDsa Key(string file)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(Path.Combine(programs.Host.Data, "keys", file)));
        return key;
    }
}
