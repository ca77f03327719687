using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

public sealed class PeopleTests : IAsyncLifetime
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;
    private SomebodySignedIn? survivor;

    public async ValueTask InitializeAsync() => host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000" });

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task An_invitation_is_good_once_until_it_is_revoked_or_old_and_says_nothing_of_other_accounts()
    {
        var first = await SomebodySignedIn.InvitedAsync(host.Admin, "ada@vendor.example", "viewer");
        await SomebodySignedIn.AcceptAsync(host, first.Code!.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), "ada@vendor.example");
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(first.Code!));

        var revoked = await SomebodySignedIn.InvitedAsync(host.Admin, "bo@vendor.example", "viewer");
        (await host.Admin.PostAsync(new Uri($"/api/v1/identity/invitations/{revoked.Id}/revoke", UriKind.Relative), null)).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(revoked.Code!));

        // Whoever invites an address that is somebody's learns nothing; whoever holds the code learns it.
        var taken = await SomebodySignedIn.InvitedAsync(host.Admin, "ADA@vendor.example", "viewer");
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => SomebodySignedIn.AcceptAsync(host, taken.Code!, "ada@vendor.example"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);

        var old = await SomebodySignedIn.InvitedAsync(host.Admin, "cy@vendor.example", "viewer");
        time.Advance(TimeSpan.FromDays(7) + TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(old.Code!));
        Assert.Equal(["accepted", "expired", "expired", "revoked"], (await InvitationsAsync()).Where(one => one.Email is not null).Select(one => one.State).Order());
    }

    [Fact]
    public async Task Who_accepts_needs_a_long_password_and_an_authenticator_that_works_and_guesses_no_code()
    {
        var invited = await SomebodySignedIn.InvitedAsync(host.Admin, "ada@vendor.example", "viewer");
        using var anonymous = host.Client(host.Portal);
        using var both = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/accept", new AcceptInvitationRequest(invited.Code!, "too short", "000000"));
        Assert.Equal(["/password", "/totp"], (await both.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => error.Pointer).Order());
        for (var i = 0; i < 19; i++)
        {
            using var wrong = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/accept", new AcceptInvitationRequest(invited.Code!, SomebodySignedIn.Password, "000000"));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        }

        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(invited.Code!));
    }

    [Fact]
    public async Task Nobody_gives_or_takes_what_they_do_not_hold()
    {
        var administrator = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        var officer = await SomebodySignedIn.InviteByAsync(host, administrator, "officer@vendor.example", "security-officer");
        using var api = await officer.ApiAsync();
        var people = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items;
        var root = people.Single(person => person.Email == "root@vendor.example");

        using var invite = await api.PostAsJsonAsync("/api/v1/identity/invitations", new InviteRequest("x@vendor.example", "x", ["administrator"]));
        Assert.Equal("beyond-your-own", (await invite.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Single().Code);
        foreach (var act in new[] { "recover", "disable", "end-sessions" })
        {
            using var refused = await api.PostAsJsonAsync($"/api/v1/identity/people/{root.Id}/{act}", new PersonActionRequest());
            Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        }

        Assert.All(root.Actions, action => Assert.False(action.Allowed));

        // Itself it raises no more than others.
        var self = people.Single(person => person.Email == officer.Email);
        using var raise = await api.PutAsJsonAsync($"/api/v1/identity/people/{self.Id}/roles", new ChangeRolesRequest(["security-officer", "administrator"]));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, raise.StatusCode);

        // The only administrator stays one.
        using var all = await administrator.ApiAsync();
        using var last = await all.PutAsJsonAsync($"/api/v1/identity/people/{root.Id}/roles", new ChangeRolesRequest(["viewer"]));
        Assert.Equal(HttpStatusCode.Conflict, last.StatusCode);
    }

    [Fact]
    public async Task A_customers_administrator_sees_and_changes_its_own_people_only_and_makes_no_staff()
    {
        var customer = await host.CreateCustomerAsync("Acme");
        var other = await host.CreateCustomerAsync("Beta");
        var stranger = await SomebodySignedIn.InviteAsync(host, "b@beta.example", "customer-administrator", other.Id);
        await SomebodySignedIn.InviteAsync(host, "s@vendor.example", "viewer");
        var somebody = await SomebodySignedIn.InviteAsync(host, "a@acme.example", "customer-administrator", customer.Id);
        var all = (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items;
        using var api = await somebody.ApiAsync();

        Assert.Equal([somebody.Email], (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items.Select(person => person.Email));
        Assert.All((await api.GetFromJsonAsync<List<RoleItem>>("/api/v1/identity/roles"))!, role => Assert.Equal("customerUser", role.Kind));
        foreach (var person in all.Where(person => person.CustomerId != customer.Id))
        {
            using var seen = await api.GetAsync(new Uri($"/api/v1/identity/people/{person.Id}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, seen.StatusCode);
            using var disabled = await api.PostAsJsonAsync($"/api/v1/identity/people/{person.Id}/disable", new PersonActionRequest());
            Assert.Equal(HttpStatusCode.NotFound, disabled.StatusCode);
        }

        foreach (var (role, of) in new[] { ("administrator", (Guid?)null), ("viewer", null), ("customer-viewer", other.Id) })
        {
            using var refused = await api.PostAsJsonAsync("/api/v1/identity/invitations", new InviteRequest("x@acme.example", "x", [role], of));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        }

        // The code goes by mail alone: else it could find out, and become, whomever it names.
        Assert.Null((await SomebodySignedIn.InvitedAsync(api, "c@acme.example", "customer-viewer")).Code);
        Assert.Equal((customer.Id, "customerUser"), ((await somebody.TradeAsync())!.Principal.CustomerId!.Value, (await somebody.TradeAsync())!.Principal.Kind));
        Assert.NotNull(await stranger.TradeAsync());
    }

    [Fact]
    public async Task Who_is_disabled_or_gets_other_roles_is_refused_by_every_role_within_five_seconds_with_the_token_it_has()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator");
        var root = await SomebodySignedIn.InviteByAsync(host, somebody, "root@vendor.example", "administrator");
        using var api = await somebody.ApiAsync();
        using var other = await root.ApiAsync();
        var id = (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;
        string[] paths = ["/api/v1/licensing/customers", "/api/v1/fleet/clusters", "/api/v1/identity/people", "/api/v1/notifications/contacts"];
        foreach (var path in paths)
        {
            await Eventually.TrueAsync(async () => (await api.GetAsync(new Uri(path, UriKind.Relative))).IsSuccessStatusCode, $"{path} knows the person");
        }

        using var changed = await other.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest(["viewer"], "less is enough"));
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        await RefusedAsync(api);
        var detail = (await other.GetFromJsonAsync<PersonDetail>($"/api/v1/identity/people/{id}"))!;
        Assert.Equal([("viewer", true), ("administrator", false)], detail.History.Select(held => (held.Name, held.Until is null)));
        using var less = await somebody.ApiAsync();
        using var people = await less.GetAsync(new Uri("/api/v1/identity/people", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, people.StatusCode);

        using var disabled = await other.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest("left the company"));
        Assert.Equal(HttpStatusCode.NoContent, disabled.StatusCode);
        await RefusedAsync(less);
        Assert.Null(await somebody.TradeAsync());
        time.Advance(TimeSpan.FromMinutes(1));
        using var signIn = await somebody.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, signIn.StatusCode);

        async Task RefusedAsync(HttpClient client)
        {
            foreach (var path in paths)
            {
                await Eventually.TrueAsync(async () => (await client.GetAsync(new Uri(path, UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, $"{path} refuses", TimeSpan.FromSeconds(5));
            }
        }
    }

    [Fact]
    public async Task Who_is_new_is_answered_by_a_role_that_was_not_told_yet_until_it_is_told_of_the_end()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        using var api = await somebody.ApiAsync();
        var id = (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var told = db.Projections("fleet").Where(row => row.Id == id.ToString("N"));
        await Eventually.TrueAsync(() => told.AnyAsync(), "fleet was told");
        await using (var transaction = await db.BeginWriteAsync())
        {
            Assert.Equal(1, await told.ExecuteDeleteAsync());
            await transaction.CommitAsync();
        }

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode);

        // What was signed a while ago is no word of today's; it is signed anew for whoever is still there.
        time.Advance(TimeSpan.FromSeconds(70));
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode);
        api.DefaultRequestHeaders.Authorization = new("Bearer", (await somebody.TradeAsync())!.AccessToken);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode);

        using var disabled = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest("left the company"));
        disabled.EnsureSuccessStatusCode();
        await Eventually.TrueAsync(async () => (await api.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, "fleet refuses", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Who_lost_everything_comes_back_by_an_administrators_code_and_the_old_ways_are_closed()
    {
        var somebody = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "viewer");
        var person = (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items.Single();
        using var first = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{person.Id}/recover", new PersonActionRequest("lost the telephone"));
        using var second = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{person.Id}/recover", new PersonActionRequest("once more"));
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync((await first.Content.ReadFromJsonAsync<CreatedInvitation>())!.Code!));
        var back = await SomebodySignedIn.AcceptAsync(host, (await second.Content.ReadFromJsonAsync<CreatedInvitation>())!.Code!, somebody.Email);

        Assert.Equal((await back.TradeAsync())!.Principal.Subject, $"person:{person.Id:N}");
        Assert.Null(await somebody.TradeAsync());
        time.Advance(TimeSpan.FromMinutes(1));
        using var old = await somebody.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);
        using var code = await somebody.TryAsync(code: somebody.RecoveryCodes[0]);
        Assert.Equal(HttpStatusCode.Unauthorized, code.StatusCode);
        using var right = await back.TryAsync();
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task A_persons_token_is_short_bound_holds_nothing_of_identity_and_ends_with_the_person()
    {
        var acme = await host.CreateCustomerAsync("Acme");
        var somebody = await SomebodySignedIn.InviteAsync(host, "ada@vendor.example", "administrator");
        var root = await SomebodySignedIn.InviteByAsync(host, somebody, "root@vendor.example", "administrator");
        using var api = await somebody.ApiAsync();
        using var wide = await api.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("wide", ["*", "identity:write"], ExpiresInDays: 91));
        Assert.Equal(["not-for-tokens", "not-for-tokens", "required", "too-long"], (await wide.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => error.Code).Order());

        // Staff names its networks for a customer's token too.
        using var everywhere = await api.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("acme", ["licensing:read"], acme.Id));
        Assert.Equal(["required"], (await everywhere.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => error.Code));
        using var made = await api.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("narrow", ["licensing:read"], Networks: ["127.0.0.1/32"]));
        using var program = host.Client(host.Portal, (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!.Token);
        await Eventually.TrueAsync(async () => (await program.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative))).IsSuccessStatusCode, "the token is known");

        using var other = await root.ApiAsync();
        var id = (await api.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;
        (await other.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest())).EnsureSuccessStatusCode();
        await Eventually.TrueAsync(async () => (await program.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, "the token is revoked", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_way_back_is_worth_nothing_once_the_person_may_more_and_its_use_ends_every_token()
    {
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        var ada = await SomebodySignedIn.InviteByAsync(host, root, "ada@vendor.example", "viewer");
        using var api = await root.ApiAsync();
        var id = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people"))!.Items.Single(person => person.Email == ada.Email).Id;
        var early = await RecoverAsync();
        using var raised = await api.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest(["administrator"]));
        Assert.Equal(HttpStatusCode.NoContent, raised.StatusCode);
        var opened = await SomebodySignedIn.TryAcceptAsync(host, early);
        Assert.Equal(HttpStatusCode.Unauthorized, opened);

        // A token keeps no right that its person lost, and none at all when the account may have been another's.
        using var hers = await ada.ApiAsync();
        using var narrow = await TokenAsync(hers, "fleet:read");
        using var wide = await TokenAsync(hers, "fleet:write", "fleet:read");
        using var lowered = await api.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest(["security-officer"]));
        Assert.Equal(HttpStatusCode.NoContent, lowered.StatusCode);
        await Eventually.TrueAsync(async () => await StatusAsync(wide) == HttpStatusCode.Unauthorized, "the wide token is revoked", TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(narrow));
        await SomebodySignedIn.AcceptAsync(host, await RecoverAsync(), ada.Email);
        await Eventually.TrueAsync(async () => await StatusAsync(narrow) == HttpStatusCode.Unauthorized, "the narrow token is revoked", TimeSpan.FromSeconds(5));

        async Task<string> RecoverAsync()
        {
            using var answer = await api.PostAsJsonAsync($"/api/v1/identity/people/{id}/recover", new PersonActionRequest());
            return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedInvitation>())!.Code!;
        }

        async Task<HttpClient> TokenAsync(HttpClient by, params string[] scopes)
        {
            using var made = await by.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("a program", scopes, Networks: ["127.0.0.0/8"]));
            var client = host.Client(host.Portal, (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!.Token);
            await Eventually.TrueAsync(async () => await StatusAsync(client) == HttpStatusCode.OK, "the token is known");
            return client;
        }

        async Task<HttpStatusCode> StatusAsync(HttpClient client)
        {
            using var answer = await client.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative));
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Who_was_stopped_leaves_no_way_back_with_the_token_of_a_moment_ago()
    {
        var root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        var bad = await SomebodySignedIn.InviteByAsync(host, root, "bad@vendor.example", "administrator");
        using var api = await root.ApiAsync();
        using var theirs = await bad.ApiAsync();
        var invited = await SomebodySignedIn.InvitedAsync(theirs, "friend@vendor.example", "administrator");
        var id = (await theirs.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Id;
        using var stopped = await api.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest("left"));
        Assert.Equal(HttpStatusCode.NoContent, stopped.StatusCode);

        // At once: whether the message has come to identity's own door or not.
        using var token = await theirs.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("way back", ["fleet:read"], Networks: ["127.0.0.0/8"]));
        Assert.Equal(HttpStatusCode.Unauthorized, token.StatusCode);
        using var invite = await theirs.PostAsJsonAsync("/api/v1/identity/invitations", new InviteRequest("again@vendor.example", "again", ["administrator"]));
        Assert.Equal(HttpStatusCode.Unauthorized, invite.StatusCode);
        using var enable = await theirs.PostAsJsonAsync($"/api/v1/identity/people/{id}/enable", new PersonActionRequest());
        Assert.Equal(HttpStatusCode.Unauthorized, enable.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync(invited.Code!));
    }

    [Fact]
    public async Task Two_administrators_who_stop_each_other_at_once_leave_one()
    {
        for (var round = 0; round < 5; round++)
        {
            var one = round == 0 ? await SomebodySignedIn.InviteAsync(host, "one0@vendor.example", "administrator") : await MoreAsync($"one{round}@vendor.example");
            var two = await SomebodySignedIn.InviteByAsync(host, one, $"two{round}@vendor.example", "administrator");
            using var first = await one.ApiAsync();
            using var second = await two.ApiAsync();
            var people = (await first.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items;
            var answers = await Task.WhenAll(
                first.PostAsJsonAsync($"/api/v1/identity/people/{people.Single(person => person.Email == two.Email).Id}/disable", new PersonActionRequest()),
                second.PostAsJsonAsync($"/api/v1/identity/people/{people.Single(person => person.Email == one.Email).Id}/disable", new PersonActionRequest()));
            Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.NoContent));
            survivor = answers[0].StatusCode == HttpStatusCode.NoContent ? one : two;
        }

        async Task<SomebodySignedIn> MoreAsync(string email)
        {
            var made = await SomebodySignedIn.InviteByAsync(host, survivor!, email, "administrator");
            using var api = await made.ApiAsync();
            var id = (await api.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items.Single(person => person.Email == survivor!.Email).Id;
            (await api.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest())).EnsureSuccessStatusCode();
            return made;
        }
    }

    [Fact]
    public async Task Who_opened_an_invitation_before_knows_no_secret_of_who_accepts_it()
    {
        var invited = await SomebodySignedIn.InvitedAsync(host.Admin, "ada@vendor.example", "viewer");
        using var anonymous = host.Client(host.Portal);
        using var peek = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/open", new OpenInvitationRequest(invited.Code));
        var seen = (await peek.Content.ReadFromJsonAsync<OpenedInvitation>())!.TotpSecret;
        using var same = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/open", new OpenInvitationRequest(invited.Code, seen));
        Assert.Equal(seen, (await same.Content.ReadFromJsonAsync<OpenedInvitation>())!.TotpSecret);

        var ada = await SomebodySignedIn.AcceptAsync(host, invited.Code!, "ada@vendor.example");

        Assert.NotEqual(seen, ada.Secret);
        time.Advance(TimeSpan.FromMinutes(1));
        using var thief = await new SomebodySignedIn(host, ada.Email) { Secret = seen }.TryAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, thief.StatusCode);
        using var right = await ada.TryAsync();
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    private async Task<HttpStatusCode> OpenAsync(string code)
    {
        using var anonymous = host.Client(host.Portal);
        using var answer = await anonymous.PostAsJsonAsync("/api/v1/identity/invitations/open", new OpenInvitationRequest(code));
        return answer.StatusCode;
    }

    private async Task<IReadOnlyList<InvitationItem>> InvitationsAsync() => (await host.Admin.GetFromJsonAsync<Page<InvitationItem>>("/api/v1/identity/invitations"))!.Items;
}
