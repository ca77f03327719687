using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Client;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Somebody signs in where no browser is, and confirms in the portal what the program there wants.</summary>
public sealed class DeviceTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private readonly List<HttpClient> clients = [];
    private ControlPlane host = null!;
    private SomebodySignedIn root = null!;
    private MissionControlClient program = null!;
    private HttpClient browser = null!;

    private static CancellationToken End => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" });
        root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        browser = Keep(await root.ApiAsync(confirms: true));
        program = new MissionControlClient(Keep(host.Client(host.Portal)));
    }

    public async ValueTask DisposeAsync()
    {
        clients.ForEach(client => client.Dispose());
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_program_shows_a_code_is_permitted_with_a_passkey_and_gets_one_session_that_ends_like_any_other()
    {
        var begun = await program.BeginDeviceSignInAsync(new("mc on build-7"), End);
        Assert.Matches("^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", begun.UserCode);
        Assert.EndsWith("/device", begun.VerificationUri, StringComparison.Ordinal);
        Assert.Equal(DeviceStates.Pending, await StateAsync(begun));
        Assert.Equal(DeviceStates.SlowDown, await StateAsync(begun));

        // As people type it; what is found is shown with the address that it came from.
        var found = await FindAsync(browser, $" {begun.UserCode.ToLowerInvariant().Replace('-', ' ')} ");
        Assert.Equal(("mc on build-7", "127.0.0.1"), (found!.Agent, found.Address));
        using var plain = await root.ApiAsync(confirms: false);
        Assert.Equal("step-up-required", await SentAsync(plain, found.Id, "approve"));
        Assert.Equal("done", await SentAsync(browser, found.Id, "approve"));
        Assert.Null(await FindAsync(browser, begun.UserCode));
        Assert.Equal("not-found", await SentAsync(browser, found.Id, "approve"));
        Assert.Equal("not-found", await SentAsync(browser, found.Id, "deny"));

        // Of ten who hold the code one gets the session.
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => FinishAsync(begun.DeviceCode)));
        var signedIn = Assert.Single(answers, answer => answer is not null);
        Assert.Equal(DeviceStates.SignedIn, signedIn!.State);
        var (api, _) = await SpeakerAsync(signedIn.Session!);
        var sessions = (await browser.GetFromJsonAsync<IReadOnlyList<SessionItem>>("/api/v1/identity/me/sessions", End))!;
        var own = Assert.Single(sessions, session => session.Agent == "mc on build-7");
        Assert.Equal($"{sessions.Single(session => session.IsThis).Factors} device", own.Factors);
        Assert.True(own.ExpiresAt <= sessions.Single(session => session.IsThis).ExpiresAt);
        Assert.Equal("root@vendor.example", (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me", End))!.Email);

        // The log joins the two, and holds of the machine only what can be erased.
        await Eventually.TrueAsync(async () => (await EntriesAsync("identity.signed-in")).Any(entry => entry.Contains($"{found.Id}", StringComparison.Ordinal) && entry.Contains("/opener", StringComparison.Ordinal)), "the sign-in is in the log");
        var approved = JsonDocument.Parse(Assert.Single(await EntriesAsync("identity.device-approved"))).RootElement;
        Assert.DoesNotContain("127.0.0.1", approved.GetProperty("changes").GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("build-7", approved.GetProperty("changes").GetRawText(), StringComparison.Ordinal);

        // Its person signs it out from the browser.
        using var ended = await browser.PostAsync(new Uri($"/api/v1/identity/me/sessions/{own.Id}/end", UriKind.Relative), null, End);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        Assert.Null(await TradeAsync(signedIn.Session!));
        await Eventually.TrueAsync(async () => (await api.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative), End)).StatusCode == HttpStatusCode.Unauthorized, "what it was traded for is refused");
    }

    [Fact]
    public async Task A_sign_in_that_is_refused_too_old_unknown_or_whose_person_changed_gives_no_session()
    {
        var denied = await program.BeginDeviceSignInAsync(new("mc on a"), End);
        Assert.Equal("done", await SentAsync(browser, (await FindAsync(browser, denied.UserCode))!.Id, "deny"));
        Assert.Equal(DeviceStates.Denied, await StateAsync(denied));

        Assert.Null(await FinishAsync("nothing that was ever given out"));
        Assert.Null(await FinishAsync(denied.UserCode));

        // An API token is nobody, and signs no program in as anybody.
        var waiting = await program.BeginDeviceSignInAsync(new("mc on b"), End);
        using var asToken = await host.Admin.PostAsJsonAsync("/api/v1/identity/me/devices/find", new FindDeviceRequest(waiting.UserCode), End);
        Assert.Equal(HttpStatusCode.Conflict, asToken.StatusCode);

        // Permitted, and then its person is signed out everywhere: what was permitted before is worth nothing.
        Assert.Equal("done", await SentAsync(browser, (await FindAsync(browser, waiting.UserCode))!.Id, "approve"));
        using var out1 = await browser.PostAsync(new Uri("/api/v1/identity/me/sessions/end-others", UriKind.Relative), null, End);
        Assert.Equal(HttpStatusCode.NoContent, out1.StatusCode);
        Assert.Null(await FinishAsync(waiting.DeviceCode));

        // Permitted, and then its person signs out in the browser, which changes nothing else of theirs.
        browser = Keep(await root.ApiAsync());
        var orphan = await program.BeginDeviceSignInAsync(new("mc on d"), End);
        Assert.Equal("done", await SentAsync(browser, (await FindAsync(browser, orphan.UserCode))!.Id, "approve"));
        using (var signedOut = await host.Admin.PostAsJsonAsync("/api/v1/identity/sessions/end", new TradeSessionRequest(root.Session), End))
        {
            Assert.Equal(HttpStatusCode.NoContent, signedOut.StatusCode);
        }

        Assert.Null(await FinishAsync(orphan.DeviceCode));
        root = await SomebodySignedIn.InviteByAsync(host, await SomebodySignedIn.InviteAsync(host, "another@vendor.example", "administrator"), "third@vendor.example", "administrator");
        browser = Keep(await root.ApiAsync());
        var late = await program.BeginDeviceSignInAsync(new("mc on c"), End);
        var id = (await FindAsync(browser, late.UserCode))!.Id;
        time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        browser = Keep(await root.ApiAsync());
        Assert.Null(await FindAsync(browser, late.UserCode));
        Assert.Equal("not-found", await SentAsync(browser, id, "approve"));
        Assert.Null(await FinishAsync(late.DeviceCode));
    }

    [Fact]
    public async Task A_program_ends_with_the_session_that_it_was_permitted_in_when_that_is_ended_in_a_list_and_with_the_providers()
    {
        var (_, session) = await SignInAsync("mc on build-7");
        var (_, other) = await SignInAsync("mc on build-8");
        var opener = (await host.RowsAsync<Sessions.Session>()).Single(row => row.Agent == "mc on build-8").OpenerId!.Value;

        // Signed in by a provider, it is the provider's to end, too.
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await using var transaction = await db.BeginWriteAsync(cancellationToken: End);
            await db.Set<Sessions.Session>().Where(row => row.Id == opener).ExecuteUpdateAsync(set => set.SetProperty(row => row.ProviderId, "corp").SetProperty(row => row.ProviderSession, new byte[32]), End);
            await transaction.CommitAsync(End);
        }

        await SignInAsync("mc on build-9");
        var third = (await host.RowsAsync<Sessions.Session>()).Single(row => row.Agent == "mc on build-9");
        Assert.Equal(("corp", 32, opener), (third.ProviderId, third.ProviderSession?.Length, third.OpenerId!.Value));

        var id = (await browser.GetFromJsonAsync<MeItem>("/api/v1/identity/me", End))!.Id;
        using var ended = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{id}/sessions/{opener}/end", new PersonActionRequest("a stolen laptop"), End);
        Assert.Equal(HttpStatusCode.NoContent, ended.StatusCode);
        Assert.Null(await TradeAsync(session));
        Assert.Null(await TradeAsync(other));
    }

    [Fact]
    public async Task What_a_program_calls_itself_cannot_word_what_its_person_confirms()
    {
        foreach (var agent in new[] { "mc on build-7”, asking from 10.1.2.3, is signed in as you. “", "mc on \u202e7.0.0.721", "mc on a\nb", " mc" })
        {
            Assert.Equal((agent, "invalid"), (agent, await CodeOfAsync(() => host.Admin.PostAsJsonAsync("/api/v1/identity/sign-in/device/begin", new BeginDeviceSignInRequest(agent), End))));
        }
    }

    [Fact]
    public async Task A_text_too_long_for_the_page_is_confirmed_where_it_is_done_and_never_cut()
    {
        var customer = (await host.CreateCustomerAsync("Northwind")).Id;
        var (api, _) = await SignInAsync("mc on build-7");
        var roles = Enumerable.Range(0, 20).Select(i => new GroupRole($"{new string('g', 120)}{i}", "customer-viewer")).Append(new GroupRole("evil", "customer-administrator")).ToList();
        var demand = await DemandedAsync(api, () => new(HttpMethod.Post, new Uri("/api/v1/identity/providers", UriKind.Relative)) { Content = JsonContent.Create(new SetProviderRequest("Northwind", "https://login.northwind.example", "mission-control", null, roles, CustomerId: customer)) });
        Assert.True(demand.Text.Length > StepUp.MostInPortal);
        Assert.Contains("evil=customer-administrator", demand.Text, StringComparison.Ordinal);
        Assert.Null(demand.Confirmation);
    }

    [Fact]
    public async Task Codes_can_be_neither_guessed_nor_asked_for_without_end()
    {
        var begun = await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => CodeOfAsync(() => host.Admin.PostAsJsonAsync("/api/v1/identity/sign-in/device/begin", new BeginDeviceSignInRequest("mc"), End))));
        Assert.Contains("rate-limited", begun);
        Assert.InRange(begun.Count(code => code == "done"), 30, 120);
        var guesses = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => CodeOfAsync(() => browser.PostAsJsonAsync("/api/v1/identity/me/devices/find", new FindDeviceRequest("BCDF-GHJK"), End))));
        Assert.Contains("rate-limited", guesses);

        // Whoever tries codes without end keeps nobody else from typing theirs.
        var joan = await SomebodySignedIn.InviteAsync(host, "joan@vendor.example", "viewer");
        using var joans = await joan.ApiAsync();
        Assert.Equal("invalid", await CodeOfAsync(() => joans.PostAsJsonAsync("/api/v1/identity/me/devices/find", new FindDeviceRequest("BCDF-GHJK"), End)));
        var devices = await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => CodeOfAsync(() => host.Admin.PostAsJsonAsync("/api/v1/identity/sign-in/device", new FinishDeviceSignInRequest("a guess"), End))));
        Assert.Contains("rate-limited", devices);
    }

    [Fact]
    public async Task What_a_program_wants_is_confirmed_in_the_portal_in_the_roles_words_and_its_proof_is_for_that_program_once()
    {
        var (api, session) = await SignInAsync("mc on build-7");
        var demand = await DemandedAsync(api, Invite("friend@vendor.example"));
        var id = demand.Confirmation!.Value;
        var asked = await AskedAsync(browser, id);
        Assert.Equal((demand.SubjectDigest, demand.Text, "mc on build-7", ConfirmationStates.Waiting), (asked.Demand.SubjectDigest, asked.Demand.Text, asked.Agent, asked.State));
        Assert.Contains("friend@vendor.example", asked.Demand.Text, StringComparison.Ordinal);

        // Nobody else sees it, answers it or refuses it; before it is answered there is no proof.
        var joan = await SomebodySignedIn.InviteByAsync(host, root, "joan@vendor.example", "administrator");
        using var joans = await joan.ApiAsync(confirms: false);
        Assert.Equal("not-found", await CodeOfAsync(() => joans.GetAsync(new Uri($"/api/v1/identity/me/confirmations/{id}", UriKind.Relative), End)));
        Assert.Equal("not-found", await AnsweredAsync(joans, joan, asked.Demand, id));
        Assert.Equal("not-found", await SentAsync(joans, id, "refuse", "confirmations"));
        Assert.Equal("conflict", await SentAsync(api, id, "proof", "confirmations"));

        // An answer to another question is none to this one, and uses none of it up.
        Assert.Equal("conflict", await AnsweredAsync(browser, root, asked.Demand with { SubjectDigest = StepUp.Recover(Guid.NewGuid()).Digest }, id));
        Assert.Equal("conflict", await AnsweredAsync(browser, root, asked.Demand with { Audience = "licensing" }, id));
        Assert.Equal("done", await AnsweredAsync(browser, root, asked.Demand, id));
        Assert.Equal("conflict", await AnsweredAsync(browser, root, asked.Demand, id));
        Assert.Equal("conflict", await SentAsync(browser, id, "refuse", "confirmations"));

        // The proof is the program's: its person's browser does not get it; of ten at once one does; and it carries out this and nothing else.
        Assert.Equal("not-found", await SentAsync(browser, id, "proof", "confirmations"));
        var proofs = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ProofAsync(api, id)));
        var proof = Assert.Single(proofs, one => one is not null)!;
        Assert.Equal("step-up-required", await InvitedAsync(api, "other@vendor.example", proof));
        using var plain = await root.ApiAsync(confirms: false);
        Assert.Equal("step-up-required", await InvitedAsync(plain, "friend@vendor.example", proof));
        Assert.Equal("done", await InvitedAsync(api, "friend@vendor.example", proof));
        Assert.Equal("step-up-required", await InvitedAsync(api, "friend@vendor.example", proof));
        Assert.Equal(ConfirmationStates.Over, (await AskedAsync(browser, id)).State);
        Assert.NotNull(await TradeAsync(session));
    }

    [Fact]
    public async Task What_is_refused_or_too_old_gives_no_proof_and_who_does_not_ask_for_the_portal_leaves_nothing_there()
    {
        var (api, session) = await SignInAsync("mc on build-7");

        // With a key, whose transaction is open until the answer is there: the question is written after it.
        var refused = await DemandedAsync(api, Invite("one@vendor.example", "key-of-this-request"));
        await AskedAsync(browser, refused.Confirmation!.Value);
        Assert.Equal("done", await SentAsync(browser, refused.Confirmation.Value, "refuse", "confirmations"));
        Assert.Equal(ConfirmationStates.Refused, (await AskedAsync(browser, refused.Confirmation.Value)).State);
        Assert.Null(await ProofAsync(api, refused.Confirmation.Value));
        Assert.Equal("conflict", await AnsweredAsync(browser, root, refused, refused.Confirmation.Value));

        // Two minutes from the answer, as everywhere.
        var late = await DemandedAsync(api, Invite("two@vendor.example"));
        await AskedAsync(browser, late.Confirmation!.Value);
        Assert.Equal("done", await AnsweredAsync(browser, root, late, late.Confirmation.Value));
        time.Advance(TimeSpan.FromMinutes(2) + TimeSpan.FromSeconds(1));
        Assert.Null(await ProofAsync(api, late.Confirmation.Value));

        // Ten minutes for an answer.
        var forgotten = await DemandedAsync(api, Invite("three@vendor.example"));
        await AskedAsync(browser, forgotten.Confirmation!.Value);
        time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        browser = Keep(await root.ApiAsync());
        Assert.Equal(ConfirmationStates.Over, (await AskedAsync(browser, forgotten.Confirmation.Value)).State);
        Assert.Equal("conflict", await AnsweredAsync(browser, root, forgotten, forgotten.Confirmation.Value));

        var (_, again) = (0, (await TradeAsync(session))!.AccessToken);
        using var plain = host.Client(host.Portal, again);
        Assert.Null((await DemandedAsync(plain, Invite("four@vendor.example"), asks: false)).Confirmation);

        // A flood hides nothing: twenty wait at most, and the first of them stay.
        using var asking = host.Client(host.Portal, again);
        var first = (await DemandedAsync(asking, Invite("first@vendor.example"))).Confirmation!.Value;
        await AskedAsync(browser, first);
        var many = new List<Guid>();
        for (var i = 0; i < 25; i++)
        {
            many.Add((await DemandedAsync(asking, Invite($"many{i}@vendor.example"))).Confirmation!.Value);
        }

        // Which of the others do is nobody's to say: messages come in no order.
        await Eventually.TrueAsync(async () => (await host.RowsAsync<Confirmation.AskedConfirmation>()).Count(row => many.Contains(row.Id)) == 19, "nineteen more wait");
        Assert.Equal(ConfirmationStates.Waiting, (await AskedAsync(browser, first)).State);
    }

    private async Task<IReadOnlyList<string>> EntriesAsync(string type) =>
        [.. (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&limit=100", End))!.Items.Select(entry => entry.Entry.GetRawText())];

    private HttpClient Keep(HttpClient client)
    {
        clients.Add(client);
        return client;
    }

    private async Task<(HttpClient Api, string Session)> SignInAsync(string agent)
    {
        var begun = await program.BeginDeviceSignInAsync(new(agent), End);
        Assert.Equal("done", await SentAsync(browser, (await FindAsync(browser, begun.UserCode))!.Id, "approve"));
        return await SpeakerAsync((await FinishAsync(begun.DeviceCode))!.Session!);
    }

    private async Task<(HttpClient Api, string Session)> SpeakerAsync(string session) => (Keep(host.Client(host.Portal, (await TradeAsync(session))!.AccessToken)), session);

    private async Task<TradedSession?> TradeAsync(string session)
    {
        using var anonymous = host.Client(host.Portal);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(session, true), End);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<TradedSession>(End) : null;
    }

    private async Task<string> StateAsync(DeviceSignIn begun) => (await program.FinishDeviceSignInAsync(begun.DeviceCode, End)).State;

    private async Task<DeviceSignInAnswer?> FinishAsync(string deviceCode)
    {
        try
        {
            return await program.FinishDeviceSignInAsync(deviceCode, End);
        }
        catch (ApiException refusal) when (refusal.Status == HttpStatusCode.Unauthorized)
        {
            return null;
        }
    }

    private static async Task<DeviceItem?> FindAsync(HttpClient by, string userCode)
    {
        using var answer = await by.PostAsJsonAsync("/api/v1/identity/me/devices/find", new FindDeviceRequest(userCode), End);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<DeviceItem>(End) : null;
    }

    private static Task<string> SentAsync(HttpClient by, Guid id, string action, string of = "devices") =>
        CodeOfAsync(() => by.PostAsJsonAsync($"/api/v1/identity/me/{of}/{id}/{action}", new ApproveDeviceRequest(), End));

    private static async Task<string> CodeOfAsync(Func<Task<HttpResponseMessage>> send)
    {
        using var answer = await send();
        return answer.IsSuccessStatusCode ? "done" : (await answer.Content.ReadFromJsonAsync<ProblemDocument>(End))!.Code;
    }

    private static async Task<StepUpDemand> DemandedAsync(HttpClient by, Func<HttpRequestMessage> request, bool asks = true)
    {
        using var message = request();
        if (asks)
        {
            message.Headers.Add(StepUp.AskHeader, StepUp.InPortal);
        }

        using var answer = await by.SendAsync(message, End);
        var problem = (await answer.Content.ReadFromJsonAsync<ProblemDocument>(End))!;
        return problem.StepUp ?? throw new InvalidOperationException($"{problem.Code}: {problem.Detail}");
    }

    private static async Task<ConfirmationItem> AskedAsync(HttpClient by, Guid id)
    {
        ConfirmationItem? item = null;
        await Eventually.TrueAsync(async () => (item = await by.GetFromJsonAsync<ConfirmationItem>($"/api/v1/identity/me/confirmations/{id}", End)) is not null, "the role's question is there");
        return item!;
    }

    private static async Task<string> AnsweredAsync(HttpClient by, SomebodySignedIn somebody, StepUpDemand demand, Guid id)
    {
        using var begun = await by.PostAsJsonAsync("/api/v1/identity/me/step-up/begin", new BeginStepUpRequest(demand.Audience, demand.Purpose, demand.SubjectDigest), End);
        var asked = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<StepUpChallenge>(End))!;
        return await CodeOfAsync(() => by.PostAsJsonAsync($"/api/v1/identity/me/confirmations/{id}/answer", new StepUpRequest(asked.Challenge, somebody.Passkey.Get(asked.Options!)), End));
    }

    private static async Task<string?> ProofAsync(HttpClient by, Guid id)
    {
        using var answer = await by.PostAsync(new Uri($"/api/v1/identity/me/confirmations/{id}/proof", UriKind.Relative), null, End);
        return answer.IsSuccessStatusCode ? (await answer.Content.ReadFromJsonAsync<StepUpProof>(End))!.Proof : null;
    }

    private static Func<HttpRequestMessage> Invite(string email, string? key = null) => () =>
    {
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/identity/invitations", UriKind.Relative)) { Content = JsonContent.Create(new InviteRequest(email, "Friend", ["viewer"])) };
        if (key is not null)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        return message;
    };

    private static Task<string> InvitedAsync(HttpClient by, string email, string proof) => CodeOfAsync(async () =>
    {
        using var message = Invite(email)();
        message.Headers.Add(StepUp.Header, proof);
        return await by.SendAsync(message, End);
    });
}
