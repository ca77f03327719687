using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Tests;

/// <summary>One host for all rules; each has a cluster of its own.</summary>
public sealed class RuleHost : IAsyncLifetime
{
    public ControlPlane Host { get; private set; } = null!;

    public Guid Customer { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:EnrollmentsPerSecond"] = "1000" });
        Customer = (await Host.CreateCustomerAsync()).Id;
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}

public sealed class RulesThroughTheDoorTests(RuleHost fixture) : IClassFixture<RuleHost>
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-40);

    /// <summary>Rule, then minutes, what the cluster says, and what it is judged to be.</summary>
    public static TheoryData<string, (int Minute, Action<Wire> Bend, string Status)[]> Journeys() => new()
    {
        { "quorum-tolerance", [(0, health => health.QuorumSpare = 1, "green"), (1, health => health.QuorumSpare = 0, "yellow"), (2, health => health.QuorumSpare = -1, "red"), (3, health => health.QuorumSpare = 1, "green")] },
        { "node-down", [(0, _ => { }, "green"), (1, Down, "green"), (6, Down, "yellow"), (7, _ => { }, "green")] },
        { "node-down-without-spare", [(0, health => health.QuorumSpare = 1, "green"), (1, DownWithoutSpare, "green"), (6, DownWithoutSpare, "red"), (7, health => health.QuorumSpare = 1, "green")] },
        { "disk-free:n1/data", [(0, _ => { }, "green"), (1, Full(82), "green"), (31, Full(82), "yellow"), (32, Full(95), "yellow"), (62, Full(95), "red"), (63, Full(50), "green")] },
        { "disk-read-only:n1/data", [(0, _ => { }, "green"), (1, health => health.Nodes[0].Disks[0].ReadOnly = true, "red"), (2, _ => { }, "green")] },
        { "inodes-free:n1/data", [(0, _ => { }, "green"), (1, health => health.Nodes[0].Disks[0].InodesUsedPercent = 91, "red"), (2, _ => { }, "green")] },
        { "cpu:n1", [(0, _ => { }, "green"), (1, Cpu(85), "green"), (361, Cpu(85), "yellow"), (362, Cpu(97), "yellow"), (422, Cpu(97), "red"), (423, Cpu(20), "green")] },
        { "memory:n1", [(0, _ => { }, "green"), (1, Memory(90), "green"), (61, Memory(90), "yellow"), (62, Memory(97), "yellow"), (77, Memory(97), "red"), (78, Memory(20), "green")] },
        { "heap:n1", [(0, _ => { }, "absent"), (1, Heap(20), "green"), (2, Heap(90), "green"), (62, Heap(90), "yellow"), (63, Heap(97), "yellow"), (78, Heap(97), "red"), (79, Heap(20), "green")] },
        { "gc-pause:n1", [(0, health => health.Nodes[0].GcPausePercent = 1, "green"), (1, health => health.Nodes[0].GcPausePercent = 30, "green"), (16, health => health.Nodes[0].GcPausePercent = 30, "red"), (17, health => health.Nodes[0].GcPausePercent = 1, "green")] },
        { "backup-age", [(0, Backup(20), "green"), (1, Backup(40), "yellow"), (2, Backup(80), "red"), (3, Backup(1), "green")] },
        { "certificate-expiry:cluster", [(0, Certificate(60), "green"), (1, Certificate(20), "yellow"), (2, Certificate(5), "red"), (3, Certificate(90), "green")] },
        { "version-skew", [(0, _ => { }, "green"), (1, Skew, "green"), (61, Skew, "yellow"), (1441, Skew, "red"), (1442, _ => { }, "green")] },
        { "clock-offset:n1", [(0, _ => { }, "green"), (1, health => health.Nodes[0].ClockOffsetMs = 2_000, "yellow"), (2, health => health.Nodes[0].ClockOffsetMs = -61_000, "red"), (3, _ => { }, "green")] },
        { "call-home", [(0, CallHome(0), "green"), (1, CallHome(30), "green"), (61, CallHome(30), "yellow"), (62, CallHome(0), "green")] },
        { "spool-drops-usage", [(0, health => health.CallHome = new CallHomeHealth { SpoolDroppingUsage = false }, "green"), (1, health => health.CallHome = new CallHomeHealth { SpoolDroppingUsage = true }, "red"), (2, health => health.CallHome = new CallHomeHealth { SpoolDroppingUsage = false }, "green")] },
    };

    [Theory]
    [MemberData(nameof(Journeys), DisableDiscoveryEnumeration = true)]
    public async Task A_rule_turns_bad_and_good_again_by_what_comes_through_the_door(string rule, (int Minute, Action<Wire> Bend, string Status)[] journey)
    {
        using var cluster = await TestCluster.EnrollAsync(fixture.Host, fixture.Customer, rule);
        var turns = new List<(string, string)>();
        var last = "unknown";
        foreach (var (minute, bend, status) in journey)
        {
            var item = cluster.Health(bend: bend);
            item.AtMs = Start.AddMinutes(minute).ToUnixTimeMilliseconds();
            await cluster.CheckInAsync(item);

            HealthDocument? document = null;
            await Eventually.TrueAsync(async () =>
            {
                using var response = await fixture.Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}/health", UriKind.Relative));
                document = response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<HealthDocument>() : null;
                return document?.AsOf?.ToUnixTimeMilliseconds() == item.AtMs;
            }, $"minute {minute} of {rule} is judged");
            var indicator = document!.Indicators.SingleOrDefault(indicator => indicator.Id == rule);
            Assert.Equal((minute, status), (minute, indicator?.Status ?? "absent"));

            // The list is written when what is judged changes, and says the same.
            var summary = await fixture.Host.Admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{cluster.Id}");
            Assert.Equal(document.Status, summary!.Health);
            var broken = await fixture.Host.Admin.GetFromJsonAsync<Page<ClusterSummary>>($"/api/v1/fleet/clusters?rule={rule.Split(':')[0]}&limit=500");
            Assert.Equal(status is "yellow" or "red", broken!.Items.Any(one => one.Id == summary.Id));
            if (status != last && !(last == "unknown" && status is "green" or "absent"))
            {
                turns.Add((last, status));
            }

            last = status == "absent" ? "green" : status;
            if (status is "yellow" or "red")
            {
                Assert.NotNull(indicator!.Impact);
                Assert.NotNull(indicator.Diagnosis);
                Assert.NotNull(indicator.Since);
            }
        }

        // Every turn is remembered once, the first sight of what is well or not yet bad being none.
        var remembered = await fixture.Host.Admin.GetFromJsonAsync<Page<RuleChangeItem>>($"/api/v1/fleet/clusters/{cluster.Id}/health/changes?rule={Uri.EscapeDataString(rule)}&sort=at");
        Assert.Equal(turns, remembered!.Items.Select(change => (change.Before, change.After)));
    }

    private static void Down(Wire health) => (health.ExpectedNodes, health.Nodes[0].State) = (1, "down");

    private static void DownWithoutSpare(Wire health) => (health.QuorumSpare, health.Nodes[0].State) = (0, "down");

    private static void Skew(Wire health) => health.Nodes.Add(new NodeHealth { Id = "n2", State = "running", Version = "2.0.0" });

    private static Action<Wire> Full(int percent) => health => health.Nodes[0].Disks[0].UsedBytes = health.Nodes[0].Disks[0].TotalBytes / 100 * percent;

    private static Action<Wire> Cpu(double percent) => health => health.Nodes[0].CpuPercent = percent;

    private static Action<Wire> Memory(int percent) => health => health.Nodes[0].MemoryUsedBytes = health.Nodes[0].MemoryTotalBytes / 100 * percent;

    private static Action<Wire> Heap(double percent) => health => health.Nodes[0].HeapUsedPercent = percent;

    private static Action<Wire> Backup(int hours) => health => health.Backup = new Backup { ScheduleS = 86_400, LastSuccessMs = DateTimeOffset.UtcNow.AddHours(-hours).ToUnixTimeMilliseconds() };

    private static Action<Wire> Certificate(int days) => health => health.Certificates.Add(new Certificate { Purpose = "cluster", NotAfterMs = DateTimeOffset.UtcNow.AddDays(days).ToUnixTimeMilliseconds() });

    private static Action<Wire> CallHome(double percent) => health => health.CallHome = new CallHomeHealth { FailedPercent15M = percent };
}
