using System.Net;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using MissionControl.Trust.Envelopes;
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
    [InlineData("callhome", "answer.pem", "token-sealing.key", "anchors.dsse", "server.pem")]
    [InlineData("licensing", "lease.pem", "receipt.pem", "server.pem")]
    [InlineData("identity", "user-token.pem", "client-token.pem", "factor-sealing.key", "provider-sealing.key", "server.pem")]
    [InlineData("portal", "cookie-sealing.key", "server.pem", "ca.pem")]
    [InlineData("notifications", "endpoint-sealing.key", "server.pem")]
    [InlineData("audit", "log-blinding.key", "log-note.key", "server.pem")]
    [InlineData("fleet", "server.pem")]
    public async Task A_process_of_the_distributed_shape_makes_no_key_and_no_certificate_and_says_which_file_it_lacks(string role, params string[] files)
    {
        var config = Configuration();
        var said = await HostCommand.RunAsync(2, "run", "--role", role, "--data", Data, "--config", config);
        var verified = await HostCommand.RunAsync(2, "verify-config", "--role", role, "--data", Data, "--config", config);

        Assert.All(files, file => Assert.Contains($"{Path.Combine(Data, "keys", file)} is missing", said));
        Assert.Contains("missioncontrol admin keys make", said);
        Assert.Contains($"OUT/{role}", said);
        Assert.Equal(files.Length, said.Split("is missing").Length - 1);
        Assert.Equal(said, verified);
        Assert.DoesNotContain(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories), file => file != config);

        await MakeAsync(0);
        await HostCommand.RunAsync(0, "verify-config", "--role", role, "--data", Mounted(role), "--config", config);
    }

    [Fact]
    public async Task A_configured_certificate_is_enough_and_must_be_there()
    {
        await MakeAsync(0);
        var data = Mounted("portal");
        var own = Path.Combine(root, "own.pem");
        File.Move(Path.Combine(data, "keys", "server.pem"), own);
        File.Move(Path.Combine(data, "keys", "ca.pem"), Path.Combine(root, "own-ca.pem"));
        var config = Configuration(tls: $$""", "Tls": { "CertificateFile": "{{own}}", "KeyFile": "{{own}}" }""", ca: $$""", "CaFile": "{{Path.Combine(root, "own-ca.pem")}}" """);
        string[] command = ["verify-config", "--role", "portal", "--data", data, "--config", config];

        await HostCommand.RunAsync(0, command);
        File.Delete(own);

        Assert.Contains($"Tls:CertificateFile names {own}, which is not there.", await HostCommand.RunAsync(2, command));
    }

    [Fact]
    public async Task Each_role_has_a_certificate_of_its_own_for_its_names_and_the_key_of_the_CA_is_handed_to_nobody()
    {
        await MakeAsync(0, "--name", "callhome=callhome.example.com,10.1.2.3", "--name", "callhome=callhome-1", "--name", "portal=*.example.com");

        using var ca = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(Data, "certificates", "ca.pem")));
        var keys = new HashSet<string>();
        foreach (var directory in Directory.EnumerateDirectories(Roles))
        {
            using var certificate = Certificate(Path.GetFileName(directory));
            using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, CustomTrustStore = { ca } } };
            Assert.True(chain.Build(certificate));
            Assert.True(certificate.HasPrivateKey && certificate.MatchesHostname(Path.GetFileName(directory)) && certificate.MatchesHostname($"missioncontrol-{Path.GetFileName(directory)}") && certificate.MatchesHostname("localhost"));
            Assert.True(keys.Add(certificate.GetPublicKeyString()));
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(Data, "certificates", "ca.pem")), await File.ReadAllBytesAsync(Path.Combine(directory, "ca.pem")));
        }

        using var callHome = Certificate("callhome");
        using var portal = Certificate("portal");
        Assert.Equal(9, keys.Count);
        Assert.True(callHome.MatchesHostname("callhome.example.com") && callHome.MatchesHostname("callhome-1") && callHome.MatchesHostname(IPAddress.Parse("10.1.2.3").ToString()));
        Assert.False(callHome.MatchesHostname("portal") || portal.MatchesHostname("callhome.example.com.evil"));
        var secret = (await File.ReadAllTextAsync(Path.Combine(Data, "certificates", "ca.key.pem"))).Split('\n')[1];
        Assert.All(Directory.EnumerateFiles(Roles, "*", SearchOption.AllDirectories), file => Assert.DoesNotContain(secret, File.ReadAllText(file), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Made_again_certificates_are_new_and_keep_their_names_while_keys_and_CA_stay()
    {
        await MakeAsync(0, "--name", "callhome=callhome.example.com", "--name", "portal=portal.example.com");
        var sealing = await File.ReadAllBytesAsync(Path.Combine(Roles, "callhome", "token-sealing.key"));
        var ca = await File.ReadAllBytesAsync(Path.Combine(Roles, "callhome", "ca.pem"));
        using var before = Certificate("callhome");

        await MakeAsync(0, "--name", "portal=other.example.com");

        using var after = Certificate("callhome");
        using var portal = Certificate("portal");
        Assert.NotEqual(before.SerialNumber, after.SerialNumber);
        Assert.True(after.MatchesHostname("callhome.example.com") && portal.MatchesHostname("other.example.com"));
        Assert.False(portal.MatchesHostname("portal.example.com"));
        Assert.Equal(sealing, await File.ReadAllBytesAsync(Path.Combine(Roles, "callhome", "token-sealing.key")));
        Assert.Equal(ca, await File.ReadAllBytesAsync(Path.Combine(Roles, "callhome", "ca.pem")));
        Assert.Contains("other.example.com", await HostCommand.RunAsync(0, "admin", "keys", "list", "--data", Data));
    }

    [Fact]
    public async Task With_the_key_of_the_CA_in_a_safe_keys_are_still_handed_out_and_certificates_stay()
    {
        await MakeAsync(0);
        File.Delete(Path.Combine(Data, "certificates", "ca.key.pem"));
        var before = await File.ReadAllBytesAsync(Path.Combine(Roles, "fleet", "server.pem"));

        Assert.Contains($"kept {Path.Combine(Roles, "fleet", "server.pem")}", await MakeAsync(0));
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(Roles, "fleet", "server.pem")));
        File.Delete(Path.Combine(Roles, "fleet", "server.pem"));
        Assert.Contains("ca.key.pem is missing", await MakeAsync(2));
    }

    [Fact]
    public async Task With_all_of_the_CA_in_a_safe_no_other_is_made_in_its_place()
    {
        await MakeAsync(0);
        File.Delete(Path.Combine(Data, "certificates", "ca.key.pem"));
        File.Delete(Path.Combine(Data, "certificates", "ca.pem"));
        var before = await File.ReadAllBytesAsync(Path.Combine(Roles, "fleet", "server.pem"));

        Assert.Contains("ca.pem is missing", await MakeAsync(2));
        Assert.Equal(before, await File.ReadAllBytesAsync(Path.Combine(Roles, "fleet", "server.pem")));
        Assert.False(File.Exists(Path.Combine(Data, "certificates", "ca.pem")));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("verify-config")]
    public async Task A_role_that_is_none_is_named_beside_what_else_is_wrong(string command)
    {
        var said = await HostCommand.RunAsync(2, command, "--role", "flet", "--data", Data, "--config", Configuration(), "--portal", "http://localhost:1");

        Assert.Contains("There is no role 'flet'", said);
        Assert.Contains("--portal http://localhost:1", said);
    }

    [Theory]
    [InlineData("callhome.example.com", "ROLE=NAME")]
    [InlineData("door=callhome.example.com", "ROLE is one of")]
    [InlineData("callhome=https://callhome.example.com", "neither a host name nor an address")]
    public async Task A_name_that_is_none_is_refused(string name, string why)
    {
        Assert.Contains(why, await MakeAsync(2, "--name", name));
        Assert.False(Directory.Exists(Roles));
    }

    [Fact]
    public async Task Each_role_is_handed_its_own_keys_and_no_others()
    {
        await MakeAsync(0);

        Assert.Equal(
            ["audit/log-blinding.key", "audit/log-note.key", "callhome/anchors.dsse", "callhome/answer.pem", "callhome/token-sealing.key", "identity/client-token.pem", "identity/factor-sealing.key", "identity/provider-sealing.key", "identity/user-token.pem", "licensing/lease.pem", "licensing/receipt.pem", "notifications/endpoint-sealing.key", "portal/cookie-sealing.key"],
            Directory.EnumerateFiles(Roles, "*", SearchOption.AllDirectories).Where(file => !IsOfTls(file)).Select(file => Path.GetRelativePath(Roles, file)).Order(StringComparer.Ordinal));
        Assert.All(Directory.EnumerateFiles(Roles, "*", SearchOption.AllDirectories), file =>
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.True(IsOfTls(file) || File.ReadAllBytes(Path.Combine(Data, "keys", Path.GetFileName(file))).AsSpan().SequenceEqual(File.ReadAllBytes(file)));
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
    public async Task An_installation_that_knew_no_licences_gets_their_key_and_clusters_learn_it_from_the_root()
    {
        await MakeAsync(0);
        var (keys, before) = (Path.Combine(Data, "keys"), AnchorFile.Read(await File.ReadAllBytesAsync(Path.Combine(Data, "keys", "anchors.dsse"))));
        using (var signer = EcdsaSigner.Load(Path.Combine(keys, "root.pem")))
        {
            var document = before with { Keys = [.. before.Keys.Where(key => !key.Uses.Contains("lease"))] };
            await File.WriteAllBytesAsync(Path.Combine(keys, "anchors.dsse"), Dsse.Sign(AnchorDocument.PayloadType, document.ToBytes(), signer));
        }

        File.Delete(Path.Combine(keys, "lease.pem"));
        File.Delete(Path.Combine(Roles, "licensing", "lease.pem"));
        File.Move(Path.Combine(keys, "root.pem"), Path.Combine(root, "safe.pem"));
        Assert.Contains("names no key for licences yet", await MakeAsync(2));

        File.Move(Path.Combine(root, "safe.pem"), Path.Combine(keys, "root.pem"));
        await MakeAsync(0);
        var after = AnchorFile.Read(await File.ReadAllBytesAsync(Path.Combine(keys, "anchors.dsse")));
        using var lease = EcdsaSigner.Load(Path.Combine(keys, "lease.pem"));
        Assert.Equal((2, lease.KeyId), (after.Version, Assert.Single(after.Keys, key => key.Uses.Contains("lease")).Kid));
        Assert.Equal(before.Keys.Count, after.Keys.Count);
        await MakeAsync(0);
        Assert.Equal(2, AnchorFile.Read(await File.ReadAllBytesAsync(Path.Combine(keys, "anchors.dsse"))).Version);
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

    private Task<string> MakeAsync(int expected, params string[] more) => HostCommand.RunAsync(expected, ["admin", "keys", "make", "--data", Data, "--hand-out", Roles, .. more]);

    private X509Certificate2 Certificate(string role) => X509Certificate2.CreateFromPemFile(Path.Combine(Roles, role, "server.pem"));

    private static bool IsOfTls(string file) => Path.GetFileName(file) is "server.pem" or "ca.pem";

    /// <summary>A data directory of a role, as a container has it.</summary>
    private string Mounted(string role)
    {
        var keys = Directory.CreateDirectory(Path.Combine(root, "mounted", "keys")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Roles, role)))
        {
            File.Copy(file, Path.Combine(keys, Path.GetFileName(file)));
        }

        return Path.Combine(root, "mounted");
    }

    /// <summary>Of the distributed shape; nothing answers at its addresses, and nothing is asked.</summary>
    private string Configuration(string tls = "", string ca = "")
    {
        var file = Path.Combine(root, "distributed.json");
        var edge = string.Join(", ", new[] { "callhome", "licensing", "identity", "fleet", "audit", "updates", "remoteaccess", "notifications" }.Select(role => $"\"{role}\": [\"https://localhost:1\"]"));
        File.WriteAllText(file, $$"""
            {
              "Database": { "Provider": "postgresql", "ConnectionString": "Host=localhost;Port=1" },
              "RabbitMq": { "Address": "amqp://localhost:1/", "User": "mc", "Password": "secret" },
              "Edge": { "Roles": { {{edge}} }{{ca}} }{{tls}}
            }
            """);
        return file;
    }
}
