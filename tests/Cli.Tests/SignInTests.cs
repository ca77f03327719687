using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MissionControl.Cli.Server;

namespace MissionControl.Cli.Tests;

/// <summary>Signing in and out by <c>mc</c>, and the file in which it is kept.</summary>
[Collection(SignedIn.Name)]
public sealed class SignInTests(SignedInHost here)
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public async Task Somebody_signs_in_in_the_browser_and_mc_says_who_it_is()
    {
        using var space = new Workspace();
        string? agent = null;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(space.PathOf("ca.pem"), $"{await File.ReadAllTextAsync(here.Host.CaFile, TestContext.Current.CancellationToken)}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        var (code, said, error) = await here.SignInAsync(space, async device =>
        {
            agent = device.Agent;
            await (await here.BrowserAsync()).ApproveDeviceAsync(device.Id, null, CancellationToken.None);
        }, "ca.pem");

        Assert.Equal((0, "", $"mc on {Environment.MachineName}"), (code, said, agent));
        Assert.Contains($"Open     {here.Server}/device\nand type ", error, StringComparison.Ordinal);
        Assert.Contains($"Signed in at {here.Server}, until ", error, StringComparison.Ordinal);
        Assert.Equal(Mine, File.GetUnixFileMode(space.PathOf(SignedInHost.Kept)));
        Assert.Equal(Mine | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(space.PathOf(SignedInHost.Kept))!));
        Assert.Single(Directory.GetFiles(space.PathOf("config"), "*", SearchOption.AllDirectories));

        // The CA itself is kept, and nothing else of its file: what stands there later is nobody's word.
        Assert.DoesNotContain("PRIVATE", await File.ReadAllTextAsync(space.PathOf(SignedInHost.Kept), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        space.Write("ca.pem", "somebody else's");
        var text = await space.McAsync("whoami");
        Assert.Equal((0, ""), (text.Code, text.Error));
        Assert.StartsWith($"ada <ada@vendor.example>: administrator\n{here.Server}, until ", text.Said, StringComparison.Ordinal);
        var json = JsonNode.Parse((await space.McAsync("whoami", "--output", "json")).Said)!;
        Assert.Equal((1, here.Server, "ada@vendor.example", "staff", "administrator"), ((int)json["version"]!, (string)json["server"]!, (string)json["email"]!, (string)json["kind"]!, (string)json["roles"]!.AsArray().Single()!));
        Assert.True((DateTimeOffset)json["expiresAt"]! > DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task Who_is_refused_in_the_browser_is_not_signed_in()
    {
        using var space = new Workspace();

        var (code, _, error) = await here.SignInAsync(space, async device => await (await here.BrowserAsync()).DenyDeviceAsync(device.Id, CancellationToken.None));

        Assert.Equal(1, code);
        Assert.EndsWith("It was refused in the portal.\n", error, StringComparison.Ordinal);
        Assert.False(File.Exists(space.PathOf(SignedInHost.Kept)));
    }

    [Fact]
    public async Task Another_sign_in_takes_the_place_of_the_first_and_ends_it_and_one_that_is_ended_in_the_portal_says_so()
    {
        using var space = new Workspace();
        using var before = new Workspace();
        Assert.Equal(0, (await here.SignInAsync(space)).Code);
        SignedInHost.Keep(before, File.ReadAllText(space.PathOf(SignedInHost.Kept)));
        Assert.Equal(0, (await before.McAsync("whoami")).Code);

        Assert.Equal(0, (await here.SignInAsync(space)).Code);

        Assert.Equal((2, "", $"The session has ended. Sign in again: mc sign-in --server {here.Server}\n"), await before.McAsync("whoami"));
        Assert.Equal((2, "", $"The session has ended. Sign in again: mc sign-in --server {here.Server}\n"), await before.McAsync("api", "GET", "/api/v1/identity/me"));
        Assert.Equal(0, (await space.McAsync("whoami")).Code);

        var me = JsonNode.Parse((await space.McAsync("api", "GET", "/api/v1/identity/me")).Said)!;
        await (await here.BrowserAsync()).EndMySessionAsync((Guid)me["session"]!, CancellationToken.None);
        Assert.Equal(2, (await space.McAsync("whoami")).Code);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_removes_the_file()
    {
        using var space = new Workspace();
        using var copy = new Workspace();
        Assert.Equal(0, (await here.SignInAsync(space)).Code);
        SignedInHost.Keep(copy, File.ReadAllText(space.PathOf(SignedInHost.Kept)));

        Assert.Equal((0, "", "Signed out.\n"), await space.McAsync("sign-out"));

        Assert.False(File.Exists(space.PathOf(SignedInHost.Kept)));
        Assert.Equal(2, (await copy.McAsync("whoami")).Code);
        Assert.Equal((2, "", "Nobody is signed in here.\n"), await space.McAsync("sign-out"));
        Assert.StartsWith("Nobody is signed in here. Sign in: mc sign-in ", (await space.McAsync("whoami")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_the_wait()
    {
        using var space = new Workspace();
        var process = space.Start(Path.Combine(Workspace.Programs, "mc"), "sign-in", "--server", here.Server, "--ca-file", here.Host.CaFile);

        var (code, _, error) = await space.TalkAsync(process, async (running, line) =>
        {
            if (line.StartsWith("Waiting", StringComparison.Ordinal))
            {
                using var kill = Process.Start("kill", ["-INT", $"{running.Id}"]);
                await kill.WaitForExitAsync();
            }
        });

        Assert.Equal(130, code);
        Assert.EndsWith("Interrupted.\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_others_can_read_or_write_is_refused_by_every_command()
    {
        using var space = here.Workspace();
        var file = space.PathOf(SignedInHost.Kept);

        foreach (var (others, command) in new (UnixFileMode, string[])[] { (UnixFileMode.GroupRead, ["whoami"]), (UnixFileMode.OtherRead, ["sign-out"]), (UnixFileMode.OtherWrite, ["api", "GET", "/api/v1/identity/me"]), (UnixFileMode.OtherRead, ["sign-in", "--server", here.Server]) })
        {
            File.SetUnixFileMode(file, Mine | others);
            var (code, said, error) = await space.McAsync(command);
            Assert.Equal((2, ""), (code, said));
            Assert.Contains($"chmod 600 {file}", error, StringComparison.Ordinal);
        }

        File.SetUnixFileMode(file, Mine);
        Assert.Equal(0, (await space.McAsync("whoami")).Code);
    }

    [Fact]
    public async Task A_folder_that_others_can_write_in_is_refused()
    {
        using var space = here.Workspace();
        var folder = Path.GetDirectoryName(space.PathOf(SignedInHost.Kept))!;
        File.SetUnixFileMode(folder, Mine | UnixFileMode.UserExecute | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);

        var (code, _, error) = await space.McAsync("whoami");

        Assert.Equal((2, $"Others can write in {folder}: chmod 700 {folder}.\n"), (code, error));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("""{"server": "https://localhost", "session": null}""")]
    [InlineData("""{"server": "http://control.example.com", "session": "abc"}""")]
    [InlineData("""{"server": "https://localhost", "session": "a\r\nb"}""")]
    [InlineData("""{"server": "https://localhost", "session": "abc", "ca": "nothing"}""")]
    public async Task A_file_that_is_no_sign_in_is_said_to_be_none(string text)
    {
        using var space = new Workspace();
        space.Write(SignedInHost.Kept, text);
        File.SetUnixFileMode(space.PathOf(SignedInHost.Kept), Mine);

        var (code, said, error) = await space.McAsync("whoami");

        Assert.Equal((2, "", $"{space.PathOf(SignedInHost.Kept)} is no sign-in that can be read. Remove it, and sign in again.\n"), (code, said, error));
    }

    [Fact]
    public async Task A_server_is_trusted_by_its_certificate_alone()
    {
        using var space = new Workspace();
        space.Write("empty.pem", "");

        var unknown = await space.McAsync("sign-in", "--server", here.Server);
        var empty = await space.McAsync("sign-in", "--server", here.Server, "--ca-file", "empty.pem");
        var missing = await space.McAsync("sign-in", "--server", here.Server, "--ca-file", "missing.pem");

        Assert.Equal((2, 2, 2), (unknown.Code, empty.Code, missing.Code));
        Assert.StartsWith("The server cannot be trusted: ", unknown.Error, StringComparison.Ordinal);
        Assert.Contains("holds no certificate", empty.Error, StringComparison.Ordinal);
        Assert.StartsWith("The file of the CA cannot be read: ", missing.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(space.PathOf(SignedInHost.Kept)));
    }

    [Theory]
    [InlineData("http://control.example.com")]
    [InlineData("http://localhost.example.com")]
    [InlineData("http://10.0.0.1")]
    [InlineData("https://ada:secret@control.example.com")]
    [InlineData("https://control.example.com/api")]
    [InlineData("https://control.example.com?x")]
    [InlineData("https://control.example.com#x")]
    [InlineData("control.example.com")]
    [InlineData("ftp://control.example.com")]
    [InlineData("https://")]
    [InlineData("")]
    public void An_address_over_which_a_session_would_be_seen_or_that_is_none_is_not_taken(string address) => Assert.Null(ServerAddress.Parse(address));

    [Theory]
    [InlineData("https://control.example.com", "https://control.example.com")]
    [InlineData("HTTPS://Control.Example.com:443/", "https://control.example.com")]
    [InlineData("https://localhost:8443", "https://localhost:8443")]
    [InlineData("http://localhost:8080", "http://localhost:8080")]
    [InlineData("http://[::1]:8080", "http://[::1]:8080")]
    [InlineData("http://127.0.0.1", "http://127.0.0.1")]
    public void An_address_is_taken_as_it_is_written_everywhere(string typed, string said) => Assert.Equal(said, ServerAddress.Said(ServerAddress.Parse(typed)!));

    [Fact]
    public async Task An_address_that_is_not_taken_is_wrong_use()
    {
        using var space = new Workspace();

        var (code, said, error) = await space.McAsync("sign-in", "--server", "http://control.example.com");

        Assert.Equal((2, "", $"{ServerAddress.Rule}\n\nSee mc --help, and mc sign-in --help.\n"), (code, said, error));
    }

    [Fact]
    public async Task A_server_that_is_away_is_said_to_be_and_signing_out_forgets_all_the_same()
    {
        using var space = new Workspace();
        using var taken = new TcpListener(IPAddress.Loopback, 0); // Nobody listens there.
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();
        SignedInHost.Keep(space, $$"""{"server": "http://127.0.0.1:{{port}}", "session": "a-session-of-somebody"}""");

        var who = await space.McAsync("whoami");
        var (code, _, error) = await space.McAsync("sign-out");

        Assert.Equal((2, 2), (who.Code, code));
        Assert.StartsWith("The server cannot be reached: ", who.Error, StringComparison.Ordinal);
        Assert.Contains("in the portal of http://127.0.0.1", error, StringComparison.Ordinal);
        Assert.Contains("under Your account", error, StringComparison.Ordinal);
        Assert.False(File.Exists(space.PathOf(SignedInHost.Kept)));
    }
}
