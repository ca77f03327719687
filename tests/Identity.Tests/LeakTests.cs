using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Contracts.Commands.Identity;
using MissionControl.Identity.Leaks;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Protocol.Tokens;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>From a report to a closed incident: by people, by strangers, by GitLab, of every kind of token.</summary>
public sealed class LeakTests : IAsyncLifetime
{
    private const string Secret = "a shared secret of more than twenty characters";

    private readonly string secretFile = Path.GetTempFileName();
    private SecretScanner scanner = null!;
    private ControlPlane host = null!;
    private HttpClient stranger = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(secretFile, Secret + "\n");
        scanner = await SecretScanner.StartAsync();
        host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?>
        {
            ["Identity:Leaks:GitHubKeysUrl"] = scanner.KeysUrl, ["Identity:Leaks:GitLabTokenFile"] = secretFile, ["Api:RequestsPerMinute"] = "1000000",
        });
        stranger = host.Client(host.Portal);
    }

    public async ValueTask DisposeAsync()
    {
        stranger.Dispose();
        await host.DisposeAsync();
        await scanner.DisposeAsync();
        File.Delete(secretFile);
    }

    [Fact]
    public async Task A_token_that_leaked_is_dead_in_every_role_and_its_incident_says_who_used_it_where_it_was_found_and_who_was_told()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        await ContactAsync(customer.Id, "sec@acme.example");
        await ContactAsync(null, "sec@vendor.example");
        var (client, token) = await host.ClientWithTokenAsync(customer.Id, "fleet:read", "audit:read", "identity:read");
        using var _ = client;
        using var report = await scanner.SendAsync(stranger, SecretScanner.Body((token.Token, "https://github.com/acme/infra/blob/main/values.yaml")));
        Assert.Contains("true_positive", await report.EnsureSuccessStatusCode().Content.ReadAsStringAsync(), StringComparison.Ordinal);

        foreach (var role in new[] { "fleet/clusters", "audit/entries", "identity/tokens" })
        {
            await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri($"/api/v1/{role}", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, $"{role} refuses it");
        }

        var leak = Assert.Single((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks?state=open"))!.Items);
        Assert.Equal(($"mca_{token.Id}", "api", customer.Id, "revoked", "github", 1), (leak.TokenId, leak.Kind, leak.CustomerId!.Value, leak.Outcome, leak.Source, leak.Places));

        // Who still tries is known by address, once the roles have told.
        LeakDetail detail = null!;
        await Eventually.TrueAsync(async () => (detail = await DetailAsync(leak.Id)).Uses.Any(use => use is { Address: "127.0.0.1", SinceReport: true, Refused: > 0, Accepted: > 0 }), "the uses are known");
        Assert.True(detail.Leak.UsedSince);
        Assert.Equal(["reported", "verified", "dead", "told", "used-since"], detail.Timeline.Select(step => step.What));
        Assert.Equal("https://github.com/acme/infra/blob/main/values.yaml", Assert.Single(detail.Places).Url);
        Assert.Equal(["commit"], detail.Places.Select(place => place.Source!));
        foreach (var address in new[] { "sec@acme.example", "sec@vendor.example" })
        {
            await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=mail&limit=500"))!.Items.Any(one => one.Subject == "A token of Acme leaked" && one.Recipient == address), $"{address} is told");
        }

        foreach (var type in new[] { "identity.token-leaked", "identity.token-revoked" })
        {
            var entry = await EntryAsync(type, token.Id);
            Assert.Equal(("system", "github", "signature"), (entry.ActorKind, entry.ActorId, entry.Entry.GetProperty("actor").GetProperty("auth").GetString()));
            Assert.Equal(customer.Id, entry.CustomerId);
        }

        // The same report again, and the same token elsewhere.
        (await scanner.SendAsync(stranger, SecretScanner.Body((token.Token, "https://github.com/acme/infra/blob/main/values.yaml")))).EnsureSuccessStatusCode().Dispose();
        Assert.Equal(leak.Version, (await DetailAsync(leak.Id)).Leak.Version);
        (await scanner.SendAsync(stranger, SecretScanner.Body((token.Token, "https://github.com/fork/infra")))).EnsureSuccessStatusCode().Dispose();
        var again = await DetailAsync(leak.Id);
        Assert.Equal((2, 1), (again.Leak.Places, again.Timeline.Count(step => step.What == "found-again")));
        Assert.Single((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items);
    }

    [Fact]
    public async Task The_owner_is_told_and_named_and_an_incident_is_closed_by_staff_alone_with_a_reason()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        var owner = await SomebodySignedIn.InviteAsync(host, "ada@acme.example", "customer-administrator", customer.Id);
        using var api = await owner.ApiAsync();
        using var made = await api.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("nightly export", ["fleet:read"], customer.Id));
        var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!;
        var reported = await ReportAsync(api, $"curl -H 'Authorization: Bearer {token.Token}' https://control.example", "https://wiki.acme.example/ci");
        Assert.Equal(($"mca_{token.Id}", "leaked"), (reported.TokenId, reported.Verdict));
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=mail&limit=500"))!.Items.Any(one => one.Subject == "A token of Acme leaked" && one.Recipient == "ada@acme.example"), "the owner is told");

        var id = reported.IncidentId!.Value;
        var detail = (await api.GetFromJsonAsync<LeakDetail>($"/api/v1/identity/leaks/{id}"))!;
        Assert.Equal(("ada", "nightly export", "person"), (detail.OwnerName, detail.Leak.Name, detail.Leak.Source));
        Assert.Empty(detail.Leak.Actions);
        Assert.Equal(HttpStatusCode.Forbidden, await CloseAsync(api, id, "contained", "nothing to see here", "*"));

        Assert.Equal(HttpStatusCode.PreconditionRequired, await CloseAsync(host.Admin, id, "contained", "replaced it", null));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await CloseAsync(host.Admin, id, "contained", "replaced it", "\"1\""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await CloseAsync(host.Admin, id, "contained", "", "*"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await CloseAsync(host.Admin, id, "because", "replaced it", "*"));
        Assert.Equal(HttpStatusCode.NoContent, await CloseAsync(host.Admin, id, "contained", "replaced it", "*"));
        Assert.Equal(HttpStatusCode.Conflict, await CloseAsync(host.Admin, id, "contained", "replaced it", "*"));
        var closed = await DetailAsync(id);
        Assert.Equal(("closed", "contained", "replaced it", "closed"), (closed.Leak.State, closed.ClosedBecause, closed.Comment, closed.Timeline[^1].What));
        Assert.Equal("replaced it", (await EntryAsync("identity.leak-closed", id.ToString())).Reason);
    }

    [Fact]
    public async Task Whoever_holds_a_token_may_report_it_without_signing_in_and_learns_nothing_but_that_it_is_dead()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        var (client, token) = await host.ClientWithTokenAsync(customer.Id, "fleet:read");
        client.Dispose();
        var (_, spare) = await host.ClientWithTokenAsync(customer.Id, "fleet:read");

        // Nothing of ours: no token, a wrong secret, an id that is not there, a kind that was never given out.
        var nothing = await ReportAsync(stranger, "hello");
        Assert.Equal((null, "not-ours"), (nothing.TokenId, nothing.Verdict));
        foreach (var text in new[] { GitHubLeakTests.Forge($"mca_{token.Id}_"), TokenText.New('a', out var _, out var _), TokenText.New('s', out var _, out var _) })
        {
            Assert.Equal(new ReportedLeak(text[..16], "not-ours", null), await ReportAsync(stranger, text));
        }

        Assert.Equal(new ReportedLeak($"mca_{token.Id}", "leaked", null), await ReportAsync(stranger, token.Token, "a note on a desk\r\n2026-11-27 level=error fake"));
        var leak = Assert.Single((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items);

        // What a stranger writes is one line, and holds no token.
        Assert.Equal("a note on a desk  2026-11-27 level=error fake", leak.Url);
        await ReportAsync(stranger, token.Token, $"https://paste.example/?t={token.Token}");
        Assert.Equal($"https://paste.example/?t=mca_{token.Id}_…", (await DetailAsync(leak.Id)).Places[1].Url);
        var entry = await EntryAsync("identity.token-leaked", token.Id);
        Assert.Equal(("system", "unknown", "heldToken"), (entry.ActorKind, entry.ActorId, entry.Entry.GetProperty("actor").GetProperty("auth").GetString()));
        foreach (var invalid in new object[] { new ReportLeakRequest(null), new ReportLeakRequest(new string('x', 4001)), new ReportLeakRequest(spare.Token, new string('x', 2001)) })
        {
            using var refused = await stranger.PostAsJsonAsync("/api/v1/identity/leaks/report", invalid);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
            Assert.DoesNotContain(spare.Token[17..], await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Strangers_who_report_without_end_are_told_to_wait_and_whoever_is_signed_in_is_not()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 120).Select(async _ =>
        {
            using var answer = await stranger.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest("x"));
            return answer.StatusCode;
        }));
        Assert.Contains(HttpStatusCode.TooManyRequests, answers);
        Assert.Contains(HttpStatusCode.OK, answers);
        Assert.Equal("not-ours", (await ReportAsync(host.Admin, "x")).Verdict);
    }

    [Fact]
    public async Task An_enrolment_token_is_burnt_by_callhome_and_a_wrong_secret_leaves_no_trace()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        var open = await host.CreateEnrollmentTokenAsync(customer.Id);
        var spared = await host.CreateEnrollmentTokenAsync(customer.Id);
        var forged = GitHubLeakTests.Forge($"mce_{spared.Id}_");
        using var report = await scanner.SendAsync(stranger, SecretScanner.Body((open.Token, "https://github.com/acme/a"), (forged, "https://github.com/acme/b"), (TokenText.New('e', out var _, out var _), "https://github.com/acme/c")));

        // Whether they are real only callhome knows: GitHub is told nothing of them.
        Assert.Equal("[]", await report.EnsureSuccessStatusCode().Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items.Count == 1, "callhome has answered");
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks?state=unconfirmed"))!.Items.Count == 0, "what is not real is gone");
        var leak = Assert.Single((await host.Admin.GetFromJsonAsync<Page<LeakItem>>($"/api/v1/identity/leaks?customer={customer.Id}&q=mce_{open.Id}"))!.Items);
        Assert.Equal(("enrolment", "revoked", customer.Id), (leak.Kind, leak.Outcome, leak.CustomerId!.Value));
        Assert.Equal(["reported", "verified", "dead", "told"], (await DetailAsync(leak.Id)).Timeline.Select(step => step.What));
        Assert.Equal("it leaked", (await EntryAsync("callhome.enrollment-token-revoked", open.Id)).Reason);
        var tokens = (await host.Admin.GetFromJsonAsync<Page<EnrollmentTokenItem>>("/api/v1/callhome/enrollment-tokens"))!.Items.ToDictionary(one => one.Id, one => one.State);
        Assert.Equal(("revoked", "open"), (tokens[open.Id], tokens[spared.Id]));
        Assert.Equal(0, await PlacesAsync() - 1);

        // Found again, it is the same incident, and callhome is not asked again.
        (await scanner.SendAsync(stranger, SecretScanner.Body((open.Token, "https://github.com/acme/z")))).EnsureSuccessStatusCode().Dispose();
        Assert.Equal((2, "open"), ((await DetailAsync(leak.Id)).Leak.Places, (await DetailAsync(leak.Id)).Leak.State));
    }

    [Fact]
    public async Task An_enrolment_token_that_a_cluster_used_names_the_cluster()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        var token = await host.CreateEnrollmentTokenAsync(customer.Id);
        using var cluster = await TestCluster.EnrollAsync(host, customer.Id);
        await using (var scope = host.Services.CreateAsyncScope())
        {
            // As if it had enrolled with this one.
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await using var transaction = await db.BeginWriteAsync();
            var (id, at) = (Guid.Parse(cluster.Id), host.Time.GetUtcNow().ToUnixTimeMilliseconds());
            await db.Database.ExecuteSqlAsync($"UPDATE callhome_enrollment_token SET used_at = {at}, used_by = {id} WHERE id = {token.Id}");
            await transaction.CommitAsync();
        }

        Assert.Equal("passed-on", (await ReportAsync(host.Admin, token.Token)).Verdict);
        LeakItem? leak = null;
        await Eventually.TrueAsync(async () => (leak = (await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items.SingleOrDefault()) is not null, "callhome has answered");
        Assert.Equal(("was-used", Guid.Parse(cluster.Id)), (leak!.Outcome, leak.ClusterId!.Value));
        Assert.NotNull(leak.LastUsedAt);
    }

    [Fact]
    public async Task A_GitLab_with_the_shared_secret_reports_and_nobody_else_does()
    {
        var (client, token) = await host.ClientWithTokenAsync(null, "fleet:read");
        client.Dispose();
        var body = new[] { new { type = "gitleaks_rule_id_mission-control-api-token", token = token.Token, location = "https://gitlab.acme.example/infra/-/blob/main/ci.yml" } };
        foreach (var authorization in new[] { null, "", "wrong", Secret[..^1], Secret + "x", "Bearer wrong" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await GitLabAsync(HttpMethod.Post, "revoke_tokens", authorization, body));
            Assert.Equal(HttpStatusCode.Unauthorized, await GitLabAsync(HttpMethod.Get, "revocable_token_types", authorization, null));
        }

        Assert.Empty((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items);
        Assert.Equal(HttpStatusCode.OK, await GitLabAsync(HttpMethod.Get, "revocable_token_types", Secret, null));
        Assert.Equal(HttpStatusCode.BadRequest, await GitLabAsync(HttpMethod.Post, "revoke_tokens", Secret, new[] { new { type = "unheard-of", token = token.Token, location = "x" } }));
        Assert.Equal(HttpStatusCode.BadRequest, await GitLabAsync(HttpMethod.Post, "revoke_tokens", Secret, new { type = "x" }));
        Assert.Equal(HttpStatusCode.NoContent, await GitLabAsync(HttpMethod.Post, "revoke_tokens", Secret, body));
        Assert.Equal(HttpStatusCode.NoContent, await GitLabAsync(HttpMethod.Post, "revoke_tokens", $"Bearer {Secret}", body));
        var leak = Assert.Single((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items);
        Assert.Equal(("gitlab", "https://gitlab.acme.example/infra/-/blob/main/ci.yml", 1), (leak.Source, leak.Url, leak.Places));
    }

    [Fact]
    public async Task A_customer_sees_its_own_leaks_and_no_trace_of_others()
    {
        var (mine, other) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Beta"));
        var (_, own) = await host.ClientWithTokenAsync(mine.Id, "fleet:read");
        var (_, foreign) = await host.ClientWithTokenAsync(other.Id, "fleet:read");
        var (_, vendors) = await host.ClientWithTokenAsync(null, "fleet:read");
        var (reader, _) = await host.ClientWithTokenAsync(mine.Id, "identity:read", "identity:write");
        using var __ = reader;
        foreach (var token in new[] { foreign, vendors })
        {
            // It holds the token, so it may report it; whose it was, it does not learn.
            Assert.Equal(new ReportedLeak($"mca_{token.Id}", "leaked", null), await ReportAsync(reader, token.Token));
        }

        Assert.NotNull((await ReportAsync(reader, own.Token)).IncidentId);
        Assert.Equal([$"mca_{own.Id}"], (await reader.GetFromJsonAsync<Page<LeakItem>>($"/api/v1/identity/leaks?customer={mine.Id}"))!.Items.Select(leak => leak.TokenId));
        var seen = (await reader.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks?count=exact"))!;
        Assert.Equal((1L, $"mca_{own.Id}"), (seen.Total!.Value, seen.Items.Single().TokenId));
        foreach (var leak in (await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items.Where(leak => leak.CustomerId != mine.Id))
        {
            using var answer = await reader.GetAsync(new Uri($"/api/v1/identity/leaks/{leak.Id}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, await CloseAsync(reader, leak.Id, "test", "it was me", "*"));
        }
    }

    [Fact]
    public async Task A_try_from_a_network_that_a_token_is_not_bound_to_is_a_use_that_was_refused_and_a_wrong_secret_is_none()
    {
        using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("bound", ["fleet:read"], Networks: ["192.0.2.0/24"]));
        var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!;
        using var guesser = host.Client(host.Portal, GitHubLeakTests.Forge($"mca_{token.Id}_"));
        using var thief = host.Client(host.Portal, token.Token);
        foreach (var client in new[] { guesser, guesser, thief })
        {
            using var answer = await client.GetAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        // Until a role has heard of the token, nothing tells it from an invented one.
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await thief.GetAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative));
            return await RefusedAsync(token.Id) > 0;
        }, "the try is known");
        var detail = await DetailAsync((await ReportAsync(host.Admin, token.Token)).IncidentId!.Value);
        Assert.Equal(("127.0.0.1", 0L), (Assert.Single(detail.Uses).Address, detail.Uses[0].Accepted));
        Assert.False(detail.Leak.UsedSince);
        Assert.NotNull(detail.Leak.LastUsedAt);
    }

    [Fact]
    public async Task Whoever_spreads_a_stolen_token_over_many_addresses_is_counted_and_fills_no_database()
    {
        var (client, token) = await host.ClientWithTokenAsync(null, "fleet:read");
        client.Dispose();
        var id = (await ReportAsync(host.Admin, token.Token)).IncidentId!.Value;
        var at = host.Time.GetUtcNow().AddMinutes(1);
        for (var part = 0; part < 3; part++)
        {
            await using var scope = host.Services.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("fleet");
            scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new NoteTokenUses(Guid.NewGuid(), [.. Enumerable.Range(0, 500).Select(i => new TokenUse(token.Id, $"2001:db8::{part:x}:{i:x}", at, at, 0, 1))]));
            await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
        }

        await Eventually.TrueAsync(async () => await RefusedAsync(token.Id) == 1500, "all uses are counted");
        await using var look = host.Services.CreateAsyncScope();
        var rows = await look.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<UsedToken>().Where(row => row.TokenId == token.Id).ToListAsync();
        Assert.InRange(rows.Count, AddTokenUses.MostAddresses, AddTokenUses.MostAddresses + 1);
        Assert.InRange(rows.Single(row => row.Address == NoteTokenUses.Others).Refused, 499, 502);
        Assert.True((await DetailAsync(id)).Leak.UsedSince);
        Assert.Equal(100, (await DetailAsync(id)).Uses.Count);
    }

    private async Task<long> RefusedAsync(string token)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<UsedToken>().Where(row => row.TokenId == token).SumAsync(row => row.Refused);
    }

    private async Task<LeakDetail> DetailAsync(Guid id) => (await host.Admin.GetFromJsonAsync<LeakDetail>($"/api/v1/identity/leaks/{id}"))!;

    private async Task<AuditEntryItem> EntryAsync(string type, string target)
    {
        AuditEntryItem? entry = null;
        await Eventually.TrueAsync(async () => (entry = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&target={target}"))!.Items is [var first, ..] ? first : null) is not null, $"{type} of {target} is in the log");
        return entry!;
    }

    private static async Task<ReportedLeak> ReportAsync(HttpClient by, string text, string? url = null)
    {
        using var answer = await by.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(text, url));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ReportedLeak>())!;
    }

    private static async Task<HttpStatusCode> CloseAsync(HttpClient by, Guid id, string because, string reason, string? match)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/identity/leaks/{id}/close") { Content = JsonContent.Create(new CloseLeakRequest(because, reason)) };
        if (match is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", match);
        }

        using var answer = await by.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> GitLabAsync(HttpMethod method, string path, string? authorization, object? body)
    {
        using var request = new HttpRequestMessage(method, $"/api/v1/identity/leaks/gitlab/v1/{path}") { Content = body is null ? null : JsonContent.Create(body, body.GetType()) };
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        using var answer = await stranger.SendAsync(request);
        return answer.StatusCode;
    }

    private async Task ContactAsync(Guid? customer, string email) => await Eventually.TrueAsync(async () =>
        (await host.Admin.PostAsJsonAsync("/api/v1/notifications/contacts", new AddContactRequest(customer, "security", email.Split('@')[0], email))).IsSuccessStatusCode, "notifications knows the customer");

    private async Task<int> PlacesAsync()
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Database.SqlQuery<int>($"SELECT count(*) AS Value FROM identity_leak_place").SingleAsync();
    }
}
