using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.CallHome;

namespace MissionControl.FleetSimulator;

/// <summary>What is the matter with a simulated cluster.</summary>
public enum Mood
{
    /// <summary>Nothing.</summary>
    Healthy,

    /// <summary>A disk fills, a little with every reading.</summary>
    DiskFilling,

    /// <summary>One node is down.</summary>
    NodeDown,

    /// <summary>The backup is late.</summary>
    BackupOverdue,

    /// <summary>A certificate expires soon.</summary>
    CertificateExpiring,

    /// <summary>It enrols, checks in once and falls silent.</summary>
    Silent,
}

/// <summary>A cluster's product and machines, seeded and repeatable: the only thing besides clock and spool that differs from a real agent.</summary>
public sealed class SimulatedCluster(string name, Mood mood, int seed, TimeProvider time) : IHealthSource, IUsageSource
{
    private static readonly DateTimeOffset Born = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // How busy each hour of a day is, in hundredths: quiet nights, busy afternoons.
    private static readonly int[] Day = [40, 36, 34, 33, 34, 40, 55, 75, 100, 120, 130, 134, 128, 130, 136, 138, 132, 120, 100, 84, 72, 62, 52, 46];

    private readonly Random random = new(seed);
    private readonly int size = 1 + (2 * new Random(seed).Next(5));
    private int readings;

    /// <inheritdoc />
    public Facts Facts() => new() { Name = name, AgentVersion = LinuxMachine.Version, ProductVersion = Version, TimeZone = "Etc/UTC", Os = "Linux (simulated)", Capabilities = { "health", "usage" } };

    /// <inheritdoc />
    public Health Read(int intervalSeconds)
    {
        readings++;
        var now = time.GetUtcNow();
        var health = new Health
        {
            IntervalS = intervalSeconds,
            ExpectedNodes = size,
            Backup = new Backup { ScheduleS = 86_400, LastSuccessMs = now.AddHours(mood == Mood.BackupOverdue ? -40 : -5).ToUnixTimeMilliseconds(), Location = "nfs" },
            Certificates = { new Certificate { Purpose = "cluster", Issuer = "Example CA", NotAfterMs = now.AddDays(mood == Mood.CertificateExpiring ? 5 : 200).ToUnixTimeMilliseconds() } },
        };
        if (size > 1)
        {
            // A single node has no quorum to lose.
            health.QuorumSpare = ((size - 1) / 2) - (mood == Mood.NodeDown ? 1 : 0);
        }

        for (var i = 1; i <= size; i++)
        {
            health.Nodes.Add(Node(i, now));
        }

        return health;
    }

    /// <inheritdoc />
    public string ProductVersion => Version;

    /// <inheritdoc />
    public IReadOnlyList<UsageCounter> Read(DateTimeOffset now)
    {
        var seconds = (long)(now - Born).TotalSeconds;
        var busy = BusySeconds(seconds);
        var counters = new List<UsageCounter>();
        foreach (var environment in size > 3 ? new[] { "production", "staging" } : ["production"])
        {
            var share = environment == "production" ? 4 : 1;
            var dimensions = new Dictionary<string, string> { ["env"] = environment };
            Add("host_unit_seconds", seconds * size * share);
            Add("gib_hours", decimal.Round(seconds * 64m * size * share / 3600m, 6, MidpointRounding.ToZero));
            Add("data_points", busy * size * share * 11);
            Add("log_bytes", busy * size * share * 2048);
            Add("sessions", busy * share / 500);

            void Add(string meter, decimal value) => counters.Add(new UsageCounter(meter, 1, dimensions, value, Born));
        }

        return counters;
    }

    // Whole seconds weighted by how busy their hour is: a counter that only grows, whenever it is read.
    private static long BusySeconds(long seconds)
    {
        var (days, rest) = Math.DivRem(seconds, 86_400);
        var (hour, within) = Math.DivRem(rest, 3_600);
        return (days * 3_600 * Day.Sum()) + (3_600 * Day.Take((int)hour).Sum()) + (within * Day[hour]);
    }

    private string Version => seed % 4 == 0 ? "1.338.2" : "1.339.0";

    private NodeHealth Node(int number, DateTimeOffset now)
    {
        var down = mood == Mood.NodeDown && number == size;
        var filling = mood == Mood.DiskFilling && number == 1 ? Math.Min(0.99, 0.82 + (0.005 * readings)) : 0.3 + (random.NextDouble() * 0.05);
        const long Disk = 2L << 40;
        const long Memory = 64L << 30;
        return new NodeHealth
        {
            Id = $"node-{number}",
            Role = "server",
            State = down ? "down" : "running",
            Master = number == 1,
            Version = Version,
            Os = "Linux (simulated)",
            Cores = 16,
            CpuPercent = 15 + (random.NextDouble() * 30),
            MemoryTotalBytes = Memory,
            MemoryUsedBytes = (long)(Memory * (0.4 + (random.NextDouble() * 0.2))),
            ClockOffsetMs = random.NextDouble() * 20,
            UptimeS = 86_400 * 12,
            StartedAtMs = now.AddDays(-12).ToUnixTimeMilliseconds(),
            Disks = { new Disk { Mount = "/data", Purpose = "data", TotalBytes = Disk, UsedBytes = (long)(Disk * filling), InodesUsedPercent = 4, ReadOnly = false, Encrypted = true } },
        };
    }
}
