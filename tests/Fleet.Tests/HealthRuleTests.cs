using MissionControl.Fleet.Health;
using MissionControl.Protocol.CallHome;
using Xunit;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Tests;

public sealed class HealthRuleTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-03-01T12:00:00Z");

    /// <summary>Each rule with values that turn it green, yellow and red; null where the rule has no such colour.</summary>
    public static TheoryData<string, string, Action<Wire>> Cases()
    {
        var cases = new TheoryData<string, string, Action<Wire>>();
        void Add(string rule, string status, Action<Wire> bend) => cases.Add(rule, status, bend);
        Add("quorum-tolerance", "green", health => health.QuorumSpare = 1);
        Add("quorum-tolerance", "yellow", health => health.QuorumSpare = 0);
        Add("quorum-tolerance", "red", health => health.QuorumSpare = -1);
        Add("node-down", "green", _ => { });
        Add("node-down", "yellow", health => health.Nodes[0].State = "down");
        Add("disk-free:n1/data", "green", health => Disk(health).UsedBytes = 79);
        Add("disk-free:n1/data", "yellow", health => Disk(health).UsedBytes = 80);
        Add("disk-free:n1/data", "red", health => Disk(health).UsedBytes = 90);
        Add("disk-read-only:n1/data", "green", health => Disk(health).ReadOnly = false);
        Add("disk-read-only:n1/data", "red", health => Disk(health).ReadOnly = true);
        Add("inodes-free:n1/data", "green", health => Disk(health).InodesUsedPercent = 89);
        Add("inodes-free:n1/data", "yellow", health => Disk(health).InodesUsedPercent = 90);
        Add("inodes-free:n1/data", "red", health => Disk(health).InodesUsedPercent = 95);
        Add("cpu:n1", "green", health => health.Nodes[0].CpuPercent = 79);
        Add("cpu:n1", "yellow", health => health.Nodes[0].CpuPercent = 80);
        Add("cpu:n1", "red", health => health.Nodes[0].CpuPercent = 95);
        Add("memory:n1", "green", health => health.Nodes[0].MemoryUsedBytes = 84);
        Add("memory:n1", "yellow", health => health.Nodes[0].MemoryUsedBytes = 85);
        Add("memory:n1", "red", health => health.Nodes[0].MemoryUsedBytes = 95);
        Add("heap:n1", "yellow", health => health.Nodes[0].HeapUsedPercent = 90);
        Add("backup-age", "green", health => Backup(health, 24));
        Add("backup-age", "yellow", health => Backup(health, 36));
        Add("backup-age", "red", health => Backup(health, 72));
        Add("backup-age", "red", health => health.Backup = new Backup { ScheduleS = 86_400 });
        Add("certificate-expiry:cluster", "green", health => Certificate(health, 31));
        Add("certificate-expiry:cluster", "yellow", health => Certificate(health, 30));
        Add("certificate-expiry:cluster", "red", health => Certificate(health, 7));
        Add("version-skew", "green", _ => { });
        Add("version-skew", "yellow", health => health.Nodes.Add(new NodeHealth { Id = "n2", State = "running", Version = "2.0.0" }));
        Add("clock-offset:n1", "green", health => health.Nodes[0].ClockOffsetMs = 999);
        Add("clock-offset:n1", "yellow", health => health.Nodes[0].ClockOffsetMs = -1000);
        Add("clock-offset:n1", "red", health => health.Nodes[0].ClockOffsetMs = 60_000);
        Add("call-home", "green", health => health.CallHome = new CallHomeHealth { FailedPercent15M = 0 });
        Add("call-home", "yellow", health => health.CallHome = new CallHomeHealth { FailedPercent15M = 20 });
        Add("spool-drops-usage", "red", health => health.CallHome = new CallHomeHealth { SpoolDroppingUsage = true });
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void A_rule_turns_at_its_thresholds(string rule, string status, Action<Wire> bend)
    {
        var health = Healthy();
        bend(health);

        var indicator = Assert.Single(Evaluate.Indicators(health, Now, cloneSuspected: false), indicator => indicator.Id == rule);

        Assert.Equal(status, indicator.Status);
        Assert.Equal(status == "green", indicator.Diagnosis is null);
    }

    [Fact]
    public void What_is_not_reported_is_unknown_and_never_green()
    {
        var indicators = Evaluate.Indicators(new Wire { Nodes = { new NodeHealth { Id = "n1", State = "running" } } }, Now, false);

        Assert.Contains(indicators, indicator => indicator is { Id: "cpu:n1", Status: "unknown" });
        Assert.Contains(indicators, indicator => indicator is { Id: "backup-age", Status: "unknown" });
        Assert.Equal(HealthStatus.Unknown, Evaluate.Overall([.. Evaluate.Indicators(new Wire(), Now, false)]));
    }

    [Fact]
    public void The_worst_known_rule_decides_and_leads()
    {
        var health = Healthy();
        health.Nodes[0].CpuPercent = 85;
        Disk(health).UsedBytes = 95;

        var indicators = Evaluate.Indicators(health, Now, false);

        Assert.Equal(HealthStatus.Red, Evaluate.Overall(indicators));
        Assert.Equal("Disk /data of n1 has 5 % free.", Evaluate.WorstReason(indicators));
    }

    [Fact]
    public void A_suspected_clone_is_red()
    {
        Assert.Equal(HealthStatus.Red, Evaluate.Overall(Evaluate.Indicators(Healthy(), Now, cloneSuspected: true)));
    }

    private static Wire Healthy() => new()
    {
        ExpectedNodes = 1,
        Nodes = { new NodeHealth { Id = "n1", State = "running", Version = "1.0.0", CpuPercent = 10, MemoryTotalBytes = 100, MemoryUsedBytes = 10, Disks = { new Disk { Mount = "/data", TotalBytes = 100, UsedBytes = 10 } } } },
    };

    private static Disk Disk(Wire health) => health.Nodes[0].Disks[0];

    private static void Backup(Wire health, int hours) => health.Backup = new Backup { ScheduleS = 86_400, LastSuccessMs = Now.AddHours(-hours).ToUnixTimeMilliseconds() };

    private static void Certificate(Wire health, int days) => health.Certificates.Add(new Certificate { Purpose = "cluster", NotAfterMs = Now.AddDays(days).ToUnixTimeMilliseconds() });
}
