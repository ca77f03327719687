using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Directories;
using MissionControl.Identity.Federation;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Identity.Tests;

/// <summary>What strangers, and people of the directory, try at the form.</summary>
public sealed class DirectoryAttackTests : IAsyncLifetime
{
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private DirectoryHost directory = null!;

    private DirectoryServer Peer => directory.Peer;

    private ControlPlane Host => directory.Host;

    public async ValueTask InitializeAsync()
    {
        directory = await DirectoryHost.StartAsync(time, new Dictionary<string, string> { ["Id"] = "wide", ["SearchBase"] = DirectoryServer.Suffix }, new Dictionary<string, string> { ["Id"] = "elsewhere", ["SearchBase"] = $"ou=elsewhere,{DirectoryServer.Suffix}" });
        await Peer.AddGroupAsync("viewers", await Peer.AddPersonAsync("grace"));
    }

    public ValueTask DisposeAsync() => directory.DisposeAsync();

    [Fact]
    public async Task No_name_is_read_as_syntax()
    {
        foreach (var name in new[]
        {
            "*", "gr*", "grac?", "grace)(uid=*", "*)(uid=*))(|(uid=*", "grace)(objectClass=*))(&(uid=grace", @"\2a", @"gra\63e", @"grace\", "grace\\00", "(", ")", "&", "|(uid=grace)", "{0}", "{1}",
            $"uid=grace,{DirectoryServer.People}", $"grace,{DirectoryServer.People}", "grace,ou=people", "grace+cn=x", "gräce", "grace\uFF0A", "＊",
        })
        {
            using var answer = await directory.TryAsync(name);
            Assert.Equal((name, HttpStatusCode.Unauthorized, DirectorySignIn.Refusal), (name, answer.StatusCode, await answer.DetailAsync()));
        }

        Assert.All(await Host.RefusalsAsync(23), why => Assert.Equal("nobody has this name", why));

        // Whose name is like this signs in by it; so it was searched for as it stands, and not thrown away.
        const string Odd = @"we*ird)(uid=\name ü";
        await Peer.AddPersonAsync("odd", $"uid:: {Convert.ToBase64String(Encoding.UTF8.GetBytes(Odd))}");
        await Peer.ChangeAsync($"dn: cn=viewers,{DirectoryServer.Groups}\nchangetype: modify\nadd: member\nmember: uid=odd,{DirectoryServer.People}\n");
        using var odd = await directory.TryAsync(Odd);
        Assert.Equal(HttpStatusCode.OK, odd.StatusCode);
    }

    [Fact]
    public async Task What_no_directory_takes_is_refused_before_it_is_asked()
    {
        foreach (var (name, password, pointer) in new[]
        {
            ("grace\n", "a password", "/name"), ("gra\nce", "a password", "/name"), ("gra\u202Ece", "a password", "/name"), ("gra\u200Bce", "a password", "/name"), ("   ", "a password", "/name"),
            (new string('a', 201), "a password", "/name"), ("grace", "", "/password"), ("grace", new string('a', 501), "/password"),
        })
        {
            using var answer = await directory.TryAsync(name, password);
            Assert.Equal((name, HttpStatusCode.UnprocessableEntity), (name, answer.StatusCode));
            Assert.Equal(pointer, Assert.Single((await answer.Content.ReadFromJsonAsync<ProblemDocument>())!.Errors!).Pointer);
        }

        // NUL is in no text that anybody may send.
        using var nul = await directory.TryAsync("grace", "a\0b");
        Assert.Equal(HttpStatusCode.BadRequest, nul.StatusCode);

        // The server itself says yes to an empty password; so it never leaves, wherever it came from.
        await using var connection = await LdapConnection.OpenAsync(new Uri(Peer.Secure), new Platform.Http.OutboundGuard([], directory.Authority.CaFile, ""), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<ArgumentException>(() => connection.BindAsync($"uid=grace,{DirectoryServer.People}", "", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Whatever_is_wrong_gets_one_answer_after_one_time()
    {
        await Peer.AddPersonAsync("norole");
        var locked = await Peer.AddPersonAsync("locked");
        var stopped = await Peer.AddPersonAsync("stopped");
        await Peer.ChangeAsync($"dn: cn=viewers,{DirectoryServer.Groups}\nchangetype: modify\nadd: member\nmember: {stopped}\nmember: {locked}\n");
        await Peer.ChangeAsync($"dn: {locked}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n");
        var (traded, _) = await directory.SignInAsync("stopped");
        using var disabled = await Host.Admin.PostAsJsonAsync($"/api/v1/identity/people/{Guid.Parse(traded.Principal.Subject["person:".Length..])}/disable", new PersonActionRequest());
        disabled.EnsureSuccessStatusCode();

        foreach (var (name, password) in new[] { ("nobody", DirectoryServer.Password), ("grace", "wrong"), ("norole", DirectoryServer.Password), ("locked", DirectoryServer.Password), ("stopped", DirectoryServer.Password) })
        {
            var watch = Stopwatch.StartNew();
            using var answer = await directory.TryAsync(name, password);
            var took = watch.Elapsed;
            Assert.Equal((name, HttpStatusCode.Unauthorized, DirectorySignIn.Refusal), (name, answer.StatusCode, await answer.DetailAsync()));
            Assert.True(took >= TimeSpan.FromMilliseconds(495), $"{name} was answered after {took}");
        }

        var reasons = await Host.RefusalsAsync(5);
        Assert.Equal(
            [FederatedPeople.Disabled, "the password was wrong, or the directory lets it in no more", FederatedPeople.NoRole, "the password was wrong, or the directory lets it in no more", "nobody has this name"],
            reasons);
    }

    [Fact]
    public async Task Wrong_tries_are_counted_by_who_is_meant_and_then_the_directory_is_not_asked()
    {
        foreach (var name in new[] { "grace", "GRACE", " Grace", "grace ", "gRaCe" })
        {
            using var wrong = await directory.TryAsync(name, "wrong");
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        using (var locked = await directory.TryAsync("grace"))
        {
            Assert.Equal((HttpStatusCode.Unauthorized, DirectorySignIn.Refusal), (locked.StatusCode, await locked.DetailAsync()));
        }

        Assert.Equal(5, (await Host.RefusalsAsync(5)).Count);
        time.Advance(TimeSpan.FromSeconds(11));
        using var right = await directory.TryAsync("grace");
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);

        // Fifty guesses at once are no more than fifty one after the other.
        var guesses = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => directory.TryAsync("grace", $"guess {i}")));
        Array.ForEach(guesses, guess => guess.Dispose());
        Assert.Equal(5, Assert.Single(await Host.RowsAsync<DirectoryTry>()).FailedTries);
    }

    [Fact]
    public async Task A_name_of_two_is_nobodys()
    {
        await Peer.AddAsync($"dn: ou=contractors,{DirectoryServer.Suffix}\nobjectClass: organizationalUnit\nou: contractors\n\n");
        var twin = await Peer.AddPersonAsync("grace", below: $"ou=contractors,{DirectoryServer.Suffix}");
        await Peer.ChangeAsync($"dn: cn=viewers,{DirectoryServer.Groups}\nchangetype: modify\nadd: member\nmember: {twin}\n");
        using var answer = await directory.TryAsync("grace", directory: "wide");
        Assert.Equal((HttpStatusCode.Unauthorized, DirectorySignIn.Refusal), (answer.StatusCode, await answer.DetailAsync()));
        Assert.Equal("more than one entry has this name", (await Host.RefusalsAsync(1))[0]);
        using var narrow = await directory.TryAsync("grace");
        Assert.Equal(HttpStatusCode.OK, narrow.StatusCode);
    }

    [Fact]
    public async Task Nobody_is_followed_to_another_server()
    {
        await using var evil = new LoopbackListener();
        await Peer.AddAsync($"dn: ou=branch,{DirectoryServer.People}\nobjectClass: referral\nobjectClass: extensibleObject\nou: branch\nref: ldap://127.0.0.1:{evil.Port}/ou=branch,{DirectoryServer.People}\n\n");
        await Peer.AddAsync($"dn: ou=elsewhere,{DirectoryServer.Suffix}\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://127.0.0.1:{evil.Port}/dc=evil\n\n");
        using var right = await directory.TryAsync("grace");
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        using var unknown = await directory.TryAsync("mallory");
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        using var elsewhere = await directory.TryAsync("grace", directory: "elsewhere");
        Assert.Equal((HttpStatusCode.Conflict, DirectorySignIn.Silent), (elsewhere.StatusCode, await elsewhere.DetailAsync()));
        Assert.Contains("10 referral", (await Host.RefusalsAsync(2))[0], StringComparison.Ordinal);
        Assert.Equal(0, evil.Connections);
    }

    [Fact]
    public async Task Groups_that_call_themselves_by_anothers_dn_or_by_everybody_give_nothing()
    {
        var eve = await Peer.AddPersonAsync("eve");
        await Peer.AddAsync($"dn: cn=evil,{DirectoryServer.Groups}\nobjectClass: groupOfNames\ncn: evil\ncn: cn=viewers,{DirectoryServer.Groups}\ncn: *\nmember: {eve}\n\n");
        using var answer = await directory.TryAsync("eve");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal(FederatedPeople.NoRole, (await Host.RefusalsAsync(1))[0]);
    }

    [Fact]
    public async Task Groups_are_bounded_and_a_part_of_them_counts_for_nothing()
    {
        var many = await Peer.AddPersonAsync("many");
        await Peer.AddAsync(string.Concat(Enumerable.Range(0, 1001).Select(i => $"dn: cn=g{i},{DirectoryServer.Groups}\nobjectClass: groupOfNames\ncn: g{i}\nmember: {many}\n\n")));
        await Peer.ChangeAsync($"dn: cn=viewers,{DirectoryServer.Groups}\nchangetype: modify\nadd: member\nmember: {many}\n{string.Concat(Enumerable.Range(0, 3000).Select(i => $"member: uid=somebody{i},{DirectoryServer.People}\n"))}\n");
        using var answer = await directory.TryAsync("many");
        Assert.Equal((HttpStatusCode.Unauthorized, DirectorySignIn.Refusal), (answer.StatusCode, await answer.DetailAsync()));
        Assert.Contains("more than 1000 groups", (await Host.RefusalsAsync(1))[0], StringComparison.Ordinal);

        // A group with many members is one group.
        using var grace = await directory.TryAsync("grace");
        Assert.Equal(HttpStatusCode.OK, grace.StatusCode);
    }
}
