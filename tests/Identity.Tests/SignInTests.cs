using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Factors;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

public sealed partial class SignInTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task The_first_administrator_comes_by_the_code_in_the_data_directory_and_from_then_on_no_token_opens_a_page()
    {
        using var session = await host.Admin.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null);
        var opened = (await session.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!;
        Assert.True((await host.Admin.GetFromJsonAsync<SignInOptions>("/api/v1/identity/sign-in"))!.Tokens);
        var (root, _) = await host.ClientWithTokenAsync(null, "*");
        var (inviter, _) = await host.ClientWithTokenAsync(null, "identity:read", "identity:write");
        var (reader, _) = await host.ClientWithTokenAsync(null, "licensing:read");
        using var __ = root;
        using var ___ = inviter;
        using var ____ = reader;
        var file = Path.Combine(host.Data, "admin.invitation");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));

        var first = await SomebodySignedIn.AcceptAsync(host, (await File.ReadAllTextAsync(file)).Trim(), "ada@vendor.example", "Ada");

        Assert.False(File.Exists(file));
        Assert.Equal(["*"], (await first.TradeAsync())!.Principal.Scopes);
        using var anonymous = host.Client(host.Portal);
        Assert.False((await anonymous.GetFromJsonAsync<SignInOptions>("/api/v1/identity/sign-in"))!.Tokens);
        using var traded = await anonymous.PostAsJsonAsync("/api/v1/identity/sessions/trade", new TradeSessionRequest(opened.Session));
        Assert.Equal(HttpStatusCode.Unauthorized, traded.StatusCode);
        await Eventually.TrueAsync(async () => (await host.Admin.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, "the bootstrap token is revoked");

        // What it made and nobody would confirm ends with it; what does ordinary things goes on.
        foreach (var child in new[] { root, inviter })
        {
            await Eventually.TrueAsync(async () => (await child.GetAsync(new Uri("/api/v1/identity/people", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, "its powerful child is revoked");
        }

        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative))).StatusCode);

        // Another token is good for the API, and for no page.
        using var api = await first.ApiAsync();
        using var made = await api.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("billing", ["licensing:read"], Networks: ["127.0.0.0/8"]));
        var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!;
        using var program = host.Client(host.Portal, token.Token);
        await Eventually.TrueAsync(async () => (await program.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative))).IsSuccessStatusCode, "the token is known");
        using var refused = await program.PostAsync(new Uri("/api/v1/identity/sessions", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
    }

    [Fact]
    public async Task The_servers_own_console_makes_an_administrator_while_the_host_runs()
    {
        var said = await HostCommand.RunAsync(0, "admin", "create", "--data", host.Data, "--email", "ada@vendor.example", "--name", "Ada Lovelace");
        var code = CodeForm().Match(said).Value;
        var ada = await SomebodySignedIn.AcceptAsync(host, code, "ada@vendor.example");
        Assert.Equal(["*"], (await ada.TradeAsync())!.Principal.Scopes);
        using var api = await ada.ApiAsync();
        await Eventually.TrueAsync(async () => (await api.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.person-invited"))!.Items.Any(entry => entry.ActorId == "console"), "the console's work is in the log");

        Assert.Contains("--email is one mail address", await HostCommand.RunAsync(2, "admin", "create", "--data", host.Data, "--email", "nonsense", "--name", "Ada"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_opens_one_session_also_when_fifty_come_at_once_and_no_code_of_an_older_step_does_after_it()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "grace@vendor.example", "viewer");

        // What accepted the invitation was a code, too.
        using var again = await somebody.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);

        time.Advance(TimeSpan.FromMinutes(20));
        var code = somebody.Code();
        await ForgetTriesAsync();
        var fifty = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => somebody.TryAsync(code: code)));
        Assert.InRange(fifty.Count(answer => answer.StatusCode == HttpStatusCode.OK), 0, 1);
        Assert.All(fifty.Where(answer => answer.StatusCode != HttpStatusCode.OK), answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));

        // The lock counts before it looks, so that of fifty at once most are not looked at; the factor by itself is asked here.
        await using var scope = host.Services.CreateAsyncScope();
        var factors = scope.ServiceProvider.GetRequiredService<FactorBook>();
        time.Advance(TimeSpan.FromMinutes(20));
        var fresh = somebody.Code();
        var proofs = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ProveAsync(factors, somebody.Email, fresh)));
        Assert.Equal(1, proofs.Count(proof => proof == "otp"));
        time.Advance(TimeSpan.FromSeconds(31));
        Assert.Null(await ProveAsync(factors, somebody.Email, fresh));
        Assert.Equal("otp", await ProveAsync(factors, somebody.Email, somebody.Code(away: 1)));
        Assert.Null(await ProveAsync(factors, somebody.Email, somebody.Code()));
    }

    [Fact]
    public async Task Wrong_tries_lock_for_a_while_that_grows_and_a_right_one_ends_it()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "joan@vendor.example", "viewer");
        time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 5; i++)
        {
            using var wrong = await somebody.TryAsync("not this one, but long");
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        using var locked = await somebody.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, locked.StatusCode);
        Assert.Equal("locked", (await PersonAsync(somebody.Email)).State);

        time.Advance(TimeSpan.FromSeconds(31));
        using var right = await somebody.TryAsync();
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        Assert.Equal("active", (await PersonAsync(somebody.Email)).State);
        await Eventually.TrueAsync(async () => (await EntriesAsync("identity.sign-in-refused")).Count(entry => entry.Outcome == "denied") == 5, "refused tries are in the log");
        Assert.Contains(await EntriesAsync("identity.signed-in"), entry => entry.ActorId.StartsWith("person:", StringComparison.Ordinal) && entry.Entry.GetProperty("actor").GetProperty("mfa").GetBoolean());
    }

    [Fact]
    public async Task Who_has_no_account_gets_the_same_answer_after_the_same_time()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "mary@vendor.example", "viewer");
        var nobody = new SomebodySignedIn(host, "nobody@vendor.example") { Secret = somebody.Secret };
        time.Advance(TimeSpan.FromMinutes(1));
        var known = new List<double>();
        var unknown = new List<double>();
        string? body = null;
        for (var i = 0; i < 4; i++)
        {
            foreach (var (who, times) in new[] { (somebody, known), (nobody, unknown) })
            {
                var began = Stopwatch.GetTimestamp();
                using var answer = await who.TryAsync("not this one, but long", "000000");
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                var problem = (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!;
                Assert.Equal(body ??= problem.Detail, problem.Detail);
            }
        }

        // Each leaves at a full half second after it came.
        Assert.All(known.Concat(unknown), took => Assert.InRange(took, 480, 5_000));
    }

    [Fact]
    public async Task A_recovery_code_opens_one_session_in_place_of_the_authenticator_and_another_authenticator_takes_its_place()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "rosa@vendor.example", "viewer");
        Assert.Equal(10, somebody.RecoveryCodes.Distinct().Count());
        using var recovered = await somebody.TryAsync(code: somebody.RecoveryCodes[3].ToLowerInvariant());
        var session = (await recovered.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!;
        using var twice = await somebody.TryAsync(code: somebody.RecoveryCodes[3]);
        Assert.Equal(HttpStatusCode.Unauthorized, twice.StatusCode);

        var before = somebody.Session;
        somebody.Session = session.Session;
        using var api = await somebody.ApiAsync();
        Assert.Equal(9, (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.RecoveryCodesLeft);
        using var begun = await api.PostAsync(new Uri("/api/v1/identity/me/authenticator", UriKind.Relative), null);
        var other = new SomebodySignedIn(host, somebody.Email) { Secret = (await begun.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<NewAuthenticator>())!.Secret };
        using var wrong = await api.PostAsJsonAsync("/api/v1/identity/me/authenticator/confirm", new ConfirmAuthenticatorRequest("000000", other.Code()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        using var confirmed = await api.PostAsJsonAsync("/api/v1/identity/me/authenticator/confirm", new ConfirmAuthenticatorRequest(somebody.RecoveryCodes[4], other.Code()));
        Assert.Equal(HttpStatusCode.NoContent, confirmed.StatusCode);

        // The browser from before is signed out, and the lost device opens nothing.
        somebody.Session = before;
        Assert.Null(await somebody.TradeAsync());
        time.Advance(TimeSpan.FromMinutes(20));
        using var lost = await somebody.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, lost.StatusCode);
        using var found = await other.TryAsync();
        Assert.Equal(HttpStatusCode.OK, found.StatusCode);
    }

    [Fact]
    public async Task A_session_ends_when_nobody_does_anything_and_after_its_longest_time_and_a_page_that_keeps_itself_fresh_keeps_none()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "lise@vendor.example", "viewer");
        for (var i = 0; i < 2; i++)
        {
            time.Advance(TimeSpan.FromMinutes(29));
            Assert.NotNull(await somebody.TradeAsync());
        }

        time.Advance(TimeSpan.FromMinutes(29));
        Assert.NotNull(await somebody.TradeAsync(isActive: false));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(await somebody.TradeAsync());

        using var again = await somebody.TryAsync();
        somebody.Session = (await again.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        for (var i = 0; i < 29; i++)
        {
            Assert.NotNull(await somebody.TradeAsync());
            time.Advance(TimeSpan.FromMinutes(25));
        }

        Assert.Null(await somebody.TradeAsync());
    }

    [Fact]
    public async Task A_customers_user_has_two_hours_of_quiet_and_a_day_in_all()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "lise@acme.example", "customer-viewer", (await host.CreateCustomerAsync()).Id);
        for (var i = 0; i < 2; i++)
        {
            time.Advance(TimeSpan.FromMinutes(119));
            Assert.NotNull(await somebody.TradeAsync());
        }

        time.Advance(TimeSpan.FromMinutes(119));
        Assert.NotNull(await somebody.TradeAsync(isActive: false));
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(await somebody.TradeAsync());

        using var again = await somebody.TryAsync();
        somebody.Session = (await again.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        for (var i = 0; i < 13; i++)
        {
            Assert.NotNull(await somebody.TradeAsync());
            time.Advance(TimeSpan.FromMinutes(110));
        }

        Assert.NotNull(await somebody.TradeAsync());
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(await somebody.TradeAsync());
    }

    [Fact]
    public async Task A_password_is_changed_by_who_knows_it_and_holds_the_authenticator_and_all_other_browsers_are_signed_out()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "emmy@vendor.example", "viewer");
        time.Advance(TimeSpan.FromMinutes(1));
        using var second = await somebody.TryAsync();
        var other = (await second.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedSession>())!.Session;
        time.Advance(TimeSpan.FromMinutes(1));
        using var api = await somebody.ApiAsync();
        const string New = "quite another long password";
        await RefusedAsync("short", "/new", New: "short");
        await RefusedAsync("wrong", "/current", current: "not the password at all");
        await RefusedAsync("wrong", "/code", code: "000000");
        using var changed = await api.PostAsJsonAsync("/api/v1/identity/me/password", new ChangePasswordRequest(SomebodySignedIn.Password, New, somebody.Code()));
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        Assert.NotNull(await somebody.TradeAsync());
        somebody.Session = other;
        Assert.Null(await somebody.TradeAsync());
        time.Advance(TimeSpan.FromMinutes(1));
        using var old = await somebody.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);
        using var right = await somebody.TryAsync(New);
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);

        async Task RefusedAsync(string why, string pointer, string? current = null, string? New = null, string? code = null)
        {
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/me/password", new ChangePasswordRequest(current ?? SomebodySignedIn.Password, New ?? "quite another long password", code ?? somebody.Code()));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.Contains((await refused.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!, error => error.Pointer == pointer);
        }
    }

    [GeneratedRegex("[A-Z2-7]{4}(-[A-Z2-7]{4}){4}")]
    private static partial Regex CodeForm();

    private async Task<string?> ProveAsync(FactorBook factors, string email, string code)
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("the test looks");
        var key = Person.KeyOf(email);
        var id = await db.Set<Person>().Where(row => row.EmailKey == key).Select(row => row.Id).SingleAsync();
        await using var transaction = await db.BeginWriteAsync();
        var proof = await factors.ProveAsync(db, id, code, acceptsRecovery: false, CancellationToken.None);
        await transaction.CommitAsync();
        return proof;
    }

    private async Task ForgetTriesAsync()
    {
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync();
        await db.Set<Person>().ExecuteUpdateAsync(set => set.SetProperty(row => row.FailedTries, 0).SetProperty(row => row.LockedUntil, (DateTimeOffset?)null));
        await transaction.CommitAsync();
    }

    private async Task<PersonItem> PersonAsync(string email) => (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items.Single(person => person.Email == email);

    private async Task<IReadOnlyList<AuditEntryItem>> EntriesAsync(string type) => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}"))!.Items;
}
