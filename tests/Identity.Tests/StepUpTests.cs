using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

public sealed class StepUpTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;
    private SomebodySignedIn root = null!;
    private HttpClient api = null!;
    private Guid ada;

    public async ValueTask InitializeAsync() => await StartAsync([]);

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_proof_is_good_once_for_one_person_in_one_session_for_one_purpose_and_one_subject()
    {
        var demand = await DemandedAsync(Roles("billing"));
        Assert.Equal(("identity", StepUp.ChangeRole), (demand.Audience, demand.Purpose));
        Assert.Equal(StepUp.ChangeRoles(ada, ["billing"]).Digest, demand.SubjectDigest);
        Assert.Contains("Billing", demand.Text, StringComparison.Ordinal);

        // Another subject, another purpose, another role: refused; and none of that used it up.
        var proof = await ProvenAsync(api, root, demand);
        Assert.Equal("step-up-required", await SentAsync(api, Roles("viewer"), proof));
        Assert.Equal("step-up-required", await SentAsync(api, Recover(), proof));
        var elsewhere = await ProvenAsync(api, root, demand with { Audience = "licensing" });
        Assert.Equal("step-up-required", await SentAsync(api, Roles("billing"), elsewhere));

        // Another session of the same person, and another person.
        var question = await PasskeySessionAsync(root);
        using var other = host.Client(host.Portal, (await TradeAsync(question)).AccessToken);
        Assert.Equal("step-up-required", await SentAsync(other, Roles("billing"), proof));
        var joan = await SomebodySignedIn.InviteByAsync(host, root, "joan@vendor.example", "administrator");
        using var joans = await joan.ApiAsync(confirms: false);
        Assert.Equal("step-up-required", await SentAsync(joans, Roles("billing"), proof));

        // Of ten at once one is carried out.
        var ten = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SentAsync(api, Roles("billing"), proof)));
        Assert.Equal(1, ten.Count(code => code == "done"));
        Assert.All(ten.Where(code => code != "done"), code => Assert.Equal("step-up-required", code));
        Assert.Equal(["billing"], (await PersonAsync()).Roles.Select(role => role.Name));
    }

    [Fact]
    public async Task A_proof_ends_after_two_minutes_and_no_altered_or_other_token_is_one()
    {
        var demand = await DemandedAsync(Roles("billing"));
        var proof = await ProvenAsync(api, root, demand);
        var parts = proof.Split('.');
        var user = api.DefaultRequestHeaders.Authorization!.Parameter!;
        foreach (var wrong in new[] { user, $"{parts[0]}.{parts[1]}.", $"{parts[0]}.{parts[1]}.{new string('A', parts[2].Length)}", $"{user.Split('.')[0]}.{parts[1]}.{parts[2]}", "nonsense", new string('x', 5_000) })
        {
            Assert.Equal("step-up-required", await SentAsync(api, Roles("billing"), wrong));
        }

        // Nor is a proof a token that opens the API.
        using var by = host.Client(host.Portal, proof);
        using var refused = await by.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        time.Advance(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(1));
        Assert.Equal("step-up-required", await SentAsync(api, Roles("billing"), proof));
    }

    [Fact]
    public async Task A_question_is_answered_once_by_its_own_person_session_and_challenge()
    {
        var demand = await DemandedAsync(Roles("billing"));
        var joan = await SomebodySignedIn.InviteByAsync(host, root, "joan@vendor.example", "administrator");
        using var joans = await joan.ApiAsync(confirms: false);

        // Joan answers what root was asked; root answers with Joan's key; root answers another question's challenge.
        var asked = await BeginAsync(api, demand);
        Assert.Null(await ProofAsync(joans, new StepUpRequest(asked.Challenge, root.Passkey.Get(asked.Options!))));
        asked = await BeginAsync(api, demand);
        Assert.Null(await ProofAsync(api, new StepUpRequest(asked.Challenge, joan.Passkey.Get(asked.Options!))));
        asked = await BeginAsync(api, demand);
        var other = await BeginAsync(api, demand with { Purpose = StepUp.EngageKillSwitch });
        Assert.Null(await ProofAsync(api, new StepUpRequest(other.Challenge, root.Passkey.Get(asked.Options!))));

        // What was asked is signed: it covers purpose and subject. A sign-in's answer is none, and an answer counts once.
        asked = await BeginAsync(api, demand);
        var credential = root.Passkey.Get(asked.Options!);
        Assert.NotNull(await ProofAsync(api, new StepUpRequest(asked.Challenge, credential)));
        Assert.Null(await ProofAsync(api, new StepUpRequest(asked.Challenge, credential)));
        using var begun = await api.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        var signIn = (await begun.Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        Assert.Null(await ProofAsync(api, new StepUpRequest(signIn.Challenge, root.Passkey.Get(signIn.Options))));

        asked = await BeginAsync(api, demand);
        time.Advance(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(1));
        Assert.Null(await ProofAsync(api, new StepUpRequest(asked.Challenge, root.Passkey.Get(asked.Options!))));
        await Eventually.TrueAsync(async () => (await EntriesAsync("identity.step-up-refused")).Count >= 5 && (await EntriesAsync("identity.step-up-proven")).Any(entry => entry.Entry.GetProperty("changes").ToString().Contains(demand.SubjectDigest, StringComparison.Ordinal)), "both are in the log");
    }

    [Fact]
    public async Task Neither_a_recovery_code_nor_an_authenticators_code_confirms_unless_the_configuration_says_so()
    {
        var demand = await DemandedAsync(Roles("billing"));
        time.Advance(TimeSpan.FromMinutes(1));
        var asked = await BeginAsync(api, demand);
        Assert.False(asked.AcceptsCode);
        Assert.Null(await ProofAsync(api, new StepUpRequest(asked.Challenge, Code: root.Code())));
        asked = await BeginAsync(api, demand);
        Assert.Null(await ProofAsync(api, new StepUpRequest(asked.Challenge, Code: root.RecoveryCodes[0])));

        await DisposeAsync();
        await StartAsync(new() { ["Identity:StepUpByCode"] = "true" });
        demand = await DemandedAsync(Roles("billing"));
        time.Advance(TimeSpan.FromMinutes(1));
        asked = await BeginAsync(api, demand);
        Assert.True(asked.AcceptsCode);
        Assert.Null(await ProofAsync(api, new StepUpRequest(asked.Challenge, Code: root.RecoveryCodes[0])));
        asked = await BeginAsync(api, demand);
        var proof = await ProofAsync(api, new StepUpRequest(asked.Challenge, Code: root.Code()));
        Assert.Equal("done", await SentAsync(api, Roles("billing"), proof!));
        asked = await BeginAsync(api, demand);
        Assert.Null(await ProofAsync(api, new StepUpRequest(asked.Challenge, Code: root.Code())));
    }

    [Fact]
    public async Task A_session_by_itself_gives_nobody_roles_or_tokens_or_a_way_back_and_a_persons_token_does_neither()
    {
        foreach (var (what, request) in new[] { ("roles", Roles("administrator")), ("recover", Recover()), ("invite", Invite()), ("token", Token()) })
        {
            Assert.Equal((what, "step-up-required"), (what, await SentAsync(api, request, null)));
        }

        using var disabled = await api.PostAsJsonAsync($"/api/v1/identity/people/{ada}/disable", new PersonActionRequest());
        Assert.Equal(HttpStatusCode.NoContent, disabled.StatusCode);
        Assert.Equal("step-up-required", await SentAsync(api, () => new(HttpMethod.Post, new Uri($"/api/v1/identity/people/{ada}/enable", UriKind.Relative)) { Content = JsonContent.Create(new PersonActionRequest()) }, null));

        // A program's right was granted for it: it proves nothing and is asked nothing.
        var token = host.Admin.DefaultRequestHeaders.Authorization!.Parameter;
        Assert.NotNull(token);
        Assert.Equal("done", await SentAsync(host.Admin, Invite(), null));
        using var stepUp = await host.Admin.PostAsJsonAsync("/api/v1/identity/me/step-up/begin", new BeginStepUpRequest("identity", StepUp.ChangeRole, StepUp.Recover(ada).Digest));
        Assert.Equal("step-up-impossible", (await stepUp.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);
    }

    [Fact]
    public async Task A_group_is_confirmed_with_its_very_name_roles_and_people_and_not_where_nobody_gets_or_loses_anything()
    {
        Assert.Equal("done", await SentAsync(api, Group(null, "Empty", ["billing"]), null));
        var id = (await api.GetFromJsonAsync<Page<GroupItem>>("/api/v1/identity/groups"))!.Items.Single().Id;
        Assert.Equal("done", await SentAsync(api, Group(id, "Night shift", ["billing"]), null));

        await SomebodySignedIn.InviteByAsync(host, root, "joan@vendor.example", "viewer");
        var other = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?q=joan"))!.Items.Single().Id;
        var demand = await DemandedAsync(Group(id, "Night shift", ["billing", "viewer"], ada));
        Assert.Equal(("identity", StepUp.ChangeRole, StepUp.SetGroup(null, id, "Night shift", ["viewer", "billing"], [ada]).Digest), (demand.Audience, demand.Purpose, demand.SubjectDigest));
        Assert.Contains("“Night shift” gives Billing, Viewer to one person. From now on ada holds Billing, Viewer.", demand.Text, StringComparison.Ordinal);
        var proof = await ProvenAsync(api, root, demand);
        foreach (var another in new[] { Group(id, "Night shift", ["billing", "viewer"], ada, other), Group(id, "Night shift", ["billing", "viewer"], other), Group(id, "Night shift", ["administrator"], ada), Group(id, "Day shift", ["billing", "viewer"], ada), Group(null, "Night shift 2", ["billing", "viewer"], ada) })
        {
            Assert.Equal("step-up-required", await SentAsync(api, another, proof));
        }

        Assert.Equal("done", await SentAsync(api, Group(id, "Night shift", ["viewer", "billing"], ada), proof));
        Assert.Equal(["billing", "viewer"], (await PersonAsync()).Roles.Select(role => role.Name));
        Assert.Equal("step-up-required", await SentAsync(api, Group(id, "Night shift", ["viewer", "billing"]), proof));

        // A second source of a role that is held already is confirmed too: it would outlive the first one.
        Assert.Equal("step-up-required", await SentAsync(api, Group(null, "Readers", ["viewer"], other), null));
        demand = await DemandedAsync(Remove(id));
        Assert.Equal(StepUp.RemoveGroup(id, [ada]).Digest, demand.SubjectDigest);
        Assert.Equal("done", await SentAsync(api, Remove(id), await ProvenAsync(api, root, demand)));
        Assert.Equal(["viewer"], (await PersonAsync()).Roles.Select(role => role.Name));
    }

    private async Task StartAsync(Dictionary<string, string?> configuration)
    {
        host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?>(configuration) { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" });
        root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        await SomebodySignedIn.InviteByAsync(host, root, "ada@vendor.example", "viewer");
        api = await root.ApiAsync(confirms: false);
        ada = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?q=ada"))!.Items.Single().Id;
    }

    private Func<HttpRequestMessage> Roles(params string[] roles) => () => new(HttpMethod.Put, new Uri($"/api/v1/identity/people/{ada}/roles", UriKind.Relative)) { Content = JsonContent.Create(new ChangeRolesRequest(roles)) };

    private Func<HttpRequestMessage> Recover() => () => new(HttpMethod.Post, new Uri($"/api/v1/identity/people/{ada}/recover", UriKind.Relative)) { Content = JsonContent.Create(new PersonActionRequest()) };

    private static Func<HttpRequestMessage> Group(Guid? id, string name, string[] roles, params Guid[] members) => () =>
    {
        var message = new HttpRequestMessage(id is null ? HttpMethod.Post : HttpMethod.Put, new Uri($"/api/v1/identity/groups{(id is null ? "" : $"/{id}")}", UriKind.Relative)) { Content = JsonContent.Create(new SetGroupRequest(name, roles, members)) };
        message.Headers.TryAddWithoutValidation("If-Match", "*");
        return message;
    };

    private static Func<HttpRequestMessage> Remove(Guid id) => () => new(HttpMethod.Post, new Uri($"/api/v1/identity/groups/{id}/remove", UriKind.Relative)) { Content = JsonContent.Create(new GroupActionRequest()) };

    private static Func<HttpRequestMessage> Invite() => () => new(HttpMethod.Post, new Uri("/api/v1/identity/invitations", UriKind.Relative)) { Content = JsonContent.Create(new InviteRequest("friend@vendor.example", "Friend", ["viewer"])) };

    private static Func<HttpRequestMessage> Token() => () => new(HttpMethod.Post, new Uri("/api/v1/identity/tokens", UriKind.Relative)) { Content = JsonContent.Create(new CreateTokenRequest("mine", ["licensing:read"], Networks: ["192.0.2.0/24"])) };

    private async Task<StepUpDemand> DemandedAsync(Func<HttpRequestMessage> request)
    {
        using var message = request();
        using var answer = await api.SendAsync(message);
        return (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.StepUp!;
    }

    private static async Task<string> SentAsync(HttpClient by, Func<HttpRequestMessage> request, string? proof)
    {
        using var message = request();
        if (proof is not null)
        {
            message.Headers.TryAddWithoutValidation(StepUp.Header, proof);
        }

        using var answer = await by.SendAsync(message);
        return answer.IsSuccessStatusCode ? "done" : (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Code;
    }

    private static async Task<string> ProvenAsync(HttpClient by, SomebodySignedIn somebody, StepUpDemand demand)
    {
        var asked = await BeginAsync(by, demand);
        return (await ProofAsync(by, new StepUpRequest(asked.Challenge, somebody.Passkey.Get(asked.Options!))))!;
    }

    private static async Task<StepUpChallenge> BeginAsync(HttpClient by, StepUpDemand demand)
    {
        using var answer = await by.PostAsJsonAsync("/api/v1/identity/me/step-up/begin", new BeginStepUpRequest(demand.Audience, demand.Purpose, demand.SubjectDigest));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<StepUpChallenge>())!;
    }

    private static async Task<string?> ProofAsync(HttpClient by, StepUpRequest request)
    {
        using var answer = await by.PostAsJsonAsync("/api/v1/identity/me/step-up", request);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<StepUpProof>())!.Proof : null;
    }

    private async Task<string> PasskeySessionAsync(SomebodySignedIn somebody)
    {
        using var anonymous = host.Client(host.Portal);
        using var begun = await anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        var asked = (await begun.Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var signedIn = await anonymous.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(asked.Challenge, somebody.Passkey.Get(asked.Options)));
        return (await signedIn.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
    }

    private async Task<TradedSession> TradeAsync(string session)
    {
        using var anonymous = host.Client(host.Portal);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(session, true));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<TradedSession>())!;
    }

    private async Task<PersonItem> PersonAsync() => (await api.GetFromJsonAsync<PersonDetail>($"/api/v1/identity/people/{ada}"))!.Person;

    private async Task<IReadOnlyList<AuditEntryItem>> EntriesAsync(string type) => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&limit=100"))!.Items;
}
