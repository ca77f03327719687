using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Product;
using MissionControl.ClusterAgent.Sent;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The agent's own code over real files and a real door, on days when clock, disk or product misbehave: usage comes out exact.</summary>
public abstract class AgentBadDaysTests : IAsyncLifetime
{
    private readonly IInstallation installation;
    private readonly ManualTime time;
    private readonly DateTimeOffset noon;
    private readonly MachineClock clock;
    private readonly string directory = Directory.CreateTempSubdirectory("mc-bad-days-").FullName;
    private readonly List<IDisposable> owned = [];
    private readonly DateTimeOffset productStarted;
    private ProductServer product = null!;
    private int nodes = 1;
    private bool isMounted;

    private protected AgentBadDaysTests(IInstallation installation, ManualTime time)
    {
        // Ten minutes before the next whole hour but one: what an hour holds is the same in every run.
        (this.installation, this.time, clock) = (installation, time, new MachineClock(time));
        noon = UsageWindow.StartOf(UsageWindow.HourOf(time.GetUtcNow()) + 2);
        time.Advance(noon.AddMinutes(-10) - time.GetUtcNow());
        productStarted = noon.AddDays(-1);
    }

    public async ValueTask InitializeAsync() => product = await ProductServer.StartAsync(Document);

    public async ValueTask DisposeAsync()
    {
        owned.ForEach(thing => thing.Dispose());
        await product.DisposeAsync();
        if (isMounted)
        {
            await CommandAsync("umount", directory);
        }

        Directory.Delete(directory, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_clock_that_steps_both_ways_moves_no_usage_to_another_hour()
    {
        var (agent, cluster) = await EnrollAsync();
        foreach (var step in new[] { 0, 0, 5, 5, -26, -26, 0, 400, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0 })
        {
            clock.Step = TimeSpan.FromHours(step);
            await PassAsync(agent, TimeSpan.FromMinutes(12));
        }

        await AssertHoursAsync(cluster, 3);
    }

    [Fact]
    public async Task With_a_full_disk_no_usage_is_lost_and_status_says_so()
    {
        // What only root may do is what CI and a developer's container may do.
        await CommandAsync("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", directory);
        isMounted = true;
        var (agent, cluster) = await EnrollAsync();
        await PassAsync(agent, TimeSpan.FromMinutes(14));
        Assert.Null(agent.StorageProblem);
        Assert.DoesNotContain("disk", (await AgentProcess.RunAsync(null, "status", "--data", directory)).Output, StringComparison.Ordinal);

        Fill();
        for (var i = 0; i < 6; i++)
        {
            await PassAsync(agent, TimeSpan.FromMinutes(14));
            Fill();
        }

        Assert.Contains("full", agent.StorageProblem, StringComparison.Ordinal);
        var (code, status) = await AgentProcess.RunAsync(null, "status", "--data", directory);
        Assert.True(code == 0 && status.Contains("the disk of the agent's directory is full", StringComparison.Ordinal), status);

        File.Delete(Path.Combine(directory, "ballast"));
        for (var i = 0; i < 8; i++)
        {
            await PassAsync(agent, TimeSpan.FromMinutes(14));
        }

        Assert.Null(agent.StorageProblem);
        await AssertHoursAsync(cluster, 3);
    }

    [Fact]
    public async Task An_item_too_large_for_the_door_is_set_aside_and_the_others_pass()
    {
        var (agent, _) = await EnrollAsync();
        nodes = 500;
        var refused = 0;
        for (var i = 0; i < 40 && new Quarantine(Path.Combine(directory, "quarantine")).Count == 0; i++)
        {
            refused += (await PassAsync(agent, TimeSpan.FromMinutes(1))).Succeeded ? 0 : 1;
        }

        nodes = 1;
        await Eventually.TrueAsync(async () => (await PassAsync(agent, TimeSpan.FromMinutes(1))).Succeeded && agent.Waiting == 0, "the spool is empty again");
        var aside = new Quarantine(Path.Combine(directory, "quarantine")).Read();
        Assert.NotEmpty(aside);
        Assert.All(aside, item => Assert.Equal("payload-too-large", item.Code));
        Assert.InRange(refused, 1, 20);
    }

    private async Task<(Agent Agent, Guid Cluster)> EnrollAsync()
    {
        var reserve = new DiskReserve(directory);
        var identity = Own(new FileIdentity(directory));
        var spool = Own(new DiskSpool(Path.Combine(directory, "spool")));
        var local = Own(new LocalCluster(
            "Oslo", new LinuxMachine(clock), new CertificateFiles([]), new HttpProduct(product.Url, null, null), Masking.In(directory, new PrivacySettings()), clock));
        var usage = Own(new UsageRecorder(new DiskUsageStore(Path.Combine(directory, "usage")), local, identity, spool));
        var client = new CallHomeClient(Own(installation.Client(installation.CallHomes[0])), identity, clock, Own(new SentLog(Path.Combine(directory, "sent"), clock, reserve)));
        var agent = new Agent(identity, spool, local, client, clock, new Random(1), usage, new Quarantine(Path.Combine(directory, "quarantine")), reserve);
        using var admin = installation.Admin();
        var token = await Senders.TokenAsync(admin, await Senders.CustomerAsync(admin));
        await new Enroller(identity, local, client).EnrollAsync(installation.CallHomes[0], token.Token, token.AnchorsSha256, false, TestContext.Current.CancellationToken);
        Assert.True((await agent.CheckInAsync(TestContext.Current.CancellationToken)).Succeeded);
        return (agent, identity.Enrollment!.ClusterId);
    }

    private async Task<CheckInResult> PassAsync(Agent agent, TimeSpan span)
    {
        time.Advance(span);
        return await agent.CheckInAsync(TestContext.Current.CancellationToken);
    }

    private async Task AssertHoursAsync(Guid cluster, int hours)
    {
        var report = new UsageReport(default, default, "", "", null, null, new UsageCompleteness(0, 0, 0, 0, 0), 0, [], [], 0, default);
        using var admin = installation.Admin();
        var query = $"/api/v1/licensing/usage?cluster={cluster}&from={UsageWindow.Text(noon)}&to={UsageWindow.Text(noon.AddHours(hours))}&granularity=hour&groupBy=cluster";
        await Eventually.TrueAsync(async () => (report = (await admin.GetFromJsonAsync<UsageReport>(query))!).Completeness.ReceivedHours == hours, "every hour is in the ledger");

        // The product counts every second of true time.
        var series = Assert.Single(report.Series, series => series.Meter == "host_unit_seconds");
        Assert.Equal(3600.0 * hours, double.Parse(series.Total, CultureInfo.InvariantCulture), tolerance: 2.0);
        Assert.All(series.Values, value => Assert.Equal(3600.0, double.Parse(value!, CultureInfo.InvariantCulture), tolerance: 2.0));
    }

    // As long as a text may be, where there are many nodes.
    private string Long => new('1', nodes > 1 ? 500 : 1);

    private string Document() => $$"""
        {"v":1,"version":"1.0.0","nodes":[{{string.Join(',', Enumerable.Range(1, nodes).Select(i => $$"""{"id":"n{{i}}","self":{{(i == 1 ? "true" : "false")}},"state":"running","version":"{{Long}}","os":"{{Long}}","role":"{{Long}}"}"""))}}],
         "usage":[{"meter":"host_unit_seconds","value":"{{(long)(time.GetUtcNow() - productStarted).TotalSeconds}}","startedAt":"{{productStarted:O}}","dimensions":{"env":"e1"} }]}
        """;

    private void Fill()
    {
        using var ballast = new FileStream(Path.Combine(directory, "ballast"), FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (true)
            {
                ballast.Write(block);
            }
        }
        catch (IOException full) when (DiskReserve.IsDiskFull(full))
        {
            // As intended.
        }
    }

    private T Own<T>(T thing)
        where T : IDisposable
    {
        owned.Insert(0, thing);
        return thing;
    }

    private static async Task CommandAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }
}

/// <summary>Bad days of an agent of one process.</summary>
public sealed class EmbeddedAgentBadDaysTests(SetClockEmbeddedFixture fixture) : AgentBadDaysTests(fixture.Installation, fixture.Time), IClassFixture<SetClockEmbeddedFixture>;

/// <summary>Bad days of an agent of many replicas.</summary>
[Collection(Shapes.DistributedSetClock)]
public sealed class DistributedAgentBadDaysTests(SetClockDistributedFixture fixture) : AgentBadDaysTests(fixture.Installation, fixture.Time);
