using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.Machine;
using MissionControl.ClusterAgent.Usage;
using MissionControl.Protocol.CallHome;
using ClusterEnvironment = MissionControl.Protocol.CallHome.Environment;

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
public sealed class SimulatedCluster(string name, Mood mood, int seed, TimeProvider time) : IClusterSource, IUsageSource
{
    private const string OsName = "Linux (simulated)";
    private const int Cores = 16;
    private const long Memory = 64L << 30;
    private static readonly DateTimeOffset Born = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // How busy each hour of a day is, in hundredths: quiet nights, busy afternoons.
    private static readonly int[] Day = [40, 36, 34, 33, 34, 40, 55, 75, 100, 120, 130, 134, 128, 130, 136, 138, 132, 120, 100, 84, 72, 62, 52, 46];

    private readonly Random random = new(seed);
    private readonly int size = 1 + (2 * new Random(seed).Next(5));
    private readonly List<Happened> events = [];
    private int readings;
    private int told;

    /// <inheritdoc />
    public IReadOnlyList<Happened> Events => events;

    /// <inheritdoc />
    public Facts Facts() => new() { Name = name, AgentVersion = LinuxMachine.Version, ProductVersion = Version, TimeZone = "Etc/UTC", Os = OsName, Capabilities = { "health", "usage", "event", "inventory", "receipts", "credentials" } };

    /// <inheritdoc />
    public Task RefreshAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public void Tell(string kind, string severity, string text)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        events.Add(new Happened(now, new Event { Id = $"{now}-{++told}", Kind = kind, Severity = severity, Text = text }));
    }

    /// <inheritdoc />
    public void EventsKept() => events.Clear();

    /// <inheritdoc />
    public Inventory Inventory()
    {
        var inventory = new Inventory
        {
            ProductVersion = Version, AgentVersion = LinuxMachine.Version, TimeZone = "Etc/UTC", UpdateMode = seed % 3 == 0 ? "manual" : "automatic", MaintenanceWindow = "Sun 02:00-04:00", RemoteAccessAllowed = seed % 2 == 0,
            Gateways = { new Gateway { Id = "gateway-1", Kind = "network", Version = Version, State = "running", Os = OsName } },
            Collectors = { new CollectorCount { Version = Version, Os = "Linux", Count = 12 * size }, new CollectorCount { Version = "1.337.0", Os = "Windows", Count = 1 + (seed % 5) } },
            Environments = { Environments.Select(id => new ClusterEnvironment { Id = id }) },
        };
        for (var i = 1; i <= size; i++)
        {
            inventory.Nodes.Add(new Node { Id = $"node-{i}", Role = "server", Version = Version, Os = OsName, Cores = Cores, MemoryTotalBytes = Memory, DiskEncrypted = true });
        }

        return inventory;
    }

    /// <inheritdoc />
    public Health Health(int intervalSeconds, TimeSpan? clockOffset)
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
            health.Nodes.Add(NodeNow(i, now, clockOffset));
        }

        return health;
    }

    /// <inheritdoc />
    public string ProductVersion => Version;

    /// <inheritdoc />
    public UsageReading Read(DateTimeOffset now)
    {
        var seconds = (long)(now - Born).TotalSeconds;
        var busy = BusySeconds(seconds);
        var counters = new List<UsageCounter>();
        foreach (var environment in Environments)
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

        return new UsageReading(now, counters);
    }

    // Whole seconds weighted by how busy their hour is: a counter that only grows, whenever it is read.
    private static long BusySeconds(long seconds)
    {
        var (days, rest) = Math.DivRem(seconds, 86_400);
        var (hour, within) = Math.DivRem(rest, 3_600);
        return (days * 3_600 * Day.Sum()) + (3_600 * Day.Take((int)hour).Sum()) + (within * Day[hour]);
    }

    private string[] Environments => size > 3 ? ["production", "staging"] : ["production"];

    private string Version => seed % 4 == 0 ? "1.338.2" : "1.339.0";

    private NodeHealth NodeNow(int number, DateTimeOffset now, TimeSpan? clockOffset)
    {
        var down = mood == Mood.NodeDown && number == size;
        var filling = mood == Mood.DiskFilling && number == 1 ? Math.Min(0.99, 0.82 + (0.005 * readings)) : 0.3 + (random.NextDouble() * 0.05);
        const long Disk = 2L << 40;
        return new NodeHealth
        {
            Id = $"node-{number}",
            Role = "server",
            State = down ? "down" : "running",
            Master = number == 1,
            Version = Version,
            Os = OsName,
            Cores = Cores,
            CpuPercent = 15 + (random.NextDouble() * 30),
            MemoryTotalBytes = Memory,
            MemoryUsedBytes = (long)(Memory * (0.4 + (random.NextDouble() * 0.2))),
            ClockOffsetMs = -(clockOffset?.TotalMilliseconds ?? 0) + (random.NextDouble() * 20),
            UptimeS = 86_400 * 12,
            StartedAtMs = now.AddDays(-12).ToUnixTimeMilliseconds(),
            Disks = { new Disk { Mount = "/data", Purpose = "data", TotalBytes = Disk, UsedBytes = (long)(Disk * filling), InodesUsedPercent = 4, ReadOnly = false, Encrypted = true } },
        };
    }
}
