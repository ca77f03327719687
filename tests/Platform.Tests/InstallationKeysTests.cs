using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Who makes the keys of the distributed shape, and who gets which: the real command.</summary>
public sealed class InstallationKeysTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-keys-").FullName;

    private string Data => Path.Combine(root, "first");

    private string Roles => Path.Combine(root, "roles");

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("callhome", "token-sealing.key", "anchors.dsse")]
    [InlineData("licensing", "receipt.pem")]
    [InlineData("identity", "user-token.pem")]
    [InlineData("portal", "cookie-sealing.key")]
    public async Task A_process_of_the_distributed_shape_makes_no_key_and_says_which_file_it_lacks(string role, params string[] files)
    {
        var said = await HostCommand.RunAsync(2, "run", "--role", role, "--data", Data, "--config", Configuration());

        Assert.All(files, file => Assert.Contains($"{Path.Combine(Data, "keys", file)} is missing, which the role {role} needs.", said));
        Assert.Contains("missioncontrol admin keys make", said);
        Assert.Contains($"OUT/{role}", said);
        Assert.Equal(files.Length, said.Split("is missing").Length - 1);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Data, "keys")));
    }

    [Fact]
    public async Task Each_role_is_handed_its_own_keys_and_no_others()
    {
        await MakeAsync(0);

        Assert.Equal(
            ["callhome/anchors.dsse", "callhome/token-sealing.key", "identity/user-token.pem", "licensing/receipt.pem", "portal/cookie-sealing.key"],
            Directory.EnumerateFiles(Roles, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Roles, file)).Order(StringComparer.Ordinal));
        Assert.All(Directory.EnumerateFiles(Roles, "*", SearchOption.AllDirectories), file =>
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Equal(File.ReadAllBytes(Path.Combine(Data, "keys", Path.GetFileName(file))), File.ReadAllBytes(file));
        });
    }

    [Fact]
    public async Task A_root_that_was_moved_to_a_safe_is_not_made_again()
    {
        await MakeAsync(0);
        File.Delete(Path.Combine(Data, "keys", "root.pem"));
        var anchors = await File.ReadAllBytesAsync(Path.Combine(Data, "keys", "anchors.dsse"));

        await MakeAsync(0);

        Assert.False(File.Exists(Path.Combine(Data, "keys", "root.pem")));
        Assert.Equal(anchors, await File.ReadAllBytesAsync(Path.Combine(Roles, "callhome", "anchors.dsse")));
    }

    [Fact]
    public async Task A_lost_receipt_key_is_not_replaced_by_one_that_no_cluster_trusts()
    {
        await MakeAsync(0);
        File.Delete(Path.Combine(Data, "keys", "receipt.pem"));

        Assert.Contains("receipt.pem is missing", await MakeAsync(2));
        Assert.False(File.Exists(Path.Combine(Data, "keys", "receipt.pem")));
    }

    [Fact]
    public async Task Keys_of_another_installation_are_not_overwritten()
    {
        await MakeAsync(0);
        var sealing = Path.Combine(Roles, "callhome", "token-sealing.key");
        var before = await File.ReadAllBytesAsync(sealing);

        Assert.Contains("is another key than", await HostCommand.RunAsync(2, "admin", "keys", "make", "--data", Path.Combine(root, "other"), "--hand-out", Roles));
        Assert.Equal(before, await File.ReadAllBytesAsync(sealing));
    }

    private Task<string> MakeAsync(int expected) => HostCommand.RunAsync(expected, "admin", "keys", "make", "--data", Data, "--hand-out", Roles);

    /// <summary>Of the distributed shape; nothing answers at its addresses, and nothing is asked.</summary>
    private string Configuration()
    {
        var file = Path.Combine(root, "distributed.json");
        var edge = string.Join(", ", new[] { "callhome", "licensing", "identity", "fleet", "audit", "updates", "remoteaccess", "notifications" }.Select(role => $"\"{role}\": [\"https://localhost:1\"]"));
        File.WriteAllText(file, $$"""
            {
              "Database": { "Provider": "postgresql", "ConnectionString": "Host=localhost;Port=1" },
              "RabbitMq": { "Address": "amqp://localhost:1/", "User": "mc", "Password": "secret" },
              "Edge": { "Roles": { {{edge}} } }
            }
            """);
        return file;
    }
}
