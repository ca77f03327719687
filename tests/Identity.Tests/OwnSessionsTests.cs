using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>What ends with a factor or by the hand of its owner ends everywhere, soon, and nobody else's does.</summary>
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

    private static async Task<IReadOnlyList<SessionItem>> SessionsAsync(HttpClient api) => (await api.GetFromJsonAsync<IReadOnlyList<SessionItem>>("/api/v1/identity/me/sessions"))!;

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
