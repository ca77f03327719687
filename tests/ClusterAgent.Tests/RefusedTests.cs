using System.Globalization;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Privacy;
using MissionControl.ClusterAgent.Product;
using MissionControl.ClusterAgent.Spool;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.CallHome;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

/// <summary>What an agent makes of each refusal: stop, ask once an hour, or come back when it is told to; and what it has it keeps.</summary>
public sealed class RefusedTests : IDisposable
{
    private static readonly TimeSpan AboutAnHourAtLeast = TimeSpan.FromMinutes(54);
    private static readonly TimeSpan AboutAnHourAtMost = TimeSpan.FromMinutes(66);
    private readonly string directory = Directory.CreateTempSubdirectory("mc-refused-").FullName;
    private readonly Clock clock = new();
    private readonly Door door;
    private readonly HttpClient http;
    private readonly MemoryIdentity identity;
    private readonly MemorySpool spool = new();
    private readonly LocalCluster cluster;
    private readonly UsageRecorder usage;
    private readonly Agent agent;

    public RefusedTests()
    {
        door = new Door(clock) { Answer = new CheckInResponse { NextS = 60 } };
        http = new HttpClient(door) { BaseAddress = new Uri("https://localhost") };
        identity = new MemoryIdentity { Enrollment = new Enrollment(new Uri("https://localhost"), Guid.CreateVersion7(), 1, "sha256:", false, 60, 0) };
        cluster = new LocalCluster("Oslo", new LinuxMachine(clock), new CertificateFiles([]), new DropDirectory(directory, clock), new Masking(new byte[32], new PrivacySettings()), clock);
        usage = new UsageRecorder(new MemoryUsageStore(), cluster, identity, spool);
        agent = new Agent(identity, spool, cluster, new CallHomeClient(http, identity, clock), clock, new Random(1), usage);
    }

    public void Dispose()
    {
        usage.Dispose();
        cluster.Dispose();
        identity.Dispose();
        http.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("checkin")]
    public async Task It_stops_for_good_when_the_cluster_was_decommissioned(string route)
    {
        door.Refuses[route] = new Refusal(410, "cluster-decommissioned");
        var reported = new List<CheckInResult>();

        // It ends by itself: nobody cancels it.
        await agent.RunAsync(reported.Add, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        var result = Assert.Single(reported);
        Assert.True(result is { Stopped: true, Succeeded: false }, $"{result}");
        Assert.Equal(1, door.Asked(route));
    }

    [Theory]
    [InlineData("token")]
    [InlineData("checkin")]
    public async Task A_suspended_cluster_asks_once_an_hour_and_goes_on_writing_down_its_usage(string route)
    {
        door.Refuses[route] = new Refusal(403, "cluster-suspended");
        var asked = new List<DateTimeOffset>();
        var began = clock.GetUtcNow();
        for (var minute = 0; clock.GetUtcNow() < began.AddMinutes(150); minute++)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, $"{minute:0000}.ndjson"), State(minute), TestContext.Current.CancellationToken);
            var step = await agent.StepAsync(CancellationToken.None);
            if (step.CheckIn is { } result)
            {
                asked.Add(clock.GetUtcNow());
                Assert.True(result is { Stopped: false, Succeeded: false }, $"{result}");
                Assert.InRange(result.Next, AboutAnHourAtLeast, AboutAnHourAtMost);
            }

            clock.Advance(step.Wait);
        }

        Assert.Equal(3, asked.Count);
        Assert.Equal(3, door.Asked(route));
        Assert.Equal(2, spool.Usage);

        // The suspension is lifted: what was written down meanwhile goes out.
        door.Refuses.Clear();
        Assert.True((await agent.CheckInAsync(CancellationToken.None)).Succeeded);
        Assert.Equal(2, door.Items.Count(item => item.Type == "usage"));
        Assert.Equal(0, spool.Count);
    }

    [Fact]
    public async Task It_rests_for_an_hour_when_its_assertion_was_refused_three_times_and_not_before()
    {
        door.Refuses["token"] = new Refusal(401, "assertion-invalid");
        for (var round = 0; round < 2; round++)
        {
            Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.25));
            Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.25));
            Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, AboutAnHourAtLeast, AboutAnHourAtMost);
            Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, AboutAnHourAtLeast, AboutAnHourAtMost);

            // Once it was believed, three more are granted.
            var refusal = door.Refuses["token"];
            door.Refuses.Clear();
            Assert.True((await agent.CheckInAsync(CancellationToken.None)).Succeeded);
            door.Refuses["token"] = refusal;
            clock.Advance(TimeSpan.FromMinutes(10));
        }
    }

    [Theory]
    [InlineData(429, "rate-limited")]
    [InlineData(503, "overloaded")]
    public async Task It_comes_back_when_it_is_told_to_and_keeps_what_it_has(int status, string code)
    {
        door.Refuses["checkin"] = new Refusal(status, code, RetryAfter: 700);
        spool.Add("event", 1, [1]);

        var refused = await agent.CheckInAsync(CancellationToken.None);

        Assert.True(refused is { Stopped: false, Succeeded: false }, $"{refused}");
        Assert.InRange(refused.Next, TimeSpan.FromSeconds(700), TimeSpan.FromSeconds(875));
        door.Refuses.Clear();
        Assert.True((await agent.CheckInAsync(CancellationToken.None)).Succeeded);
        Assert.Contains(door.Items, item => item is { Type: "event", AtMs: 1 });
    }

    [Fact]
    public async Task A_proxy_that_answers_403_is_no_word_of_Mission_Control()
    {
        door.Refuses["checkin"] = new Refusal(403, null);

        Assert.InRange((await agent.CheckInAsync(CancellationToken.None)).Next, TimeSpan.Zero, TimeSpan.FromMinutes(2));
    }

    private string State(int minute) => string.Create(
        CultureInfo.InvariantCulture,
        $$$"""{"state":{"v":1,"at":"{{{clock.GetUtcNow():O}}}","usage":[{"meter":"sessions","value":"{{{minute}}}","startedAt":"2026-03-01T00:00:00Z"}]}}""");

    /// <summary>Stands still until it is moved, the wall clock and the monotonic one alike.</summary>
    private sealed class Clock : TimeProvider
    {
        private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        private TimeSpan since;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => since.Ticks;

        public override DateTimeOffset GetUtcNow() => Start + since;

        public void Advance(TimeSpan by) => since += by;
    }
}
