using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Directories;
using MissionControl.Identity.Federation;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>Sign-in by a directory that knows nothing of Mission Control: Debian's slapd.</summary>
public sealed class DirectoryTests : IAsyncLifetime
{
    private DirectoryHost directory = null!;

    private DirectoryServer Peer => directory.Peer;

    private ControlPlane Host => directory.Host;

    public async ValueTask InitializeAsync() => directory = await DirectoryHost.StartAsync(null,
        new Dictionary<string, string> { ["Id"] = "flat", ["GroupNesting"] = "0" },
        new Dictionary<string, string> { ["Id"] = "chain", ["GroupNesting"] = "2" },
        new Dictionary<string, string> { ["Id"] = "posix", ["UserFilter"] = "(|(uid={0})(mail={0}))", ["GroupFilter"] = "(memberUid={1})" });

    public ValueTask DisposeAsync() => directory.DisposeAsync();

    [Theory]
    [InlineData("corp")]
    [InlineData("start")]
    public async Task Staff_signs_in_with_a_password_of_the_directory_and_a_second_factor_of_here(string id)
    {
        await Peer.AddGroupAsync("Viewers", await Peer.AddPersonAsync("grace"));
        using var anonymous = Host.Client(Host.Portal);
        Assert.Contains((await anonymous.GetFromJsonAsync<SignInOptions>("/api/v1/identity/sign-in"))!.Providers, provider => provider is { Id: "corp", Kind: "ldap", Name: "Vendor accounts" });
        Assert.Equal("ldap", (await anonymous.GetFromJsonAsync<SignInProvider>($"/api/v1/identity/federation/{id}"))!.Kind);

        var (browser, missing) = await directory.BeginAsync("grace", id);
        Assert.Equal(("authenticator", null, "/clusters"), (missing.Needs, missing.Session, missing.ReturnUrl));
        Assert.DoesNotContain(await Host.RowsAsync<Sessions.Session>(), session => session.PersonId is not null);

        // Nothing but the code finishes it: there is no answer of a provider to bring.
        using var finished = await Host.FinishAsync(id, browser, "a state", "a code", null);
        Assert.Equal(HttpStatusCode.NotFound, finished.StatusCode);

        var (traded, codes) = await directory.SignInAsync("Grace", directory: id);
        Assert.Equal("staff", traded.Principal.Kind);
        Assert.Contains("fleet:read", traded.Principal.Scopes);
        Assert.DoesNotContain("fleet:write", traded.Principal.Scopes);
        var person = (await Host.PersonAsync(traded.Principal.Subject)).Person;
        Assert.Equal(("Grace of the directory", "grace@vendor.example", true), (person.Name, person.Email, person.IsFederated));
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.signed-in"))!.Items.Any(entry =>
            entry.ActorId == traded.Principal.Subject && entry.Entry.GetProperty("actor").GetProperty("auth").GetString() == "ldap"), "the sign-in is in the log");

        // The next time a code is asked for; and there is one person, however its name is written.
        var (_, second) = await directory.BeginAsync(" GRACE ", id);
        Assert.Equal("code", second.Needs);
        Assert.Equal(traded.Principal.Subject, (await directory.SignInAsync("grace", codes[0], id)).Traded.Principal.Subject);
        Assert.Single(await Host.RowsAsync<FederatedIdentity>());
        Assert.Empty(await Host.RowsAsync<DirectoryTry>());
    }

    [Fact]
    public async Task Roles_follow_the_groups_at_the_next_sign_in_through_groups_in_groups_and_circles()
    {
        var ada = await Peer.AddPersonAsync("ada");
        var team = await Peer.AddGroupAsync("team", ada);
        var support = await Peer.AddGroupAsync("Support", team);
        await Peer.ChangeAsync($"dn: {team}\nchangetype: modify\nadd: member\nmember: {support}\n");
        var (before, codes) = await directory.SignInAsync("ada");
        Assert.Equal(["support-engineer"], (await Host.PersonAsync(before.Principal.Subject)).Person.Roles.Select(role => role.Name));

        // A group more, another one less.
        await Peer.AddGroupAsync("viewers", ada);
        await Peer.ChangeAsync($"dn: {support}\nchangetype: modify\nreplace: member\nmember: {DirectoryServer.Reader}\n");
        using var asBefore = Host.Client(Host.Portal, before.AccessToken);
        var (after, _) = await directory.SignInAsync("ada", codes[0]);
        Assert.Equal(before.Principal.Subject, after.Principal.Subject);
        var person = await Host.PersonAsync(after.Principal.Subject);
        Assert.Equal(["viewer"], person.Person.Roles.Select(role => role.Name));
        Assert.Contains(person.History, role => role is { Name: "support-engineer", Until: not null });
        await Eventually.TrueAsync(async () => (await asBefore.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, "the token of before is worth nothing");

        // Without any role it is outside, is told no more than anybody, and its sessions end.
        await Peer.ChangeAsync($"dn: cn=viewers,{DirectoryServer.Groups}\nchangetype: delete\n");
        using var refused = await directory.TryAsync("ada");
        Assert.Equal((HttpStatusCode.Unauthorized, DirectorySignIn.Refusal), (refused.StatusCode, await refused.DetailAsync()));
        Assert.Equal(FederatedPeople.NoRole, (await Host.RefusalsAsync(1))[0]);
        Assert.Equal(0, (await Host.PersonAsync(after.Principal.Subject)).Person.Sessions);
    }

    [Fact]
    public async Task Memberships_go_through_as_many_groups_as_are_configured()
    {
        var member = await Peer.AddPersonAsync("deep");
        foreach (var name in new[] { "one", "two", "Admins" })
        {
            member = await Peer.AddGroupAsync(name, member);
        }

        await Peer.AddGroupAsync("support", member);
        Assert.Equal(["administrator", "support-engineer"], await RolesAsync("corp"));
        Assert.Equal(["administrator"], await RolesAsync("chain"));
        using var flat = await directory.TryAsync("deep", directory: "flat");
        Assert.Equal(HttpStatusCode.Unauthorized, flat.StatusCode);

        async Task<IEnumerable<string>> RolesAsync(string id) => (await Host.PersonAsync((await directory.SignInAsync("deep", directory: id)).Traded.Principal.Subject)).Person.Roles.Select(role => role.Name).Order();
    }

    [Fact]
    public async Task Groups_that_list_names_list_them_as_the_entry_has_them_and_not_as_somebody_types_them()
    {
        await Peer.AddPersonAsync("linus");
        await Peer.AddPersonAsync("eve", "mail: ken");
        await Peer.AddAsync($"dn: cn=support,{DirectoryServer.Groups}\nobjectClass: posixGroup\ncn: support\ngidNumber: 1\nmemberUid: linus\nmemberUid: ken\n\n");
        using var linus = await directory.TryAsync("linus@vendor.example", directory: "posix");
        Assert.Equal(HttpStatusCode.OK, linus.StatusCode);
        using var eve = await directory.TryAsync("ken", directory: "posix");
        Assert.Equal(HttpStatusCode.Unauthorized, eve.StatusCode);
        Assert.Equal(FederatedPeople.NoRole, (await Host.RefusalsAsync(1))[0]);
    }

    [Fact]
    public async Task Who_is_renamed_or_moved_stays_who_it_is_and_whoever_gets_its_name_is_another()
    {
        var joan = await Peer.AddPersonAsync("joan");
        await Peer.AddGroupAsync("viewers", joan);
        var (before, codes) = await directory.SignInAsync("joan");
        await Peer.ChangeAsync($"dn: {joan}\nchangetype: modrdn\nnewrdn: uid=murray\ndeleteoldrdn: 1\n");
        await Peer.ChangeAsync($"dn: cn=viewers,{DirectoryServer.Groups}\nchangetype: modify\nreplace: member\nmember: uid=murray,{DirectoryServer.People}\n");
        Assert.Equal(before.Principal.Subject, (await directory.SignInAsync("murray", codes[0])).Traded.Principal.Subject);

        await Peer.ChangeAsync($"dn: cn=viewers,{DirectoryServer.Groups}\nchangetype: modify\nadd: member\nmember: {await Peer.AddPersonAsync("joan")}\n");
        Assert.NotEqual(before.Principal.Subject, (await directory.SignInAsync("joan")).Traded.Principal.Subject);
    }

    [Fact]
    public async Task A_mail_address_links_nobody_and_two_directories_keep_their_people_apart()
    {
        var local = await SomebodySignedIn.InviteAsync(Host, "local@vendor.example", "administrator");
        await Peer.AddGroupAsync("viewers", await Peer.AddPersonAsync("local"));
        var (traded, _) = await directory.SignInAsync("local");
        Assert.NotEqual((await local.TradeAsync())!.Principal.Subject, traded.Principal.Subject);
        Assert.DoesNotContain("*", traded.Principal.Scopes);
        Assert.NotEqual(traded.Principal.Subject, (await directory.SignInAsync("local", directory: "start")).Traded.Principal.Subject);

        // An administrator with a password is the way in on the day on which the directory is silent, and is loud.
        using var signedIn = await local.TryAsync(code: local.RecoveryCodes[0]);
        Assert.Equal(HttpStatusCode.OK, signedIn.StatusCode);
        await Eventually.TrueAsync(async () => (await Host.Admin.GetFromJsonAsync<Page<AuditEntryItem>>("/api/v1/audit/entries?type=identity.local-administrator-signed-in"))!.Items.Count == 2, "this and the sign-in before are in the log");
    }

    [Fact]
    public async Task Fifty_at_once_get_in()
    {
        var names = Enumerable.Range(0, 50).Select(i => $"crowd{i}").ToList();
        await Peer.AddAsync(string.Concat(names.Select(name => $"dn: uid={name},{DirectoryServer.People}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\nuserPassword: {DirectoryServer.Password}\n\n")));
        await Peer.AddGroupAsync("viewers", [.. names.Select(name => $"uid={name},{DirectoryServer.People}")]);
        var answers = await Task.WhenAll(names.Select(name => directory.TryAsync(name)));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Array.ForEach(answers, answer => answer.Dispose());
        Assert.Equal(50, (await Host.RowsAsync<FederatedIdentity>()).Count);
    }

    [Fact]
    public async Task Whoever_looks_after_it_is_told_what_a_directory_answers()
    {
        await Peer.AddGroupAsync("Viewers", await Peer.AddPersonAsync("grace"));
        var test = await TestAsync("corp", "grace");
        Assert.True(test.Succeeded);
        Assert.Equal(["connection", "bind", "search-base", "group-base", "person", "groups", "roles"], test.Checks.Select(check => check.Code));
        Assert.Contains("viewer", test.Checks[^1].Detail, StringComparison.Ordinal);
        Assert.Equal("nobody: nobody has this name. Look at SearchBase, UserFilter and IdAttribute.", (await TestAsync("start", "nobody")).Checks[^1].Detail);

        // On the server's own console nobody needs to be signed in.
        string[] command = ["admin", "test-directory", "--config", directory.ConfigurationFile, "--data", Host.Data, "--directory", "corp", "--name"];
        Assert.Contains("These give it viewer", await HostCommand.RunAsync(0, [.. command, "grace"]), StringComparison.Ordinal);
        Assert.Contains("nobody has this name", await HostCommand.RunAsync(2, [.. command, "nobody"]), StringComparison.Ordinal);

        var way = Assert.Single((await Host.Admin.GetFromJsonAsync<StaffProviderList>("/api/v1/identity/staff-providers"))!.Items, one => one.Id == "corp");
        Assert.Equal(("ldap", null), (way.Kind, way.RedirectUri));

        // A customer's administrator learns not even that there is one.
        var customer = (await Host.CreateCustomerAsync()).Id;
        var (client, _) = await Host.ClientWithTokenAsync(customer, "identity:read", "identity:write");
        using var strangers = await client.PostAsJsonAsync("/api/v1/identity/staff-providers/corp/test", new TestStaffProviderRequest("grace"));
        Assert.Equal(HttpStatusCode.NotFound, strangers.StatusCode);
        client.Dispose();
    }

    private async Task<ProviderTest> TestAsync(string id, string? name)
    {
        using var answer = await Host.Admin.PostAsJsonAsync($"/api/v1/identity/staff-providers/{id}/test", new TestStaffProviderRequest(name));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<ProviderTest>())!;
    }
}
