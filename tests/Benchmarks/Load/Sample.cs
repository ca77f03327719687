using System.Buffers.Binary;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Benchmarks.Load;

/// <summary>What a cluster of three nodes says of itself: ten measured values for each node.</summary>
internal static class Sample
{
    /// <summary>The same cluster always says the same.</summary>
    public static byte[] Bytes(Guid cluster) => Health((int)BinaryPrimitives.ReadUInt32LittleEndian(cluster.ToByteArray().AsSpan(12))).ToByteArray();

    private static Health Health(int seed)
    {
        var random = new Random(seed);
        var health = new Health
        {
            IntervalS = 60,
            ExpectedNodes = 3,
            QuorumSpare = 1,
            Backup = new Backup { ScheduleS = 86_400, LastSuccessMs = TimeProvider.System.GetUtcNow().AddHours(-5).ToUnixTimeMilliseconds(), SizeBytes = 1L << 38, Location = "nfs" },
            Certificates = { new Certificate { Purpose = "cluster", Issuer = "Example CA", NotAfterMs = TimeProvider.System.GetUtcNow().AddDays(200).ToUnixTimeMilliseconds() } },
        };
        for (var i = 1; i <= 3; i++)
        {
            health.Nodes.Add(new NodeHealth
            {
                Id = $"node-{i}",
                Role = "server",
                State = "running",
                Master = i == 1,
                Version = "1.339.0",
                Os = "Linux",
                Cores = 16,
                CpuPercent = 15 + (random.NextDouble() * 30),
                MemoryTotalBytes = 64L << 30,
                MemoryUsedBytes = (long)((64L << 30) * (0.4 + (random.NextDouble() * 0.2))),
                Load1 = random.NextDouble() * 8,
                ClockOffsetMs = random.NextDouble() * 20,
                HeapUsedPercent = 40 + (random.NextDouble() * 20),
                GcPausePercent = random.NextDouble(),
                UptimeS = 86_400 * 12,
                Disks = { new Disk { Mount = "/data", Purpose = "data", TotalBytes = 2L << 40, UsedBytes = (long)((2L << 40) * (0.3 + (random.NextDouble() * 0.3))), InodesUsedPercent = 4, ReadOnly = false, Encrypted = true } },
            });
        }

        return health;
    }
}
