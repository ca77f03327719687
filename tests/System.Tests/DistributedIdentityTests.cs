using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>
/// People and programs where identity is two processes over PostgreSQL: what is good once is good once over both, whichever a request
/// reaches, and what ends at one ends in every process of every role.
/// </summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedIdentityTests(DistributedFixture fixture)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);
    private readonly DistributedInstallation installation = fixture.Installation;

    [Fact]
    public async Task A_code_a_passkeys_answer_a_proof_and_an_assertion_are_each_good_once_over_both_replicas()
    {
        // Opened at one, accepted at the other.
        var somebody = await SomebodyAsync("security-officer");
        var code = somebody.Code(away: 1);
        Assert.Equal(1, await GoodOnceAsync(http => http.PostAsJsonAsync("/api/v1/identity/sign-in", new SignInRequest(somebody.Email, SomebodySignedIn.Password, code, "a test"))));

        using var first = Door(0).Client(null, null);
        using var asked = await first.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        var question = (await asked.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        var answer = new PasskeySignInRequest(question.Challenge, somebody.Passkey.Get(question.Options), "a test");
        Assert.Equal(1, await GoodOnceAsync(http => http.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", answer)));

        using var api = await somebody.ApiAsync(confirms: false);
        var bearer = api.DefaultRequestHeaders.Authorization!.Parameter!;
        var invite = new InviteRequest($"{Guid.NewGuid():N}@vendor.example", "Joan", ["viewer"]);
        using var demanded = await api.PostAsJsonAsync("/api/v1/identity/invitations", invite);
        var demand = (await demanded.Content.ReadFromJsonAsync<ProblemDocument>())!.StepUp!;
        using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/step-up/begin", new BeginStepUpRequest(demand.Audience, demand.Purpose, demand.SubjectDigest));
        var challenge = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<StepUpChallenge>())!;
        var confirmation = new StepUpRequest(challenge.Challenge, somebody.Passkey.Get(challenge.Options!));
        StepUpProof? proof = null;
        Assert.Equal(1, await GoodOnceAsync(http => http.PostAsJsonAsync("/api/v1/identity/me/step-up", confirmation), bearer, async good => proof = await good.Content.ReadFromJsonAsync<StepUpProof>()));
        Assert.Equal(1, await GoodOnceAsync(async http =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/identity/invitations") { Content = JsonContent.Create(invite) };
            request.Headers.Add(StepUp.Header, proof!.Proof);
            return await http.SendAsync(request);
        }, bearer));

        // What a program has confirmed in the portal comes over the broker; its proof is fetched at one of them.
        var waiting = await SomebodySignedIn.AskedInPortalAsync(api);
        using var ask = await api.PostAsJsonAsync("/api/v1/identity/me/step-up/begin", new BeginStepUpRequest(waiting.Demand.Audience, waiting.Demand.Purpose, waiting.Demand.SubjectDigest));
        var toConfirm = (await ask.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<StepUpChallenge>())!;
        using var confirmed = await api.PostAsJsonAsync($"/api/v1/identity/me/confirmations/{waiting.Id}/answer", new StepUpRequest(toConfirm.Challenge, somebody.Passkey.Get(toConfirm.Options!)));
        confirmed.EnsureSuccessStatusCode();
        Assert.Equal(1, await GoodOnceAsync(http => http.PostAsync(new Uri($"/api/v1/identity/me/confirmations/{waiting.Id}/proof", UriKind.Relative), null), bearer));

        // And a program gets its session at one of them.
        using var confirming = await somebody.ApiAsync();
        using var begins = await first.PostAsJsonAsync("/api/v1/identity/sign-in/device/begin", new BeginDeviceSignInRequest("mc on build-7"));
        var device = (await begins.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<DeviceSignIn>())!;
        using var found = await confirming.PostAsJsonAsync("/api/v1/identity/me/devices/find", new FindDeviceRequest(device.UserCode));
        var program = (await found.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<DeviceItem>())!;
        using var approved = await confirming.PostAsJsonAsync($"/api/v1/identity/me/devices/{program.Id}/approve", new ApproveDeviceRequest());
        approved.EnsureSuccessStatusCode();
        Assert.Equal(1, await GoodOnceAsync(http => http.PostAsJsonAsync("/api/v1/identity/sign-in/device", new FinishDeviceSignInRequest(device.DeviceCode))));

        using var made = await confirming.PostAsJsonAsync("/api/v1/identity/service-accounts", new CreateServiceAccountRequest("billing", ["licensing:read"], Networks: ["127.0.0.0/8", "::1/128"]));
        var account = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedServiceAccount>())!;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var added = await confirming.PostAsJsonAsync($"/api/v1/identity/service-accounts/{account.Id}/keys", new AddClientKeyRequest("a test", key.ExportSubjectPublicKeyInfoPem()));
        added.EnsureSuccessStatusCode();
        var assertion = Assertion(account.ClientId, key);
        string? access = null;
        Assert.Equal(1, await GoodOnceAsync(http => http.PostAsync(new Uri("/api/v1/identity/oauth/token", UriKind.Relative), new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials", ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", ["client_assertion"] = assertion,
        })), null, async good => access = (await good.Content.ReadFromJsonAsync<JsonNode>())!["access_token"]!.GetValue<string>()));
        await EveryReplicaAsync(access!, HttpStatusCode.OK, "takes the program's token", only: "licensing");
    }

    [Fact]
    public async Task Who_is_stopped_and_a_token_that_is_revoked_are_refused_by_every_process_within_five_seconds()
    {
        var somebody = await SomebodyAsync("viewer");
        using var api = await somebody.ApiAsync(confirms: false);
        var bearer = api.DefaultRequestHeaders.Authorization!.Parameter!;
        var me = (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!;
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        using var made = await admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("a test", ["licensing:read", "fleet:read", "callhome:read", "notifications:read", "identity:read"]));
        var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!;
        await EveryReplicaAsync(bearer, HttpStatusCode.OK, "knows the person");
        await EveryReplicaAsync(token.Token, HttpStatusCode.OK, "knows the token");

        using var disabled = await admin.PostAsJsonAsync($"/api/v1/identity/people/{me.Id}/disable", new PersonActionRequest("a test"));
        disabled.EnsureSuccessStatusCode();
        await EveryReplicaAsync(bearer, HttpStatusCode.Unauthorized, "refuses the person", Soon);
        using var revoked = await admin.PostAsync(new Uri($"/api/v1/identity/tokens/{token.Id}/revoke", UriKind.Relative), null);
        revoked.EnsureSuccessStatusCode();
        await EveryReplicaAsync(token.Token, HttpStatusCode.Unauthorized, "refuses the token", Soon);
    }

    [Fact]
    public async Task A_role_that_a_group_gives_counts_in_every_role_and_the_posture_is_read_by_this_engine_too()
    {
        var (officer, viewer) = (await SomebodyAsync("security-officer"), await SomebodyAsync("viewer"));
        using var api = await officer.ApiAsync();
        using var hers = await viewer.ApiAsync(confirms: false);
        var her = (await hers.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!;
        var bearer = hers.DefaultRequestHeaders.Authorization!.Parameter!;
        using var made = await api.PostAsJsonAsync("/api/v1/identity/groups", new SetGroupRequest($"Night shift {Guid.NewGuid():N}", ["security-officer"], [her.Id], Reason: "a test"));
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
        await EveryReplicaAsync(bearer, HttpStatusCode.Unauthorized, "takes no token from before", Soon);
        using var anew = await viewer.ApiAsync(confirms: false);
        Assert.Equal(HttpStatusCode.OK, (await anew.GetAsync(new Uri("/api/v1/identity/people", UriKind.Relative))).StatusCode);

        foreach (var replica in new[] { 0, 1 })
        {
            using var reader = Door(replica).Client(api.DefaultRequestHeaders.Authorization!.Parameter, null);
            Assert.Equal(14, (await reader.GetFromJsonAsync<PostureReport>("/api/v1/identity/posture"))!.Checks.Count);
        }
    }

    [Fact]
    public async Task An_enrolment_token_that_leaked_is_reported_to_one_role_and_burnt_by_another()
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        using var created = await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest($"Leaky {Guid.NewGuid():N}", "eu"));
        var customer = (await created.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CustomerItem>())!;
        CreatedEnrollmentToken? token = null;
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await admin.PostAsJsonAsync("/api/v1/callhome/enrollment-tokens", new CreateEnrollmentTokenRequest(customer.Id));
            token = answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<CreatedEnrollmentToken>() : null;
            return token is not null;
        }, "callhome knows the customer");
        foreach (var replica in new[] { 0, 1 })
        {
            using var stranger = Door(replica).Client(null, null);
            using var report = await stranger.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(token!.Token));
            Assert.Equal("passed-on", (await report.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ReportedLeak>())!.Verdict);
        }

        await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<Page<LeakItem>>($"/api/v1/identity/leaks?customer={customer.Id}"))!.Items is [{ Outcome: "revoked", Kind: "enrolment" }], "there is one incident, and it is dead");
    }

    /// <summary>Sends the same twice to each of two replicas, all at once.</summary>
    /// <returns>How many of the four were good.</returns>
    private async Task<int> GoodOnceAsync(Func<HttpClient, Task<HttpResponseMessage>> send, string? bearer = null, Func<HttpResponseMessage, Task>? good = null)
    {
        using var first = Door(0).Client(bearer, null);
        using var second = Door(1).Client(bearer, null);
        var answers = await Task.WhenAll(new[] { first, second, first, second }.Select(send));
        foreach (var answer in answers)
        {
            Assert.True(answer.IsSuccessStatusCode || (int)answer.StatusCode is >= 400 and < 500, await answer.Content.ReadAsStringAsync());
            if (answer.IsSuccessStatusCode && good is not null)
            {
                await good(answer);
            }
        }

        return answers.Count(answer => answer.IsSuccessStatusCode);
    }

    private async Task EveryReplicaAsync(string bearer, HttpStatusCode status, string what, TimeSpan? within = null, string? only = null)
    {
        var began = TimeProvider.System.GetTimestamp();
        foreach (var (role, path) in new[] { ("identity", "identity/roles"), ("licensing", "licensing/customers"), ("fleet", "fleet/summary"), ("callhome", "callhome/enrollment-tokens"), (DistributedInstallation.Quiet, "notifications/contacts") })
        {
            // Who may not read identity may still ask who it is.
            foreach (var replica in installation.Of(role).Where(_ => only is null || role == only))
            {
                using var client = TrustingClient.Create(replica.Internal, installation.CaFile, bearer);
                var left = (within ?? TimeSpan.FromSeconds(30)) - TimeProvider.System.GetElapsedTime(began);
                await Eventually.TrueAsync(async () =>
                {
                    using var answer = await client.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative));
                    return answer.StatusCode == status || (role == "identity" && status == HttpStatusCode.OK && answer.StatusCode == HttpStatusCode.Forbidden);
                }, $"{role} {replica.Number} {what}", left);
            }
        }
    }

    private async Task<SomebodySignedIn> SomebodyAsync(string role)
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        var email = $"{Guid.NewGuid():N}@vendor.example";
        return await SomebodySignedIn.AcceptAsync(Door(0), Door(1), (await SomebodySignedIn.InvitedAsync(admin, email, role)).Code!, email);
    }

    private SignInDoor Door(int replica) => new((bearer, before) => TrustingClient.Create(installation.Of("identity")[replica].Internal, installation.CaFile, bearer, before), TimeProvider.System, () => installation.Portal);

    private string Assertion(string clientId, ECDsa key)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject { ["iss"] = clientId, ["sub"] = clientId, ["aud"] = installation.Portal.GetLeftPart(UriPartial.Authority), ["jti"] = Guid.NewGuid().ToString(), ["iat"] = now, ["exp"] = now + 60 };
        var text = $"{Encode(new JsonObject { ["alg"] = "ES256", ["typ"] = "JWT" })}.{Encode(claims)}";
        return $"{text}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
