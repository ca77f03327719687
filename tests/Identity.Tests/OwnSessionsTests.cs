using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>What ends with a factor, by the hand of its owner or of an administrator ends everywhere, soon, and nobody else's does.</summary>
public sealed class OwnSessionsTests : IAsyncLifetime
{
    // One of every role that answers people.
    private static readonly string[] Roles = ["/api/v1/identity/me", "/api/v1/fleet/clusters", "/api/v1/licensing/customers", "/api/v1/callhome/enrollment-tokens", "/api/v1/notifications/contacts", "/api/v1/fleet/summary"];
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task With_a_passkey_that_is_removed_all_other_sessions_and_what_was_traded_for_them_end_within_five_seconds()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "support-engineer");
        using var api = await ada.ApiAsync();
        using var lost = new SoftPasskey();
        var key = await AddAsync(api, lost);
        lost.Owner = ada.Passkey.Owner;

        // The thief signs in with the device, and has a token that every role takes.
        var thief = new SomebodySignedIn(host, ada.Email) { Session = await SignInAsync(lost) };
        using var theirs = await KnownAsync(thief);

        using var removed = await api.PostAsJsonAsync($"/api/v1/identity/me/passkeys/{key}/remove", new RemoveFactorRequest());
        Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        await RefusedSoonAsync(theirs);
        Assert.Null(await thief.TradeAsync());
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync(lost));

        // The one that did it goes on.
        using var still = await ada.ApiAsync();
        Assert.Single((await still.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Passkeys);
        Assert.True(Assert.Single(await SessionsAsync(still)).IsThis);
    }

    [Fact]
    public async Task One_of_ones_own_sessions_is_ended_by_its_name_and_a_strangers_never()
    {
        var ada = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "support-engineer");
        var grace = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "support-engineer");
        var other = new SomebodySignedIn(host, ada.Email) { Session = await SignInAsync(ada.Passkey) };
        var third = new SomebodySignedIn(host, ada.Email) { Session = await SignInAsync(ada.Passkey) };
        using var others = await KnownAsync(other);
        var named = (await SessionsAsync(others)).Single(session => session.IsThis).Id;
        using var graces = await grace.ApiAsync();
        var strangers = Assert.Single(await SessionsAsync(graces)).Id;

        using var api = await ada.ApiAsync();
        foreach (var id in new[] { strangers, Guid.CreateVersion7(), Guid.Empty })
        {
            using var refused = await api.PostAsync(new Uri($"/api/v1/identity/me/sessions/{id}/end", UriKind.Relative), null);
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }

        Assert.NotNull(await grace.TradeAsync());
        using var still = await graces.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);

        using var ended = await api.PostAsync(new Uri($"/api/v1/identity/me/sessions/{named}/end", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        await RefusedSoonAsync(others);
        Assert.Null(await other.TradeAsync());
        Assert.NotNull(await third.TradeAsync());
        Assert.NotNull(await ada.TradeAsync());

        // It ends once.
        using var again = await ada.ApiAsync();
        using var twice = await again.PostAsync(new Uri($"/api/v1/identity/me/sessions/{named}/end", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NotFound, twice.StatusCode);
    }

    [Fact]
    public async Task An_administrator_ends_one_session_of_somebody_else_and_who_may_do_less_than_that_person_does_not()
    {
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        var officer = await SomebodySignedIn.InviteByAsync(host, root, "officer@vendor.example", "security-officer");
        var viewer = await SomebodySignedIn.InviteByAsync(host, root, "viewer@vendor.example", "viewer");
        var ada = await SomebodySignedIn.InviteByAsync(host, root, "ada@vendor.example", "support-engineer");
        var other = new SomebodySignedIn(host, ada.Email) { Session = await SignInAsync(ada.Passkey) };
        using var theirs = await KnownAsync(other);
        var (id, named) = (await IdAsync(theirs), (await SessionsAsync(theirs)).Single(session => session.IsThis).Id);

        using var api = await root.ApiAsync();
        var text = await api.GetStringAsync(new Uri($"/api/v1/identity/people/{id}/sessions", UriKind.Relative));
        Assert.DoesNotContain(other.Session, text, StringComparison.Ordinal);
        var seen = await SessionsAsync(api, $"people/{id}");
        Assert.Equal(await SessionsAsync(theirs), seen.Select(session => session with { IsThis = session.Id == named }));
        Assert.Equal(("a test", "hwk user mfa", false), seen.Where(session => session.Id == named).Select(session => (session.Agent, session.Factors, session.IsThis)).Single());

        // It is found under its person only.
        var rootId = await IdAsync(api);
        Assert.Equal(HttpStatusCode.NotFound, await EndAsync(api, rootId, named));
        Assert.Equal(HttpStatusCode.NotFound, await EndAsync(api, id, Guid.CreateVersion7()));

        using var less = await officer.ApiAsync();
        Assert.Equal(HttpStatusCode.Conflict, await EndAsync(less, rootId, (await SessionsAsync(api)).Single().Id));
        using var least = await viewer.ApiAsync();
        Assert.Equal(HttpStatusCode.Forbidden, await EndAsync(least, id, named));
        using var unseen = await least.GetAsync(new Uri($"/api/v1/identity/people/{id}/sessions", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, unseen.StatusCode);
        using var still = await theirs.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);

        Assert.Equal(HttpStatusCode.NoContent, await EndAsync(api, id, named, "a laptop was lost"));
        await RefusedSoonAsync(theirs);
        Assert.Null(await other.TradeAsync());
        Assert.NotNull(await ada.TradeAsync());
        Assert.DoesNotContain(await SessionsAsync(api, $"people/{id}"), session => session.Id == named);
        Assert.Equal(HttpStatusCode.NotFound, await EndAsync(api, id, named));
        var entry = await EntryAsync(api, $"type=identity.session-ended&target={id}");
        Assert.Equal(("operator", $"person:{rootId:N}", "a laptop was lost"), (entry.Log, entry.ActorId, entry.Reason));
        Assert.Contains(named.ToString(), entry.Entry.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customers_administrator_ends_sessions_of_its_own_people_and_what_staff_looks_at_stands_in_the_customers_log()
    {
        var (own, beta) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Beta"));
        var administrator = await SomebodySignedIn.InviteAsync(host, "root@acme.example", "customer-administrator", own.Id);
        var somebody = await SomebodySignedIn.InviteAsync(host, "ada@acme.example", "customer-viewer", own.Id);
        using var api = await administrator.ApiAsync();
        foreach (var stranger in new[] { await SomebodySignedIn.InviteAsync(host, "bo@beta.example", "customer-viewer", beta.Id), await SomebodySignedIn.InviteAsync(host, "cy@vendor.example", "viewer") })
        {
            using var strangers = await stranger.ApiAsync();
            var (person, session) = (await IdAsync(strangers), Assert.Single(await SessionsAsync(strangers)).Id);
            using var unseen = await api.GetAsync(new Uri($"/api/v1/identity/people/{person}/sessions", UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, unseen.StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, await EndAsync(api, person, session));
            Assert.NotNull(await stranger.TradeAsync());
        }

        using var theirs = await somebody.ApiAsync();
        var id = await IdAsync(theirs);
        var one = Assert.Single(await SessionsAsync(host.Admin, $"people/{id}"));
        Assert.Equal(HttpStatusCode.NoContent, await EndAsync(api, id, one.Id));
        Assert.Null(await somebody.TradeAsync());
        Assert.Equal(("customer", own.Id), await EntryAsync(host.Admin, $"type=identity.session-ended&target={id}") is var ended ? (ended.Log, ended.CustomerId) : default);
        Assert.Equal(("customer", own.Id), await EntryAsync(host.Admin, $"kind=reads&type=identity.person-read&target={id}") is var read ? (read.Log, read.CustomerId) : default);
    }

    private static async Task<Guid> IdAsync(HttpClient api) => (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;

    private static async Task<HttpStatusCode> EndAsync(HttpClient api, Guid person, Guid session, string? reason = null)
    {
        using var answer = await api.PostAsJsonAsync($"/api/v1/identity/people/{person}/sessions/{session}/end", new PersonActionRequest(reason));
        return answer.StatusCode;
    }

    private static async Task<AuditEntryItem> EntryAsync(HttpClient api, string query)
    {
        IReadOnlyList<AuditEntryItem> found = [];
        await Eventually.TrueAsync(async () => (found = (await api.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?{query}"))!.Items).Count > 0, $"there is an entry for {query}");
        return Assert.Single(found);
    }

    private static async Task<IReadOnlyList<SessionItem>> SessionsAsync(HttpClient api, string whose = "me") => (await api.GetFromJsonAsync<IReadOnlyList<SessionItem>>($"/api/v1/identity/{whose}/sessions"))!;

    /// <summary>The API with what a session is traded for, once every role takes it.</summary>
    private async Task<HttpClient> KnownAsync(SomebodySignedIn somebody)
    {
        var client = host.Client(host.Portal, (await somebody.TradeAsync())!.AccessToken);
        foreach (var path in Roles)
        {
            await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri(path, UriKind.Relative))).IsSuccessStatusCode, $"{somebody.Email} is known for {path}");
        }

        return client;
    }

    private static async Task RefusedSoonAsync(HttpClient client)
    {
        var since = Stopwatch.GetTimestamp();
        foreach (var path in Roles)
        {
            await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri(path, UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, $"{path} refuses it");
        }

        Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, Soon);
    }

    private static async Task<Guid> AddAsync(HttpClient api, SoftPasskey key)
    {
        using var begun = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys/begin", new BeginPasskeyRequest("laptop"));
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        using var added = await api.PostAsJsonAsync("/api/v1/identity/me/passkeys", new NewPasskeyRequest(asked.Challenge, key.Create(asked.Options)));
        return (await added.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyItem>())!.Id;
    }

    private async Task<string> SignInAsync(SoftPasskey key)
    {
        using var answer = await AnswerAsync(key);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
    }

    private async Task<HttpStatusCode> TryAsync(SoftPasskey key)
    {
        using var answer = await AnswerAsync(key);
        return answer.StatusCode;
    }

    private async Task<HttpResponseMessage> AnswerAsync(SoftPasskey key)
    {
        using var anonymous = host.Client(host.Portal);
        using var begun = await anonymous.PostAsync(new Uri("/api/v1/identity/sign-in/passkey/begin", UriKind.Relative), null);
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<PasskeyChallenge>())!;
        return await anonymous.PostAsJsonAsync("/api/v1/identity/sign-in/passkey", new PasskeySignInRequest(asked.Challenge, key.Get(asked.Options), "a test"));
    }
}
