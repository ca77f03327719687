using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Groups;
using MissionControl.Identity.People;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Groups without a provider: what people hold through them, and what nobody does by one.</summary>
public sealed class GroupTests : IAsyncLifetime
{
    private const string Groups = "/api/v1/identity/groups";
    private static readonly string[] Paths = ["/api/v1/licensing/customers", "/api/v1/fleet/clusters", "/api/v1/notifications/contacts"];
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
    private ControlPlane host = null!;
    private SomebodySignedIn root = null!;
    private HttpClient api = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync(time: time, configuration: new Dictionary<string, string?> { ["Api:RequestsPerMinute"] = "1000000", ["Identity:KeepBootstrapToken"] = "true" });
        root = await SomebodySignedIn.InviteAsync(host, "root@vendor.example", "administrator");
        api = await root.ApiAsync();
    }

    public async ValueTask DisposeAsync()
    {
        api.Dispose();
        await host.DisposeAsync();
    }

    [Fact]
    public async Task A_role_is_held_through_a_group_from_a_moment_on_until_one_and_every_role_knows_within_five_seconds()
    {
        var (ada, id) = await SomebodyAsync("ada", "viewer");
        using var before = await KnownAsync(ada);
        var moment = time.GetUtcNow();
        var group = await MakeAsync("Billing team", ["billing"], [id]);
        await RefusedAsync(before);
        Assert.Contains("licensing:write", (await ada.TradeAsync())!.Principal.Scopes);
        var held = (await PersonAsync(id)).Person.Roles;
        Assert.Equal([("billing", false), ("viewer", true)], held.Select(role => (role.Name, role.IsDirect)));
        Assert.InRange(held[0].Since, moment.AddMilliseconds(-1), time.GetUtcNow());
        Assert.True(held[1].Since < held[0].Since);
        Assert.Equal([new GroupName(group, "Billing team")], held[0].Groups);
        Assert.Empty(held[1].Groups);
        using (var hers = await ada.ApiAsync())
        {
            Assert.Equal("Billing team", (await hers.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Roles[0].Groups.Single().Name);
        }

        time.Advance(TimeSpan.FromMinutes(1));
        using var with = await KnownAsync(ada);
        moment = time.GetUtcNow();
        Assert.Equal("done", await SetAsync(group, Set("Billing team", ["billing"], [])));
        await RefusedAsync(with);
        Assert.DoesNotContain("licensing:write", (await ada.TradeAsync())!.Principal.Scopes);
        var ended = (await PersonAsync(id)).History.Single(role => role.Name == "billing");
        Assert.Equal((held[0].Since, "Billing team"), (ended.Since, ended.Groups.Single().Name));
        Assert.InRange(ended.Until!.Value, moment.AddMilliseconds(-1), time.GetUtcNow());
        await ToldAsync("identity.group-created", group, 1);
        await ToldAsync("identity.group-changed", group, 1);
        await ToldAsync("identity.person-roles-changed", id, 2);
    }

    [Fact]
    public async Task A_role_that_is_held_in_two_ways_stands_once_and_the_end_of_one_leaves_the_other()
    {
        var (ada, id) = await SomebodyAsync("ada", "viewer");
        var first = await MakeAsync("Readers", ["viewer"], [id]);
        var second = await MakeAsync("Also readers", ["viewer"], [id]);
        var role = Assert.Single((await PersonAsync(id)).Person.Roles);
        Assert.True(role.IsDirect);
        Assert.Equal(["Also readers", "Readers"], role.Groups.Select(group => group.Name));
        using var hers = await ada.ApiAsync();
        Assert.Single((await hers.GetFromJsonAsync<MeItem>("/api/v1/identity/me"))!.Roles);

        // Nobody's rights changed, so nothing that was in use ends.
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("done", await RemoveAsync(first));
        Assert.Equal(["Also readers"], (await PersonAsync(id)).Person.Roles.Single().Groups.Select(group => group.Name));
        using var answer = await hers.GetAsync(new Uri("/api/v1/identity/me", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        // What is given directly ends by itself; through the group it is held on.
        using var direct = await api.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest([], "the group is enough"));
        Assert.Equal(HttpStatusCode.NoContent, direct.StatusCode);
        role = Assert.Single((await PersonAsync(id)).Person.Roles);
        Assert.False(role.IsDirect);
        Assert.Contains("fleet:read", (await ada.TradeAsync())!.Principal.Scopes);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("done", await RemoveAsync(second));
        Assert.Empty((await PersonAsync(id)).Person.Roles);
        Assert.Empty((await ada.TradeAsync())!.Principal.Scopes);

        // Nobody is left without any role by hand.
        using var none = await api.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest([]));
        Assert.Equal("/roles", Assert.Single((await none.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!).Pointer);
        Assert.Equal(3, (await PersonAsync(id)).History.Count(one => one.Name == "viewer" && one.Until is not null));
    }

    [Fact]
    public async Task A_group_that_is_removed_takes_its_roles_along_and_is_still_named_by_the_history()
    {
        var (ada, id) = await SomebodyAsync("ada", "viewer");
        var group = await MakeAsync("Night shift", ["support-engineer", "billing"], [id]);
        using var taken = await api.PostAsJsonAsync(Groups, Set("NIGHT shift", [], []));
        Assert.Equal(("/name", "taken"), (await ErrorsAsync(taken)).Single());

        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("done", await RemoveAsync(group));
        Assert.Equal(["viewer"], (await PersonAsync(id)).Person.Roles.Select(role => role.Name));
        Assert.Equal(["Night shift", "Night shift"], (await PersonAsync(id)).History.Where(role => !role.IsDirect).Select(role => role.Groups.Single().Name));
        Assert.Equal("not-found", await RemoveAsync(group));
        Assert.Equal("not-found", await SetAsync(group, Set("Night shift", [], [])));
        Assert.Empty((await api.GetFromJsonAsync<Page<GroupItem>>(Groups))!.Items);
        await MakeAsync("Night shift", [], []);
        await ToldAsync("identity.group-removed", group, 1);
        Assert.NotNull(await ada.TradeAsync());
    }

    [Fact]
    public async Task The_last_administrator_stays_one_whatever_it_is_one_through()
    {
        var (joan, id) = await SomebodyAsync("joan", "viewer");
        var rootId = await IdAsync("root");
        var group = await MakeAsync("Administrators", ["administrator"], [id]);

        // Root goes: there is Joan, through the group alone.
        using var less = await api.PutAsJsonAsync($"/api/v1/identity/people/{rootId}/roles", new ChangeRolesRequest(["viewer"]));
        Assert.Equal(HttpStatusCode.NoContent, less.StatusCode);
        using var hers = await joan.ApiAsync();
        Assert.Equal("conflict", await SetAsync(group, Set("Administrators", ["administrator"], []), by: hers));
        Assert.Equal("conflict", await SetAsync(group, Set("Administrators", ["viewer"], [id]), by: hers));
        Assert.Equal("conflict", await RemoveAsync(group, hers));
        using var direct = await hers.PutAsJsonAsync($"/api/v1/identity/people/{id}/roles", new ChangeRolesRequest(["viewer"]));
        Assert.Equal(HttpStatusCode.NoContent, direct.StatusCode);

        // In another one's favour it is given away, and two sources count as one administrator.
        using var again = await joan.ApiAsync();
        await MakeAsync("More administrators", ["administrator"], [id], by: again);
        using var only = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest());
        Assert.Equal(HttpStatusCode.Conflict, only.StatusCode);
        using var still = await joan.ApiAsync();
        Assert.Equal("done", await SetAsync(group, Set("Administrators", ["administrator"], [rootId]), by: still));
        using var stopped = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{rootId}/disable", new PersonActionRequest());
        Assert.Equal(HttpStatusCode.NoContent, stopped.StatusCode);
        using var last = await host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{id}/disable", new PersonActionRequest());
        Assert.Equal(HttpStatusCode.Conflict, last.StatusCode);
    }

    [Fact]
    public async Task Nobody_gives_through_a_group_what_they_lack_nor_touches_who_may_more()
    {
        var (officer, own) = await SomebodyAsync("officer", "security-officer");
        var (_, ada) = await SomebodyAsync("ada", "viewer");
        var rootId = await IdAsync("root");
        var mighty = await MakeAsync("Mighty", ["administrator"], []);
        var harmless = await MakeAsync("Harmless", ["viewer"], [rootId]);
        using var theirs = await officer.ApiAsync();

        using var beyond = await theirs.PostAsJsonAsync(Groups, Set("Mine", ["viewer", "administrator"], [own]));
        Assert.Equal(("/roles/1", "beyond-your-own"), (await ErrorsAsync(beyond)).Single());
        Assert.Equal("conflict", await SetAsync(mighty, Set("Mighty", ["viewer"], [ada]), by: theirs));
        Assert.Equal("conflict", await RemoveAsync(mighty, theirs));
        Assert.All((await theirs.GetFromJsonAsync<GroupDetail>($"{Groups}/{mighty}"))!.Group.Actions, action => Assert.False(action.Allowed));
        using var touched = await theirs.PostAsJsonAsync(Groups, Set("Theirs", ["viewer"], [rootId]));
        Assert.Equal(HttpStatusCode.Conflict, touched.StatusCode);
        Assert.Equal("conflict", await SetAsync(harmless, Set("Harmless", ["viewer"], []), by: theirs));
        Assert.Equal("conflict", await RemoveAsync(harmless, theirs));

        // Whoever may more stays as they are: then others come and go.
        Assert.Equal("done", await SetAsync(harmless, Set("Harmless", ["viewer"], [rootId, ada]), by: theirs));
    }

    [Fact]
    public async Task A_customers_administrator_has_groups_of_its_own_people_only()
    {
        var (acme, beta) = ((await host.CreateCustomerAsync("Acme")).Id, (await host.CreateCustomerAsync("Beta")).Id);
        var somebody = await SomebodySignedIn.InviteAsync(host, "a@acme.example", "customer-administrator", acme);
        await SomebodySignedIn.InviteAsync(host, "u@acme.example", "customer-viewer", acme);
        await SomebodySignedIn.InviteAsync(host, "b@beta.example", "customer-viewer", beta);
        var (own, other, staff) = (await IdAsync("u"), await IdAsync("b"), await IdAsync("root"));
        var theirs = await MakeAsync("Operators", ["customer-administrator"], [other], beta);
        var vendors = await MakeAsync("Operators", ["viewer"], []);
        using var by = await somebody.ApiAsync();

        var mine = await MakeAsync("Operators", ["customer-administrator"], [own], by: by);
        Assert.Equal([mine], (await by.GetFromJsonAsync<Page<GroupItem>>(Groups))!.Items.Select(one => one.Id));
        Assert.Equal(acme, (await by.GetFromJsonAsync<GroupDetail>($"{Groups}/{mine}"))!.Group.CustomerId);
        Assert.Equal([mine], (await api.GetFromJsonAsync<Page<GroupItem>>($"{Groups}?customer={acme}&q=oper"))!.Items.Select(one => one.Id));
        foreach (var foreign in new[] { theirs, vendors })
        {
            using var seen = await by.GetAsync(new Uri($"{Groups}/{foreign}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, seen.StatusCode);
            Assert.Equal("not-found", await SetAsync(foreign, Set("Operators", [], [own]), by: by));
            Assert.Equal("not-found", await RemoveAsync(foreign, by));
        }

        foreach (var (request, pointer, code) in new[]
        {
            (Set("X", [], [own, other]), "/members/1", "unknown-person"), (Set("X", [], [staff]), "/members/0", "unknown-person"), (Set("X", [], [Guid.NewGuid()]), "/members/0", "unknown-person"),
            (Set("X", ["viewer"], []), "/roles/0", "unknown-role"), (Set("X", [], []) with { CustomerId = beta }, "/customerId", "unknown-customer"), (Set(" ", [], []), "/name", "invalid-value"),
        })
        {
            using var refused = await by.PostAsJsonAsync(Groups, request);
            Assert.Equal((pointer, code), (await ErrorsAsync(refused)).Single());
        }

        // Nor does the vendor mix them.
        Assert.Equal("invalid", await SetAsync(vendors, Set("Operators", ["viewer"], [own])));
        Assert.Equal("invalid", await SetAsync(mine, Set("Operators", ["customer-viewer"], [staff])));
    }

    [Fact]
    public async Task A_token_keeps_no_right_that_its_person_held_through_a_group_alone()
    {
        var (ada, id) = await SomebodyAsync("ada", "viewer");
        var group = await MakeAsync("Support", ["support-engineer", "security-officer"], [id]);
        using var hers = await ada.ApiAsync();
        using var narrow = await TokenAsync(hers, "fleet:read");
        using var wide = await TokenAsync(hers, "fleet:write", "fleet:read");
        var invited = (await SomebodySignedIn.InvitedAsync(hers, "friend@vendor.example", "viewer")).Code!;
        Assert.Equal("done", await SetAsync(group, Set("Support", ["support-engineer", "security-officer"], [])));
        await Eventually.TrueAsync(async () => await StatusAsync(wide, "/api/v1/fleet/clusters") == HttpStatusCode.Unauthorized, "the wide token is revoked", TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(narrow, "/api/v1/fleet/clusters"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SomebodySignedIn.TryAcceptAsync(host, invited));
    }

    [Fact]
    public async Task Of_two_who_change_a_group_at_once_one_is_told_so_and_two_groups_of_the_same_people_do_not_disturb_each_other()
    {
        var (_, ada) = await SomebodyAsync("ada", "viewer");
        var (_, joan) = await SomebodyAsync("joan", "viewer");
        var group = await MakeAsync("One", ["billing"], []);
        var first = new EntityTagHeaderValue("\"1\"");
        var answers = await Task.WhenAll(SetAsync(group, Set("One", ["billing"], [ada]), host.Admin, first), SetAsync(group, Set("One", ["billing"], [joan]), host.Admin, first));
        Assert.Equal(["done", "precondition-failed"], answers.Order());
        Assert.Single((await api.GetFromJsonAsync<GroupDetail>($"{Groups}/{group}"))!.Members);
        using var unread = await api.PutAsJsonAsync($"{Groups}/{group}", Set("One", [], []));
        Assert.Equal((HttpStatusCode)428, unread.StatusCode);

        var other = await MakeAsync("Two", ["release-manager"], []);
        for (var round = 0; round < 5; round++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            var members = round % 2 == 0 ? new[] { ada, joan } : [];
            var both = await Task.WhenAll(SetAsync(group, Set("One", ["billing"], members), by: host.Admin), SetAsync(other, Set("Two", ["release-manager"], members), by: host.Admin));
            Assert.Equal(["done", "done"], both);
        }

        Assert.Equal(["billing", "release-manager", "viewer"], (await PersonAsync(ada)).Person.Roles.Select(role => role.Name));
    }

    [Fact]
    public async Task A_group_is_bounded_and_holds_as_many_as_it_may()
    {
        var now = time.GetUtcNow();
        var crowd = Enumerable.Range(0, Group.MostMembers + 1).Select(i => new Person { Id = Guid.CreateVersion7(now), Kind = Person.Staff, Email = $"c{i}@vendor.example", EmailKey = $"C{i}@VENDOR.EXAMPLE", Name = $"Crowd {i}", CreatedAt = now }).ToList();
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            db.Scope.OpenAll("a test fills in");
            db.AddRange(crowd);
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        var ids = crowd.ConvertAll(person => person.Id);
        using var many = await host.Admin.PostAsJsonAsync(Groups, Set("Everybody", ["viewer"], ids));
        Assert.Equal(("/members", "too-many"), (await ErrorsAsync(many)).Single());
        ids.RemoveAt(0);
        var group = await MakeAsync("Everybody", ["viewer"], ids, by: host.Admin);
        var held = (await host.RowsAsync<HeldRole>()).Where(row => row.GroupId == group).ToList();
        Assert.Equal(Group.MostMembers, held.Count(row => row.Role == "viewer" && row.Until is null));
        Assert.All((await host.RowsAsync<Person>()).Where(person => ids.Contains(person.Id)), person => Assert.Equal(2, person.Stamp));
        Assert.Equal(Group.MostMembers, (await host.Admin.GetFromJsonAsync<Page<GroupItem>>(Groups))!.Items.Single().Members);

        for (var i = 1; i < Group.Most; i++)
        {
            await MakeAsync($"Group {i}", [], [], by: host.Admin);
        }

        using var last = await host.Admin.PostAsJsonAsync(Groups, Set("One more", [], []));
        Assert.Equal(HttpStatusCode.Conflict, last.StatusCode);
        await MakeAsync("Another owner's", [], [], (await host.CreateCustomerAsync("Acme")).Id, host.Admin);
    }

    private static SetGroupRequest Set(string name, IReadOnlyList<string> roles, IReadOnlyList<Guid> members) => new(name, roles, members, Reason: "a test");

    private async Task<Guid> MakeAsync(string name, string[] roles, IReadOnlyList<Guid> members, Guid? customer = null, HttpClient? by = null)
    {
        using var made = await (by ?? api).PostAsJsonAsync(Groups, Set(name, roles, members) with { CustomerId = customer });
        return (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedGroup>())!.Id;
    }

    /// <summary>Reads the group first, as whoever changes one does; what is not there is tried all the same.</summary>
    private async Task<string> SetAsync(Guid group, SetGroupRequest request, HttpClient? by = null, EntityTagHeaderValue? known = null)
    {
        using var read = await (by ?? api).GetAsync(new Uri($"{Groups}/{group}", UriKind.Relative));
        using var message = new HttpRequestMessage(HttpMethod.Put, new Uri($"{Groups}/{group}", UriKind.Relative)) { Content = JsonContent.Create(request) };
        message.Headers.IfMatch.Add(known ?? read.Headers.ETag ?? EntityTagHeaderValue.Any);
        using var answer = await (by ?? api).SendAsync(message);
        return await SaidAsync(answer);
    }

    private async Task<string> RemoveAsync(Guid group, HttpClient? by = null)
    {
        using var answer = await (by ?? api).PostAsJsonAsync($"{Groups}/{group}/remove", new GroupActionRequest("a test"));
        return await SaidAsync(answer);
    }

    private static async Task<string> SaidAsync(HttpResponseMessage answer) => answer.IsSuccessStatusCode ? "done" : (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Code;

    private static async Task<IEnumerable<(string Pointer, string Code)>> ErrorsAsync(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!.Select(error => (error.Pointer, error.Code));

    private async Task<(SomebodySignedIn Somebody, Guid Id)> SomebodyAsync(string name, string role) => (await SomebodySignedIn.InviteAsync(host, $"{name}@vendor.example", role), await IdAsync(name));

    private async Task<Guid> IdAsync(string name) => (await host.Admin.GetFromJsonAsync<Page<PersonItem>>("/api/v1/identity/people?limit=500"))!.Items.Single(person => person.Email.StartsWith(name + "@", StringComparison.Ordinal)).Id;

    private async Task<PersonDetail> PersonAsync(Guid id) => (await host.Admin.GetFromJsonAsync<PersonDetail>($"/api/v1/identity/people/{id}"))!;

    private static async Task<HttpClient> KnownAsync(SomebodySignedIn somebody)
    {
        var client = await somebody.ApiAsync();
        foreach (var path in Paths)
        {
            await Eventually.TrueAsync(async () => await StatusAsync(client, path) == HttpStatusCode.OK, $"{path} knows the person");
        }

        return client;
    }

    private static async Task RefusedAsync(HttpClient client)
    {
        foreach (var path in Paths)
        {
            await Eventually.TrueAsync(async () => await StatusAsync(client, path) == HttpStatusCode.Unauthorized, $"{path} refuses", TimeSpan.FromSeconds(5));
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    private async Task<HttpClient> TokenAsync(HttpClient by, params string[] scopes)
    {
        using var made = await by.PostAsJsonAsync("/api/v1/identity/tokens", new CreateTokenRequest("a program", scopes, Networks: ["127.0.0.0/8"]));
        var client = host.Client(host.Portal, (await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<CreatedToken>())!.Token);
        await Eventually.TrueAsync(async () => await StatusAsync(client, "/api/v1/fleet/clusters") == HttpStatusCode.OK, "the token is known");
        return client;
    }

    private async Task ToldAsync(string type, Guid target, int times) =>
        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>($"/api/v1/audit/entries?type={type}&target={target}"))!.Items.Count == times, $"{times} entries {type}");
}
