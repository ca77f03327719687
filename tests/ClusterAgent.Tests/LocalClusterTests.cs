using System.Text;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Product;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>The machine and the product through a drop directory become health, inventory, events and counters.</summary>
public sealed class LocalClusterTests : IDisposable
{
    private const string State = """
        {"v":1,"version":"1.2.3","expectedNodes":2,"quorumSpare":0,"updateMode":"manual","remoteAccessAllowed":true,
         "nodes":[{"id":"a","self":true,"state":"running","master":true,"version":"1.2.3"},{"id":"b","role":"db","state":"down","version":"1.2.2","cpuPercent":12.5,
          "disks":[{"mount":"/data","totalBytes":100,"usedBytes":40,"readOnly":false}]}],
         "backup":{"lastSuccess":"2026-03-01T01:00:00Z","scheduleSeconds":86400,"location":"nfs"},"replication":{"lagSeconds":1.5},
         "gateways":[{"id":"g","kind":"network","version":"1.2.3","state":"running","os":"Linux"}],
         "collectors":[{"version":"1.2.3","os":"Linux","count":7}],"environments":[{"id":"e1","name":"Main"}],
         "usage":[{"meter":"sessions","value":"12.5","startedAt":"2026-03-01T00:00:00Z","dimensions":{"env":"e1","host":"h1"}}],
         "aMemberOfTheFuture":1}
        """;

    private readonly string directory = Directory.CreateTempSubdirectory("mc-drop-").FullName;
    private readonly LocalCluster cluster;

    public LocalClusterTests() => cluster = Again();

    private LocalCluster Again() => new(
        "Oslo", new LinuxMachine(TimeProvider.System), new CertificateFiles([]), new DropDirectory(directory, TimeProvider.System), new Masking(new byte[32], new PrivacySettings { Reveal = ["node.id"] }), TimeProvider.System);

    public void Dispose()
    {
        cluster.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task What_the_product_says_is_told_and_what_it_leaves_out_of_this_machine_is_measured()
    {
        Drop("1.ndjson", Line("state", State));
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);

        var health = cluster.Health(60, TimeSpan.FromSeconds(-2));
        Assert.Equal((2, 0, 1.5, 86_400L), (health.ExpectedNodes, health.QuorumSpare, health.Replication.LagS, health.Backup.ScheduleS));
        var (own, other) = (health.Nodes[0], health.Nodes[1]);
        Assert.Equal(("a", "running", true), (own.Id, own.State, own.Master));
        Assert.True(own.MemoryTotalBytes > 0 && own.UptimeS > 0);
        Assert.InRange(own.ClockOffsetMs, 1999, 2001);
        Assert.Equal(("b", "down", 12.5, 40L), (other.Id, other.State, other.CpuPercent, other.Disks[0].UsedBytes));
        Assert.False(other.HasMemoryTotalBytes || other.HasLoad1);

        var inventory = cluster.Inventory()!;
        Assert.Equal(("1.2.3", "manual", true, 7L), (inventory.ProductVersion, inventory.UpdateMode, inventory.RemoteAccessAllowed, inventory.Collectors[0].Count));

        var counter = Assert.Single(cluster.Read(TimeProvider.System.GetUtcNow())!.Counters);
        Assert.Equal(("sessions", 12.5m, "e1"), (counter.Meter, counter.Value, counter.Dimensions["env"]));
        Assert.StartsWith("host-", counter.Dimensions["host"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_product_the_machine_itself_is_told_and_the_certificates_that_are_watched()
    {
        var path = Path.Combine(directory, "tls.pem");
        Certificate("CN=first", TimeSpan.FromDays(20));
        var files = new CertificateFiles([new WatchedCertificate(path, "cluster"), new WatchedCertificate(path + ".gone", "gateway")]);
        using var bare = new LocalCluster("Oslo", new LinuxMachine(TimeProvider.System), files, null, new Masking(new byte[32], new PrivacySettings { Reveal = ["node.id"] }), TimeProvider.System);
        await bare.RefreshAsync(TestContext.Current.CancellationToken);
        bare.Health(60, null);

        // CPU is what was busy since the sample before.
        var health = bare.Health(60, null);
        var node = Assert.Single(health.Nodes);
        Assert.Equal(Environment.ProcessorCount, node.Cores);
        Assert.InRange(node.CpuPercent, 0, 100);
        Assert.True(node.HasLoad1 && node.Load1 >= 0);
        Assert.Contains("Linux", node.Os, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(node.Disks, disk => disk.TotalBytes > 0 && disk.HasInodesUsedPercent);
        var certificate = Assert.Single(health.Certificates);
        Assert.Equal("cluster", certificate.Purpose);
        Assert.StartsWith("issuer-", certificate.Issuer, StringComparison.Ordinal);
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(certificate.NotAfterMs) - DateTimeOffset.UtcNow, TimeSpan.FromDays(19), TimeSpan.FromDays(20));
        Assert.Contains("tls.pem.gone", Assert.Single(files.Problems), StringComparison.Ordinal);

        // Renewed, with a time of its file that says nothing.
        var time = File.GetLastWriteTimeUtc(path);
        Certificate("CN=second", TimeSpan.FromDays(90));
        File.SetLastWriteTimeUtc(path, time);
        Assert.NotEqual(certificate.Issuer, Assert.Single(bare.Health(60, null).Certificates).Issuer);

        void Certificate(string name, TimeSpan life)
        {
            using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
            using var made = new System.Security.Cryptography.X509Certificates.CertificateRequest(name, key, System.Security.Cryptography.HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow + life);
            File.WriteAllText(path, made.ExportCertificatePem());
        }
    }

    [Fact]
    public async Task A_product_that_cannot_be_read_makes_its_nodes_unknown_and_its_counters_unread()
    {
        Drop("1.ndjson", Line("state", State.Replace("\"v\":1,", "\"v\":1,\"at\":\"2026-01-01T00:00:00Z\",", StringComparison.Ordinal)));
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);

        Assert.Contains("minutes old", cluster.ProductProblem, StringComparison.Ordinal);
        Assert.Null(cluster.Read(TimeProvider.System.GetUtcNow()));
        Assert.Null(cluster.Inventory());
        Assert.Equal("product-unreadable", Assert.Single(cluster.Events).Event.Kind);

        Drop("2.ndjson", Line("state", State));
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        Assert.Null(cluster.ProductProblem);
        File.Delete(Path.Combine(directory, "2.ndjson"));
        Drop("3.ndjson", Line("state", State.Replace("\"v\":1,", "\"v\":1,\"at\":\"2026-01-01T00:00:00Z\",", StringComparison.Ordinal)));
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);

        var health = cluster.Health(60, null);
        Assert.All(health.Nodes, node => Assert.Equal("unknown", node.State));
        Assert.False(health.HasQuorumSpare || health.Nodes[1].HasCpuPercent);
    }

    [Fact]
    public async Task Events_are_told_once_and_their_files_go_when_they_are_in_the_spool()
    {
        Drop("1.ndjson", Line("state", State));
        Drop("2.ndjson", Line("event", """{"id":"x1","kind":"server-started","severity":"info","text":"on db1.acme.example","node":"b"}"""));
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);

        var happened = Assert.Single(cluster.Events).Event;
        Assert.Equal(("x1", "on [host]", "b"), (happened.Id, happened.Text, happened.Node));
        Assert.Equal(2, Directory.GetFiles(directory).Length);
        cluster.EventsKept();
        Assert.Equal("1.ndjson", Path.GetFileName(Assert.Single(Directory.GetFiles(directory))));
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        Assert.Empty(cluster.Events);
    }

    [Theory]
    [InlineData("{", "not valid")]
    [InlineData("""{"v":2,"nodes":[]}""", "version 1")]
    [InlineData("""{"v":1,"nodes":[{"id":"a","state":"running","cpuPercent":101}]}""", "percentage")]
    [InlineData("""{"v":1,"v":1}""", "not valid")]
    [InlineData("""{"v":1,"nodes":[{"state":"running"}]}""", "not valid")]
    [InlineData("""{"v":1,"usage":[{"meter":"m","value":"-1","startedAt":"2026-01-01T00:00:00Z"}]}""", "quantity")]
    [InlineData("""{"v":1,"events":[{"id":"","kind":"k","severity":"info"}]}""", "Event")]
    public void A_document_that_is_wrong_is_refused_with_the_place(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<ProductException>(() => ProductDocument.Parse(Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_file_that_cannot_be_read_is_set_aside_and_the_others_count()
    {
        Drop("1.ndjson", Line("state", State));
        Drop("2.ndjson", "this is not JSON");
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);

        Assert.Null(cluster.ProductProblem);
        cluster.EventsKept();
        Assert.True(File.Exists(Path.Combine(directory, "rejected", "2.ndjson")));
    }

    [Fact]
    public async Task A_file_that_was_rejected_is_told_once_also_when_there_is_no_other_and_named_until_it_is_removed()
    {
        Drop("1.ndjson", "this is not JSON");
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);

        // Until what was told is in the spool it stays where it is: whoever starts anew tells it again.
        var told = Assert.Single(cluster.Events, happened => happened.Event.Kind == "product-file-rejected").Event;
        Assert.Equal("warning", told.Severity);
        Assert.Contains("was rejected: ", told.Text, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(directory, "1.ndjson")));
        using (var restarted = Again())
        {
            await restarted.RefreshAsync(TestContext.Current.CancellationToken);
            Assert.Contains(restarted.Events, happened => happened.Event.Kind == "product-file-rejected");
        }

        cluster.EventsKept();
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        Assert.DoesNotContain(cluster.Events, happened => happened.Event.Kind == "product-file-rejected");
        Assert.False(File.Exists(Path.Combine(directory, "1.ndjson")));
        var (name, reason) = Assert.Single(DropDirectory.RejectedIn(directory));
        Assert.Equal("1.ndjson", name);
        Assert.Contains("was rejected", reason, StringComparison.Ordinal);

        // The product mends it under the same name before it was set aside: that is another file, and it counts.
        Drop("2.ndjson", "this is not JSON either");
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        Drop("2.ndjson", Line("state", State));
        cluster.EventsKept();
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        Assert.Null(cluster.ProductProblem);
        Assert.Single(DropDirectory.RejectedIn(directory));
    }

    [Fact]
    public async Task A_link_in_the_drop_directory_is_neither_read_nor_written_through()
    {
        var elsewhere = Directory.CreateTempSubdirectory("mc-elsewhere-").FullName;
        try
        {
            var key = Path.Combine(elsewhere, "cluster.key.pem");
            await File.WriteAllTextAsync(key, "the key", TestContext.Current.CancellationToken);
            var stray = Path.Combine(elsewhere, "state.ndjson");
            await File.WriteAllTextAsync(stray, Line("state", State), TestContext.Current.CancellationToken);
            File.CreateSymbolicLink(Path.Combine(directory, "0.ndjson"), "/dev/zero");
            File.CreateSymbolicLink(Path.Combine(directory, "1.ndjson"), stray);
            await cluster.RefreshAsync(TestContext.Current.CancellationToken);
            Assert.Equal("1.ndjson is a link, and links are not followed.", cluster.ProductProblem);

            // The reason of a file that is rejected takes the place of the link, and leaves alone what that leads to.
            Directory.CreateDirectory(Path.Combine(directory, "rejected"));
            var reason = Path.Combine(directory, "rejected", "2.ndjson.reason");
            File.CreateSymbolicLink(reason, key);
            Drop("2.ndjson", "this is not JSON");
            await cluster.RefreshAsync(TestContext.Current.CancellationToken);
            cluster.EventsKept();
            Assert.Equal("the key", await File.ReadAllTextAsync(key, TestContext.Current.CancellationToken));
            Assert.Contains("was rejected", Assert.Single(DropDirectory.RejectedIn(directory)).Reason, StringComparison.Ordinal);

            // Nor is anything shown of what a reason leads to that was planted afterwards.
            File.Delete(reason);
            File.CreateSymbolicLink(reason, key);
            Assert.Equal("", Assert.Single(DropDirectory.RejectedIn(directory)).Reason);
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public async Task Nothing_goes_to_where_a_link_named_rejected_leads_and_what_has_no_end_ends()
    {
        var elsewhere = Directory.CreateTempSubdirectory("mc-elsewhere-").FullName;
        try
        {
            // A pipe that nobody writes to: who opens it waits for ever.
            using (var pipe = System.Diagnostics.Process.Start("mkfifo", [Path.Combine(directory, "0.ndjson")]))
            {
                await pipe.WaitForExitAsync(TestContext.Current.CancellationToken);
            }

            Directory.CreateSymbolicLink(Path.Combine(directory, "rejected"), elsewhere);
            await File.WriteAllTextAsync(Path.Combine(elsewhere, "3.ndjson"), "not of the product", TestContext.Current.CancellationToken);
            Drop("1.ndjson", "this is not JSON");
            Drop("2.ndjson", Line("state", State));

            await Task.Run(() => cluster.RefreshAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            cluster.EventsKept();

            Assert.Null(cluster.ProductProblem);
            Assert.True(File.Exists(Path.Combine(directory, "1.ndjson")));
            Assert.Single(Directory.EnumerateFiles(elsewhere));
            Assert.Empty(DropDirectory.RejectedIn(directory));
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public void Disks_are_read_once_each_with_inodes_and_whether_they_are_encrypted()
    {
        var blocks = Path.Combine(directory, "block");
        Directory.CreateDirectory(Path.Combine(blocks, "253:1", "slaves", "dm-0", "dm"));
        File.WriteAllText(Path.Combine(blocks, "253:1", "slaves", "dm-0", "dm", "uuid"), "CRYPT-LUKS2-00");
        Directory.CreateDirectory(Path.Combine(blocks, "8:1"));

        Assert.Equal((true, false, null), (FileSystems.IsEncrypted("253:1", blocks), FileSystems.IsEncrypted("8:1", blocks), FileSystems.IsEncrypted("9:9", blocks)));
        var disk = Assert.Single(FileSystems.Read(["1 0 8:1 / / rw - ext4 /dev/a rw", "2 1 8:1 /x /mnt/with\\040space rw - ext4 /dev/a rw", "3 1 0:5 / /proc rw - proc proc rw"]));
        Assert.Equal(("/", "system"), (disk.Mount, disk.Purpose));
        Assert.True(disk.TotalBytes > disk.UsedBytes && disk.InodesUsedPercent is > 0 and < 100);
    }

    private static string Line(string kind, string json) => $"{{\"{kind}\":{json.ReplaceLineEndings("")}}}\n";

    private void Drop(string name, string content) => File.WriteAllText(Path.Combine(directory, name), content);
}
