using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Identity.Leaks;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Tokens that are replaced while both are good, and when each was used last.</summary>
public sealed class RotationTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" });

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_program_rotates_its_own_token_both_are_good_for_the_overlap_and_it_is_done_once()
    {
        var customer = await host.CreateCustomerAsync();
        var (client, old) = await host.ClientWithTokenAsync(customer.Id, "licensing:read", "fleet:read");
        using var _ = client;
        time.Advance(TimeSpan.FromDays(10));

        // Whoever holds identity:write of nothing rotates nothing but itself.
        Assert.Equal(HttpStatusCode.Forbidden, (await RotateAsync(client, old.Id)).StatusCode);
        using var answer = await client.PostAsJsonAsync("/api/v1/identity/me/token/rotate", new RotateTokenRequest(2));
        var rotated = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<RotatedToken>())!;
        Assert.Equal(old.Id, rotated.PredecessorId);
        Assert.Equal(time.GetUtcNow().AddHours(2), rotated.PredecessorEndsAt, TimeSpan.FromSeconds(10));
        Assert.Equal(time.GetUtcNow().AddDays(90), rotated.ExpiresAt, TimeSpan.FromSeconds(10));

        var (before, after) = (await TokenAsync(old.Id), await TokenAsync(rotated.Id));
        Assert.Equal((rotated.Id, old.Id), (before.SuccessorId, after.PredecessorId));
        Assert.Equal((before.Name, before.CustomerId, before.PersonId), (after.Name, after.CustomerId, after.PersonId));
        Assert.Equal(before.Scopes, after.Scopes);
        Assert.Equal(before.Networks, after.Networks);

        using var next = host.Client(host.Portal, rotated.Token);
        await Eventually.TrueAsync(async () => await IsLetInAsync(next), "the successor is known");
        Assert.True(await IsLetInAsync(client));
        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsJsonAsync("/api/v1/identity/me/token/rotate", new RotateTokenRequest())).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await RotateAsync(host.Admin, old.Id)).StatusCode);

        time.Advance(TimeSpan.FromHours(2) + TimeSpan.FromSeconds(1));
        await Eventually.TrueAsync(async () => !await IsLetInAsync(client), "the old one has ended");
        Assert.True(await IsLetInAsync(next));

        // Both are in the log, and the customer's contacts are told as of any token.
        var entry = (await EntriesAsync("identity.token-rotated")).Single(one => one.TargetId == old.Id);
        Assert.Equal($"token:{old.Id}", entry.ActorId);
        Assert.Contains(await EntriesAsync("identity.token-created"), one => one.TargetId == rotated.Id);
    }

    [Fact]
    public async Task An_overlap_lengthens_no_life_and_many_at_once_make_one_successor()
    {
        using var made = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("short", ["fleet:read"], ExpiresInDays: 1));
        var token = (await made.Content.ReadFromJsonAsync<CreatedToken>())!;
        var ten = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => RotateAsync(host.Admin, token.Id, 168)));
        Assert.Single(ten, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.All(ten.Where(answer => answer.StatusCode != HttpStatusCode.Created), answer => Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode));
        Assert.Equal(token.ExpiresAt, (await TokenAsync(token.Id)).ExpiresAt, TimeSpan.FromMilliseconds(1));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await RotateAsync(host.Admin, token.Id, 169)).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await RotateAsync(host.Admin, token.Id, -1)).StatusCode);

        // What ended is not brought back.
        using var dead = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("dead", ["fleet:read"]));
        var revoked = (await dead.Content.ReadFromJsonAsync<CreatedToken>())!;
        (await host.Admin.PostAsync(new Uri($"/api/v1/identity/tokens/{revoked.Id}/revoke", UriKind.Relative), null)).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Conflict, (await RotateAsync(host.Admin, revoked.Id)).StatusCode);
    }

    [Fact]
    public async Task A_persons_own_token_is_rotated_by_that_person_who_confirms_it_and_by_nobody_else()
    {
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        var ada = await SomebodySignedIn.InviteByAsync(host, root, "ada@vendor.example", "administrator");
        using var adas = await ada.ApiAsync();
        using var made = await adas.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("mine", ["fleet:read"], ExpiresInDays: 90, Networks: ["127.0.0.0/8"]));
        var token = (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!;

        // Another administrator would speak for Ada; the token by itself would never end; a session by itself may be stolen.
        using var roots = await root.ApiAsync();
        Assert.Equal("scope-missing", await CodeAsync(await RotateAsync(roots, token.Id)));
        Assert.Equal("scope-missing", await CodeAsync(await RotateAsync(host.Admin, token.Id)));
        using var program = host.Client(host.Portal, token.Token);
        await Eventually.TrueAsync(async () => (int)(await program.GetAsync(new Uri("/api/v1/identity/tokens", UriKind.Relative))).StatusCode != 401, "it is known");
        Assert.Equal("step-up-impossible", await CodeAsync(await program.PostAsJsonAsync("/api/v1/identity/me/token/rotate", new RotateTokenRequest())));
        using var unconfirmed = await ada.ApiAsync(confirms: false);
        Assert.Equal("step-up-required", await CodeAsync(await RotateAsync(unconfirmed, token.Id)));
        Assert.Equal("conflict", await CodeAsync(await adas.PostAsJsonAsync("/api/v1/identity/me/token/rotate", new RotateTokenRequest())));

        using var answer = await RotateAsync(adas, token.Id);
        var rotated = (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<RotatedToken>())!;
        Assert.Equal(time.GetUtcNow().AddDays(90), rotated.ExpiresAt, TimeSpan.FromSeconds(10));
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<DeliveryItem>>("/api/v1/notifications/deliveries?channel=mail&limit=500"))!.Items
            .Any(one => one.Subject == "Your account at Mission Control was changed" && one.Recipient == "ada@vendor.example"), "Ada is told");
    }

    [Fact]
    public async Task Nobody_rotates_a_token_that_may_more_or_that_is_another_customers()
    {
        var (acme, other) = (await host.CreateCustomerAsync("Acme"), await host.CreateCustomerAsync("Other"));
        var (theirs, token) = await host.ClientWithTokenAsync(other.Id, "fleet:read");
        var (strong, more) = await host.ClientWithTokenAsync(acme.Id, "fleet:write", "fleet:read");
        var (by, _) = await host.ClientWithTokenAsync(acme.Id, "identity:write", "identity:read", "fleet:read");
        using var one = theirs;
        using var two = strong;
        using var three = by;
        Assert.Equal("not-found", await CodeAsync(await RotateAsync(by, token.Id)));
        Assert.Equal("not-found", await CodeAsync(await RotateAsync(by, "AAAAAAAAAAAA")));
        Assert.Equal("scope-missing", await CodeAsync(await RotateAsync(by, more.Id)));
    }

    [Fact]
    public async Task A_token_says_when_and_from_where_it_was_used_last_and_a_leaked_one_which_took_its_place()
    {
        var (client, token) = await host.ClientWithTokenAsync(null, "fleet:read", "identity:read");
        using var _ = client;
        using var unused = await host.Admin.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("unused", ["fleet:read"], Networks: ["192.0.2.0/24"]));
        var idle = (await unused.Content.ReadFromJsonAsync<CreatedToken>())!;
        await Eventually.TrueAsync(async () => (await TokenAsync(token.Id)).LastUsedAt is not null, "the use is known");
        var page = (await host.Admin.GetFromJsonAsync<Page<TokenItem>>("/api/v1/identity/tokens?limit=500"))!.Items;
        var item = page.Single(one => one.Id == token.Id);
        Assert.Equal("127.0.0.1", item.LastUsedFrom);
        Assert.Equal(time.GetUtcNow(), item.LastUsedAt!.Value, TimeSpan.FromMinutes(2));
        Assert.Null(page.Single(one => one.Id == idle.Id).LastUsedAt);

        // A try that was refused is no use.
        using var refused = host.Client(host.Portal, idle.Token);
        await Eventually.TrueAsync(async () =>
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await refused.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode);
            return (await host.RowsAsync<UsedToken>()).Any(row => row.TokenId == idle.Id && row.Refused > 0);
        }, "the try is known");

        using var answer = await RotateAsync(host.Admin, token.Id);
        var rotated = (await answer.Content.ReadFromJsonAsync<RotatedToken>())!;
        using var stranger = host.Client(host.Portal);
        (await stranger.PostAsJsonAsync("/api/v1/identity/leaks/report", new ReportLeakRequest(token.Token))).EnsureSuccessStatusCode();
        var leak = Assert.Single((await host.Admin.GetFromJsonAsync<Page<LeakItem>>("/api/v1/identity/leaks"))!.Items);
        Assert.Equal((rotated.Id, "revoked"), (leak.SuccessorId, leak.Outcome));
        var detail = (await host.Admin.GetFromJsonAsync<LeakDetail>($"/api/v1/identity/leaks/{leak.Id}"))!;
        Assert.Contains(detail.Timeline, step => step.What == "rotated" && step.Detail.Contains(rotated.Id, StringComparison.Ordinal));
        Assert.Equal("active", (await TokenAsync(rotated.Id)).State);
        Assert.Null((await TokenAsync(idle.Id)).LastUsedAt);
    }

    private static Task<HttpResponseMessage> RotateAsync(HttpClient by, string id, int hours = 24) => by.PostAsJsonAsync($"/api/v1/identity/tokens/{id}/rotate", new RotateTokenRequest(hours));

    private static async Task<string> CodeAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            return answer.IsSuccessStatusCode ? "done" : (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Code;
        }
    }

    private static async Task<bool> IsLetInAsync(HttpClient client) => (await client.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).IsSuccessStatusCode;

    private async Task<TokenItem> TokenAsync(string id) => (await host.Admin.GetFromJsonAsync<TokenItem>($"/api/v1/identity/tokens/{id}"))!;

    private async Task<IReadOnlyList<AuditEntryItem>> EntriesAsync(string type)
    {
        IReadOnlyList<AuditEntryItem> entries = [];
        await Eventually.TrueAsync(async () => (entries = (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&limit=100"))!.Items).Count > 0, $"{type} is in the log");
        return entries;
    }
}
