using MissionControl.ClusterAgent.Machine;
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
public sealed class SimulatedCluster(string name, Mood mood, int seed, TimeProvider time) : IHealthSource
{
    private readonly Random random = new(seed);
    private readonly int size = 1 + (2 * new Random(seed).Next(5));
    private int readings;

    /// <inheritdoc />
    public Facts Facts() => new() { Name = name, AgentVersion = LinuxMachine.Version, ProductVersion = Version, TimeZone = "Etc/UTC", Os = "Linux (simulated)", Capabilities = { "health" } };

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
