using System.Globalization;
using MissionControl.Fleet.Health;
using MissionControl.Protocol.CallHome;
using Xunit;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Tests;

public sealed class HealthRuleTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-03-01T12:00:00Z", CultureInfo.InvariantCulture);

    /// <summary>Each rule at its thresholds, judged at first sight: then nobody knows how long it has been so, and it counts at once.</summary>
    public static TheoryData<string, string, Action<Wire>> Cases()
    {
        var cases = new TheoryData<string, string, Action<Wire>>();
        void Add(string rule, string status, Action<Wire> bend) => cases.Add(rule, status, bend);
        Add("quorum-tolerance", "green", health => health.QuorumSpare = 1);
        Add("quorum-tolerance", "yellow", health => health.QuorumSpare = 0);
        Add("quorum-tolerance", "red", health => health.QuorumSpare = -1);
        Add("node-down", "green", _ => { });
        Add("node-down", "yellow", health => health.Nodes[0].State = "down");
        Add("node-down-without-spare", "green", health => health.QuorumSpare = 0);
        Add("node-down-without-spare", "red", health => (health.QuorumSpare, health.Nodes[0].State) = (0, "down"));
        Add("disk-free:n1/data", "green", health => Disk(health).UsedBytes = 79);
        Add("disk-free:n1/data", "yellow", health => Disk(health).UsedBytes = 80);
        Add("disk-free:n1/data", "red", health => Disk(health).UsedBytes = 90);
        Add("disk-read-only:n1/data", "green", health => Disk(health).ReadOnly = false);
        Add("disk-read-only:n1/data", "red", health => Disk(health).ReadOnly = true);
        Add("inodes-free:n1/data", "green", health => Disk(health).InodesUsedPercent = 89);
        Add("inodes-free:n1/data", "red", health => Disk(health).InodesUsedPercent = 90);
        Add("disk-encryption:n1/data", "green", health => Disk(health).Encrypted = true);
        Add("disk-encryption:n1/data", "yellow", health => Disk(health).Encrypted = false);
        Add("cpu:n1", "green", health => health.Nodes[0].CpuPercent = 79);
        Add("cpu:n1", "yellow", health => health.Nodes[0].CpuPercent = 80);
        Add("cpu:n1", "red", health => health.Nodes[0].CpuPercent = 95);
        Add("memory:n1", "green", health => health.Nodes[0].MemoryUsedBytes = 84);
        Add("memory:n1", "yellow", health => health.Nodes[0].MemoryUsedBytes = 85);
        Add("memory:n1", "red", health => health.Nodes[0].MemoryUsedBytes = 95);
        Add("heap:n1", "yellow", health => health.Nodes[0].HeapUsedPercent = 90);
        Add("gc-pause:n1", "red", health => health.Nodes[0].GcPausePercent = 21);
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

        var indicator = Assert.Single(First(health).Indicators(), indicator => indicator.Id == rule);

        Assert.Equal(status, indicator.Status);
        Assert.Equal(status == "green", indicator.Diagnosis is null);
    }

    [Fact]
    public void What_is_not_reported_is_unknown_and_never_green()
    {
        var indicators = First(new Wire { Nodes = { new NodeHealth { Id = "n1", State = "running" } } }).Indicators();

        Assert.Contains(indicators, indicator => indicator is { Id: "cpu:n1", Status: "unknown" });
        Assert.Contains(indicators, indicator => indicator is { Id: "backup-age", Status: "unknown" });
        Assert.Equal(HealthStatus.Unknown, First(new Wire()).Status);
    }

    [Fact]
    public void The_worst_known_rule_decides_and_leads()
    {
        var health = Healthy();
        health.Nodes[0].CpuPercent = 85;
        Disk(health).UsedBytes = 95;

        var judgement = First(health);

        Assert.Equal(HealthStatus.Red, judgement.Status);
        Assert.Equal("Disk /data of n1 has 5 % free.", judgement.WorstReason);
    }

    [Fact]
    public void A_suspected_clone_is_red()
    {
        Assert.Equal(HealthStatus.Red, Judgement.Of(Healthy(), null, Now, Now, new OurKnowledge(true, null, null)).Status);
    }

    [Fact]
    public void A_disk_without_encryption_is_shown_and_does_not_colour_the_cluster()
    {
        var health = Healthy();
        Disk(health).Encrypted = false;

        var judgement = First(health);

        Assert.Equal(HealthStatus.Green, judgement.Status);
        Assert.Contains(judgement.Indicators(), indicator => indicator is { Id: "disk-encryption:n1/data", Status: "yellow", Colours: false });
    }

    [Fact]
    public void While_somebody_works_on_a_cluster_a_stopped_node_does_not_colour_it()
    {
        var health = Healthy();
        health.ExpectedNodes = 2;
        health.Nodes.Add(new NodeHealth { Id = "n2", State = "down" });
        health.Maintenance = true;

        var judgement = First(health);

        Assert.Equal(HealthStatus.Green, judgement.Status);
        Assert.Contains(judgement.Indicators(), indicator => indicator is { Id: "node-down", Status: "yellow", Colours: false });
    }

    [Fact]
    public void A_threshold_counts_once_it_has_been_passed_for_long_enough_and_a_little_back_does_not_end_it()
    {
        var states = new Dictionary<string, RuleState>();
        string After(int minutes, long used)
        {
            var health = Healthy();
            Disk(health).UsedBytes = used;
            var at = Now.AddMinutes(minutes);
            var judgement = Judgement.Of(health, states, at, at, null);
            states = RuleStates.Read(RuleStates.Write(judgement.States));
            return Rule.Word(judgement.Status);
        }

        Assert.Equal("green", After(0, 50));
        Assert.Equal("green", After(1, 85));
        Assert.Equal("green", After(30, 85));
        Assert.Equal("yellow", After(31, 85));
        Assert.Equal("yellow", After(32, 92));
        Assert.Equal("red", After(62, 92));
        Assert.Equal("red", After(63, 90)); // 10 % free: at the threshold
        Assert.Equal("red", After(64, 89)); // 11 %: within the margin
        Assert.Equal("yellow", After(65, 88));
        Assert.Equal("yellow", After(66, 79)); // 21 %: within the margin
        Assert.Equal("green", After(67, 78));
        Assert.Empty(states);
    }

    [Fact]
    public void A_spike_that_passes_leaves_nothing_behind()
    {
        var health = Healthy();
        health.Nodes[0].CpuPercent = 99;
        var spike = Judgement.Of(health, new Dictionary<string, RuleState>(), Now, Now, null);
        Assert.Equal(HealthStatus.Green, spike.Status);
        Assert.Contains(spike.Indicators(), indicator => indicator is { Id: "cpu:n1", Status: "green" } && indicator.Symptom.Contains("99", StringComparison.Ordinal));

        var calm = Judgement.Of(Healthy(), RuleStates.Read(RuleStates.Write(spike.States)), Now.AddMinutes(1), Now.AddMinutes(1), null);

        Assert.Empty(calm.States);
    }

    [Fact]
    public void Time_alone_changes_a_judgement_at_the_instant_that_was_foretold()
    {
        var health = Healthy();
        Backup(health, 24);
        Certificate(health, 31);

        var first = Evaluate.NextChange(health, null, Now)!.Value;
        var second = Evaluate.NextChange(health, null, first)!.Value;

        Assert.Equal(Now.AddHours(12), first);
        Assert.Equal(Now.AddDays(1), second);
        Assert.Equal(HealthStatus.Green, Judgement.Of(health, null, Now, first.AddSeconds(-1), null).Status);
        Assert.Equal(HealthStatus.Yellow, Judgement.Of(health, null, Now, first, null).Status);
    }

    private static Judgement First(Wire health) => Judgement.Of(health, null, Now, Now, null);

    private static Wire Healthy() => new()
    {
        ExpectedNodes = 1,
        Nodes = { new NodeHealth { Id = "n1", State = "running", Version = "1.0.0", CpuPercent = 10, MemoryTotalBytes = 100, MemoryUsedBytes = 10, Disks = { new Disk { Mount = "/data", TotalBytes = 100, UsedBytes = 10 } } } },
    };

    private static Disk Disk(Wire health) => health.Nodes[0].Disks[0];

    private static void Backup(Wire health, int hours) => health.Backup = new Backup { ScheduleS = 86_400, LastSuccessMs = Now.AddHours(-hours).ToUnixTimeMilliseconds() };

    private static void Certificate(Wire health, int days) => health.Certificates.Add(new Certificate { Purpose = "cluster", NotAfterMs = Now.AddDays(days).ToUnixTimeMilliseconds() });
}
