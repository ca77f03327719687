using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Passkeys;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

public sealed class PasskeyTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;
    private HttpClient anonymous = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" });
        anonymous = host.Client(host.Portal);
    }

    public async ValueTask DisposeAsync()
    {
        anonymous.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Somebody_becomes_a_person_by_a_passkey_alone_and_signs_in_with_nothing_typed()
    {
        var ada = await ByPasskeyAloneAsync("ada@vendor.example", "viewer");

        var asked = await AskAsync();
        using var answer = await SignInAsync(asked.Challenge, ada.Passkey.Get(asked.Options));
        ada.Session = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        using var api = await ada.ApiAsync();
        var me = await MeAsync(api);
        Assert.Null(me.PasswordSetAt);
        Assert.Null(me.Authenticator);
        Assert.Equal("test key", Assert.Single(me.Passkeys).Name);
        Assert.InRange(time.GetUtcNow() - me.Passkeys[0].LastUsedAt!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.Equal("hwk user mfa", Assert.Single(await SessionsAsync(api), session => session.IsThis).Factors);

        // There is no password to guess: the form refuses as it refuses strangers.
        using var typed = await ada.TryAsync(SomebodySignedIn.Password, "000000");
        Assert.Equal(HttpStatusCode.Unauthorized, typed.StatusCode);
    }

    [Fact]
    public async Task An_answer_counts_once_also_when_the_key_does_not_count_and_of_twenty_at_once_one_does()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        var asked = await AskAsync();
        var credential = ada.Passkey.Get(asked.Options);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SignInAsync(asked.Challenge, credential)));
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Equal(19, answers.Count(answer => answer.StatusCode == HttpStatusCode.Unauthorized));

        // A wrong answer uses the question up as well; and one that is older than two minutes is none.
        var another = await AskAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(another.Challenge, credential));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(another.Challenge, ada.Passkey.Get(another.Options)));
        var late = await AskAsync();
        time.Advance(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(late.Challenge, ada.Passkey.Get(late.Options)));
    }

    [Fact]
    public async Task What_a_browser_or_an_authenticator_must_not_do_is_refused_and_told_to_the_log()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        var key = ada.Passkey;
        await RefusedAsync(() => key.IsVerified = false, () => key.IsVerified = true);
        await RefusedAsync(() => key.IsCrossOrigin = true, () => key.IsCrossOrigin = false);
        await RefusedAsync(() => key.Domain = "evil.example", () => key.Domain = "localhost");
        foreach (var origin in new[] { "https://evil.example", "http://localhost:8443", "https://localhost.evil.example", "https://127.0.0.1:8443", "https://localhost:8443@evil.example", "https://localhost:8443/", "null", "" })
        {
            await RefusedAsync(() => key.Origin = origin, () => key.Origin = "https://localhost:8443");
        }

        // Somebody else's name on one's own key; a key that nobody has; no key at all.
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "administrator");
        await RefusedAsync(() => key.Owner = grace.Passkey.Owner, () => { });
        using var unknown = new SoftPasskey { Owner = grace.Passkey.Owner };
        var asked = await AskAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(asked.Challenge, unknown.Get(asked.Options)));
        foreach (var nonsense in new[] { "{}", "null", "[]", "nonsense", "{\"id\":1}", "{\"id\":\"a\",\"id\":\"b\"}", "{\"id\":\"AA\",\"rawId\":\"AA\",\"type\":\"\\u0000\",\"clientExtensionResults\":{},\"response\":{}}", "{\"id\":\"AA\",\"rawId\":\"AA\",\"type\":\"public-key\",\"clientExtensionResults\":{},\"response\":{}}", new string('[', 10_000) })
        {
            asked = await AskAsync();
            Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(asked.Challenge, nonsense));
        }

        await Eventually.TrueAsync(async () => (await EntriesAsync("identity.sign-in-refused")).Count(entry => entry.TargetId != "unknown") >= 12, "each is in the log");

        async Task RefusedAsync(Action wrong, Action right)
        {
            wrong();
            var question = await AskAsync();
            Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(question.Challenge, key.Get(question.Options)));
            right();
        }
    }

    [Fact]
    public async Task A_copy_of_a_key_that_counts_is_found_out_by_its_count()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        ada.Passkey.Count = 10;
        var first = await AskAsync();
        Assert.Equal(HttpStatusCode.OK, await TryAsync(first.Challenge, ada.Passkey.Get(first.Options)));
        ada.Passkey.Count = 5;
        var copy = await AskAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(copy.Challenge, ada.Passkey.Get(copy.Options)));
        Assert.Contains("counter", (await EventuallyAsync("identity.sign-in-refused", 1))[0].Entry.GetProperty("reason").GetString()!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Questions_of_strangers_do_not_pile_up()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null)));
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        Assert.True(answers.Count(answer => answer.StatusCode == HttpStatusCode.OK) >= 200);

        // Once: a clock that jumps between a lease and its use takes the lease away from its holder, each time anew.
        time.Advance(TimeSpan.FromMinutes(3));
        await Eventually.TrueAsync(async () => await QuestionsAsync() == 0, "nobody's questions are kept");
    }

    [Fact]
    public async Task A_question_of_one_purpose_is_none_of_another()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator");
        using var api = await ada.ApiAsync(confirms: false);
        time.Advance(TimeSpan.FromMinutes(1));
        using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("laptop", ada.Code()));
        var adding = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(adding.Challenge, ada.Passkey.Get(adding.Options)));
        var signing = await AskAsync();
        using var other = new SoftPasskey();
        signing.Options["user"] = new JsonObject { ["id"] = "AAAA" };
        using var added = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(signing.Challenge, other.Create(signing.Options)));
        Assert.Equal(HttpStatusCode.Conflict, added.StatusCode);
    }

    [Fact]
    public async Task Passkeys_are_added_and_removed_by_who_proves_it_and_never_the_last_way_in()
    {
        var ada = await ByPasskeyAloneAsync("ada@vendor.example", "viewer");
        using var api = await ada.ApiAsync();
        using var unconfirmed = await ada.ApiAsync(confirms: false);
        using var refused = await unconfirmed.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("laptop"));
        Assert.Equal("step-up-required", (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);

        var first = Assert.Single((await MeAsync(api)).Passkeys);
        using var last = await api.PostAsJsonAsync($"/api/v1/identity/me/passkeys/{first.Id}/remove", new RemoveFactorRequest());
        Assert.Equal(HttpStatusCode.Conflict, last.StatusCode);

        using var laptop = new SoftPasskey { IsSynced = true };
        var item = await AddAsync(api, laptop, "laptop");
        Assert.True(item.IsSynced);
        Assert.Equal(TimeSpan.FromHours(24), item.ConfirmsFrom - item.AddedAt);

        // The same key is nobody else's, and one's own not twice.
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");
        using var graces = await grace.ApiAsync();
        using var begun = await graces.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("stolen"));
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var taken = await graces.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(asked.Challenge, laptop.Create(asked.Options)));
        Assert.False(taken.IsSuccessStatusCode);

        // The new one signs in at once and ends the old one's session when it is removed, a day later.
        var question = await AskAsync();
        laptop.Owner = ada.Passkey.Owner;
        Assert.Equal(HttpStatusCode.OK, await TryAsync(question.Challenge, laptop.Get(question.Options)));
        using var removed = await api.PostAsJsonAsync($"/api/v1/identity/me/passkeys/{first.Id}/remove", new RemoveFactorRequest());
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        question = await AskAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(question.Challenge, ada.Passkey.Get(question.Options)));
        await EventuallyAsync("identity.passkey-added", 1);
        await EventuallyAsync("identity.passkey-removed", 1);
    }

    [Fact]
    public async Task Password_and_authenticator_can_be_given_up_for_passkeys_and_set_up_again()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using (var api = await ada.ApiAsync())
        {
            using var removed = await api.PostAsJsonAsync("/api/v1/identity/me/authenticator/remove", new RemoveFactorRequest());
            Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        }

        time.Advance(TimeSpan.FromMinutes(1));
        using var typed = await ada.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, typed.StatusCode);
        using var again = await ada.ApiAsync();
        Assert.Equal(0, (await MeAsync(again)).RecoveryCodesLeft);

        using var begun = await again.PostAsync(new Uri("/api/v1/identity/me/authenticator", UriKind.Relative), null);
        var device = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<NewAuthenticator>())!;
        Assert.True(device.NeedsPassword);
        ada.Secret = device.Secret;
        using var without = await again.PostAsJsonAsync("/api/v1/identity/me/authenticator/confirm", new ConfirmAuthenticatorRequest(null, ada.Code()));
        Assert.Equal("/password", Assert.Single((await without.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!).Pointer);
        using var confirmed = await again.PostAsJsonAsync("/api/v1/identity/me/authenticator/confirm", new ConfirmAuthenticatorRequest(null, ada.Code(), SomebodySignedIn.Password));
        Assert.Equal(HttpStatusCode.NoContent, confirmed.StatusCode);
        time.Advance(TimeSpan.FromMinutes(1));
        using var right = await ada.TryAsync();
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task Whoever_stole_a_session_and_a_recovery_code_throws_no_passkey_out()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using var thief = await ada.ApiAsync(confirms: false);
        using var begun = await thief.PostAsync(new Uri("/api/v1/identity/me/authenticator", UriKind.Relative), null);
        var theirs = new SomebodySignedIn(host, ada.Email) { Secret = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<NewAuthenticator>())!.Secret };
        using var confirmed = await thief.PostAsJsonAsync("/api/v1/identity/me/authenticator/confirm", new ConfirmAuthenticatorRequest(ada.RecoveryCodes[0], theirs.Code()));
        Assert.Equal(HttpStatusCode.NoContent, confirmed.StatusCode);
        time.Advance(TimeSpan.FromMinutes(1));
        using var still = host.Client(host.Portal, (await ada.TradeAsync())!.AccessToken);
        var key = Assert.Single((await MeAsync(still)).Passkeys);
        foreach (var (path, body) in new (string, object)[] { ($"passkeys/{key.Id}/remove", new RemoveFactorRequest(theirs.Code())), ("passkeys/begin", new BeginPasskeyRequest("mine", theirs.Code())), ("recovery-codes", new ProofRequest(theirs.Code())), ("authenticator/remove", new RemoveFactorRequest(theirs.Code())) })
        {
            using var refused = await still.PostAsJsonAsync($"/api/v1/identity/me/{path}", body);
            Assert.Equal("step-up-unavailable", (await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);
        }

        // Their owner still has the passkey, and throws the authenticator out.
        using var owner = await ada.ApiAsync();
        using var removed = await owner.PostAsJsonAsync("/api/v1/identity/me/authenticator/remove", new RemoveFactorRequest());
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
    }

    [Fact]
    public async Task What_is_no_passkey_is_refused_in_words()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using var api = await ada.ApiAsync();
        foreach (var spoil in new Func<string, string>[] { one => one.Replace("\"internal\"", "null", StringComparison.Ordinal), one => one.Replace("public-key", "\\u0000", StringComparison.Ordinal), _ => "{}", one => one[..^5] })
        {
            using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("laptop"));
            var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
            using var laptop = new SoftPasskey();
            using var added = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(asked.Challenge, spoil(laptop.Create(asked.Options))));
            Assert.True(added.StatusCode is HttpStatusCode.UnprocessableEntity or HttpStatusCode.OK, await added.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task A_way_back_replaces_every_key_and_the_new_ones_confirm_nothing_for_a_day()
    {
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        var ada = await SomebodySignedIn.InviteByAsync(host, root, "ada@vendor.example", "administrator");
        using var api = await root.ApiAsync();
        var person = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?q=ada"))!.Items.Single();
        Assert.Equal(["passkey", "totp"], person.Factors);
        using var recover = await api.PostAsJsonAsync($"/api/v1/identity/people/{person.Id}/recover", new PersonActionRequest("lost the telephone"));
        var back = await AcceptAsync((await recover.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedInvitation>())!.Code!, ada.Email);

        var question = await AskAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(question.Challenge, ada.Passkey.Get(question.Options)));
        question = await AskAsync();
        using var signedIn = await SignInAsync(question.Challenge, back.Passkey.Get(question.Options));
        back.Session = (await signedIn.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        using var theirs = await back.ApiAsync();
        using var refused = await theirs.PostAsJsonAsync("/api/v1/identity/invitations", new InviteRequest("friend@vendor.example", "Friend", ["administrator"]));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        time.Advance(TimeSpan.FromHours(24) + TimeSpan.FromMinutes(1));
        question = await AskAsync();
        using var later = await SignInAsync(question.Challenge, back.Passkey.Get(question.Options));
        back.Session = (await later.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        using var then = await back.ApiAsync();
        using var invited = await then.PostAsJsonAsync("/api/v1/identity/invitations", new InviteRequest("friend@vendor.example", "Friend", ["administrator"]));
        Assert.Equal(HttpStatusCode.Created, invited.StatusCode);
    }

    private async Task<SomebodySignedIn> ByPasskeyAloneAsync(string email, string role)
    {
        var made = await SomebodySignedIn.InvitedAsync(host.Admin, email, role);
        return await AcceptAsync(made.Code!, email);
    }

    private async Task<SomebodySignedIn> AcceptAsync(string code, string email)
    {
        var somebody = new SomebodySignedIn(host, email);
        using var open = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/open", new OpenInvitationRequest(code));
        var asked = (await open.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<OpenedInvitation>())!.Passkey;
        using var accept = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/accept", new AcceptInvitationRequest(code, Passkey: new NewPasskeyRequest(asked.Challenge, somebody.Passkey.Create(asked.Options), "test key")));
        var accepted = (await accept.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<AcceptedInvitation>())!;
        Assert.Empty(accepted.RecoveryCodes);
        somebody.Session = accepted.Session;
        return somebody;
    }

    private static async Task<PasskeyItem> AddAsync(HttpClient api, SoftPasskey key, string name)
    {
        using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest(name));
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        Assert.Single(asked.Options["excludeCredentials"]!.AsArray());
        using var added = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(asked.Challenge, key.Create(asked.Options)));
        return (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyItem>())!;
    }

    private async Task<int> QuestionsAsync()
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<Challenge>().CountAsync();
    }

    private async Task<PasskeyChallenge> AskAsync()
    {
        using var answer = await anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
    }

    private Task<HttpResponseMessage> SignInAsync(string challenge, string credential) => anonymous.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(challenge, credential, "a test"));

    private async Task<HttpStatusCode> TryAsync(string challenge, string credential)
    {
        using var answer = await SignInAsync(challenge, credential);
        return answer.StatusCode;
    }

    private static async Task<MeItem> MeAsync(HttpClient api) => (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!;

    private static async Task<IReadOnlyList<SessionItem>> SessionsAsync(HttpClient api) => (await api.GetFromJsonAsync<IReadOnlyList<SessionItem>>("/api/v1/identity/me/sessions"))!;

    private async Task<IReadOnlyList<AuditEntryItem>> EntriesAsync(string type) => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&limit=100"))!.Items;

    private async Task<IReadOnlyList<AuditEntryItem>> EventuallyAsync(string type, int count)
    {
        await Eventually.TrueAsync(async () => (await EntriesAsync(type)).Count >= count, $"{type} is in the log");
        return await EntriesAsync(type);
    }
}
