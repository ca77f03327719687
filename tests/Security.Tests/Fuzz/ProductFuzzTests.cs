using System.Text;
using Google.Protobuf;
using MissionControl.CallHome.Intake;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Product;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using Xunit;

namespace MissionControl.Security.Tests.Fuzz;

/// <summary>A product that says what it should not: the agent lives, and nothing that it takes is refused at the door.</summary>
public sealed class ProductFuzzTests : IDisposable
{
    private const string Document =
        """
        {"v":1,"at":"2026-11-25T12:00:00Z","version":"1.339.0","expectedNodes":2,"quorumSpare":0,"maintenance":false,"maintenanceWindow":"Sun 02:00-04:00","updateMode":"manual","remoteAccessAllowed":true,
         "nodes":[{"id":"a","self":true,"state":"running","role":"server","master":true,"version":"1.339.0","os":"Linux","startedAt":"2026-11-01T00:00:00Z","cores":8,"cpuPercent":12.5,"memoryTotalBytes":100,"memoryUsedBytes":50,"heapUsedPercent":40,"gcPausePercent":1,
                   "disks":[{"mount":"/data","purpose":"data","totalBytes":100,"usedBytes":40,"inodesUsedPercent":2.5,"readOnly":false,"encrypted":true}]},{"id":"b","state":"down"}],
         "backup":{"lastSuccess":"2026-11-25T01:00:00Z","scheduleSeconds":86400,"sizeBytes":1,"location":"nfs"},"replication":{"lagSeconds":1.5},
         "gateways":[{"id":"g1","kind":"network","version":"1.0","state":"running","os":"Linux"}],"collectors":[{"version":"1.0","os":"Linux","count":7}],"environments":[{"id":"e1","name":"Production"}],
         "usage":[{"meter":"sessions","value":"12.5","startedAt":"2026-11-01T00:00:00Z","version":1,"dimensions":{"env":"e1","host":"h1"}},{"meter":"sessions","value":"3","startedAt":"2026-11-01T00:00:00Z","dimensions":{"env":"e2"}}],
         "events":[{"id":"ev1","kind":"node-added","severity":"info","text":"A node was added","node":"a","at":"2026-11-25T11:00:00Z"}]}
        """;

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mc-product-");
    private readonly LinuxMachine machine = new(TimeProvider.System);

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public async Task What_the_agent_takes_from_a_product_the_door_takes()
    {
        var (taken, refused) = (0, 0);
        foreach (var (what, json) in JsonMutations.Of(Document).Prepend(("nothing", Document)))
        {
            try
            {
                if (await TakeAsync(json, what))
                {
                    taken++;
                }
                else
                {
                    refused++;
                }
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"{what}\n{exception}", exception);
            }
        }

        Assert.True(taken > 100 && refused > 500, $"{taken} taken, {refused} refused");
    }

    [Theory]
    [InlineData("""{"v":1,"nodes":[null]}""", "A list holds null.")]
    [InlineData("""{"v":1,"usage":[null]}""", "A list holds null.")]
    [InlineData("""{"v":1,"nodes":[{"id":"a","state":"running","disks":[null]}]}""", "A list holds null.")]
    [InlineData("""{"v":1,"nodes":[{"id":"a","state":"running"},{"id":"a","state":"running"}]}""", "an id of its own")]
    [InlineData("""{"v":1,"usage":[{"meter":"Sessions!","value":"1","startedAt":"2026-11-01T00:00:00Z"}]}""", "Counter 'Sessions!'")]
    [InlineData("""{"v":1,"usage":[{"meter":"sessions","value":"1","startedAt":"2026-11-01T00:00:00Z"},{"meter":"sessions","value":"2","startedAt":"2026-11-01T00:00:00Z"}]}""", "stands twice")]
    [InlineData("""{"v":1,"usage":[{"meter":"sessions","value":"1","startedAt":"2026-11-01T00:00:00Z","dimensions":{"env":null}}]}""", "dimensions")]
    [InlineData("""{"v":1,"replication":{"lagSeconds":1e999}}""", "is a number")]
    [InlineData("""{"v":1,"environments":[{"id":""}]}""", "environments")]
    [InlineData("""{"v":2}""", "reads version 1")]
    public void A_mistake_is_named(string json, string words)
    {
        var refusal = Assert.Throws<ProductException>(() => ProductDocument.Parse(Encoding.UTF8.GetBytes(json)));
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bent_documents_are_read_or_refused_in_words()
    {
        var mutator = new Mutator(seed: 20_261_126);
        for (var i = 0; i < Mutator.Rounds(20_000); i++)
        {
            var bytes = mutator.Next([Encoding.UTF8.GetBytes(Document)]);
            try
            {
                ProductDocument.Parse(bytes);
            }
            catch (ProductException refusal)
            {
                Assert.NotEmpty(refusal.Message);
            }
        }
    }

    private async Task<bool> TakeAsync(string json, string what)
    {
        var drop = directory.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;
        await File.WriteAllTextAsync(Path.Combine(drop, "1.ndjson"), $$"""{"state":{{json.ReplaceLineEndings("")}}}""");
        using var cluster = new LocalCluster("Oslo", machine, new CertificateFiles([]), new DropDirectory(drop, new FixedTime()), new Masking(new byte[32], new PrivacySettings { Reveal = ["node.id"] }), new FixedTime());
        await cluster.RefreshAsync(TestContext.Current.CancellationToken);
        if (cluster.ProductProblem is { } problem)
        {
            Assert.NotEmpty(problem);
            return false;
        }

        Taken("health", cluster.Health(60, TimeSpan.Zero).ToByteString());
        Taken("inventory", cluster.Inventory()!.ToByteString());
        foreach (var happened in cluster.Events)
        {
            Assert.InRange(happened.AtMs, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds());
            Taken("event", happened.Event.ToByteString());
        }

        Assert.All(cluster.Read(FixedTime.Now)?.Counters ?? [], counter =>
            Assert.Null(new UsageCell(counter.Meter, counter.Version, counter.Dimensions, counter.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)).Check()));
        return true;

        void Taken(string type, ByteString body)
        {
            var refusal = Door.Judge(new Item { Seq = 1, Type = type, AtMs = FixedTime.Now.ToUnixTimeMilliseconds(), Body = body }, new KnownCluster(Guid.NewGuid(), Guid.NewGuid()), FixedTime.Now);
            Assert.True(refusal is null, $"{what}: {type} {refusal?.Code} {refusal?.Detail}");
        }
    }

    private sealed class FixedTime : TimeProvider
    {
        public static readonly DateTimeOffset Now = new(2026, 11, 25, 12, 0, 30, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
