using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using MissionControl.Protocol.CallHome;
using Environment = System.Environment;

namespace MissionControl.ClusterAgent.Machine;

/// <summary>
/// Reads the machine from /proc and the mounted file systems. Host names never leave it: the node's id is a keyed digest of the
/// machine id, stable and meaningless elsewhere.
/// </summary>
public sealed class LinuxMachine(TimeProvider time, string name) : IHealthSource
{
    private static readonly string[] RealFileSystems = ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs"];
    private long lastBusy;
    private long lastTotal;

    /// <inheritdoc />
    public Facts Facts() => new()
    {
        Name = name,
        AgentVersion = Version,
        ProductVersion = "",
        TimeZone = TimeZoneInfo.Local.Id,
        Os = RuntimeInformation.OSDescription,
        Capabilities = { "health" },
        InstallFingerprint = Google.Protobuf.ByteString.CopyFrom(SHA256.HashData(Encoding.UTF8.GetBytes($"mc-install-v1\n{MachineId()}"))),
    };

    /// <inheritdoc />
    public Health Read(int intervalSeconds)
    {
        var now = time.GetUtcNow();
        var node = new NodeHealth { Id = NodeId(), Role = "server", State = "running", Version = Version, Os = RuntimeInformation.OSDescription, Cores = Environment.ProcessorCount };
        if (Cpu() is { } cpu)
        {
            node.CpuPercent = cpu;
        }

        Memory(node);
        if (Numbers("/proc/loadavg") is [var load, ..])
        {
            node.Load1 = load;
        }

        if (Numbers("/proc/uptime") is [var uptime, ..])
        {
            node.UptimeS = (long)uptime;
            node.StartedAtMs = now.AddSeconds(-uptime).ToUnixTimeMilliseconds();
        }

        node.Disks.AddRange(Disks());
        return new Health { IntervalS = intervalSeconds, ExpectedNodes = 1, Nodes = { node } };
    }

    /// <summary>Version of this agent.</summary>
    public static string Version { get; } = typeof(LinuxMachine).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    private static string NodeId() => "node-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"mc-node-v1\n{MachineId()}"))[..6]);

    private static string MachineId() => File.Exists("/etc/machine-id") ? File.ReadAllText("/etc/machine-id").Trim() : Environment.MachineName;

    private double? Cpu()
    {
        if (!File.Exists("/proc/stat"))
        {
            return null;
        }

        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(long.Parse).ToArray();
        var total = fields.Take(8).Sum();
        var busy = total - fields[3] - fields[4];
        var (busyBefore, totalBefore) = (lastBusy, lastTotal);
        (lastBusy, lastTotal) = (busy, total);

        // The first reading has nothing to compare with: unknown, not zero.
        return totalBefore == 0 || total <= totalBefore ? null : Math.Clamp(100.0 * (busy - busyBefore) / (total - totalBefore), 0, 100);
    }

    private static void Memory(NodeHealth node)
    {
        if (!File.Exists("/proc/meminfo"))
        {
            return;
        }

        var values = File.ReadLines("/proc/meminfo").Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => long.TryParse(parts[1].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : 0, StringComparer.Ordinal);
        if (values.TryGetValue("MemTotal", out var total) && values.TryGetValue("MemAvailable", out var available))
        {
            node.MemoryTotalBytes = total;
            node.MemoryUsedBytes = total - available;
        }
    }

    private static IEnumerable<Disk> Disks()
    {
        foreach (var drive in DriveInfo.GetDrives())
        {
            if (!drive.IsReady || !RealFileSystems.Contains(drive.DriveFormat))
            {
                continue;
            }

            yield return new Disk
            {
                Mount = drive.RootDirectory.FullName,
                Purpose = drive.RootDirectory.FullName == "/" ? "system" : "data",
                TotalBytes = drive.TotalSize,
                UsedBytes = drive.TotalSize - drive.TotalFreeSpace,
            };
        }
    }

    private static double[]? Numbers(string file) => File.Exists(file)
        ? [.. File.ReadAllText(file).Split(' ').Select(word => double.TryParse(word, CultureInfo.InvariantCulture, out var number) ? number : double.NaN)]
        : null;
}
