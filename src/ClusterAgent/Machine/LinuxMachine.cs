using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;
using Environment = System.Environment;

namespace MissionControl.ClusterAgent.Machine;

/// <summary>Reads the machine this process runs on from /proc and the mounted file systems. Nothing is masked yet.</summary>
public sealed class LinuxMachine(TimeProvider time)
{
    private long lastBusy;
    private long lastTotal;

    /// <summary>Version of this agent.</summary>
    public static string Version { get; } = typeof(LinuxMachine).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>What tells this machine from its copies: the machine id, or its name where it has none.</summary>
    public static string MachineId() => File.Exists("/etc/machine-id") && File.ReadAllText("/etc/machine-id").Trim() is { Length: > 0 } id ? id : Environment.MachineName;

    /// <summary>SHA-256 over install facts.</summary>
    public static ByteString Fingerprint() => ByteString.CopyFrom(SHA256.HashData(Encoding.UTF8.GetBytes($"mc-install-v1\n{MachineId()}")));

    /// <summary>The machine now.</summary>
    /// <param name="clockOffset">The server's clock less this machine's; null when it is not known yet.</param>
    public NodeHealth Read(TimeSpan? clockOffset)
    {
        var now = time.GetUtcNow();
        var node = new NodeHealth { Id = MachineId(), Role = "server", State = "running", Version = Version, Os = RuntimeInformation.OSDescription, Cores = Environment.ProcessorCount };
        if (Cpu() is { } cpu)
        {
            node.CpuPercent = cpu;
        }

        if (clockOffset is { } offset)
        {
            node.ClockOffsetMs = -offset.TotalMilliseconds;
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

        node.Disks.AddRange(FileSystems.Read());
        return node;
    }

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

        long? total = null, available = null;
        foreach (var line in File.ReadLines("/proc/meminfo"))
        {
            total ??= Kibibytes(line, "MemTotal:");
            available ??= Kibibytes(line, "MemAvailable:");
        }

        if (total is { } all && available is { } free)
        {
            node.MemoryTotalBytes = all;
            node.MemoryUsedBytes = all - free;
        }
    }

    private static long? Kibibytes(string line, string name) =>
        line.StartsWith(name, StringComparison.Ordinal) && long.TryParse(line.AsSpan(name.Length).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : null;

    private static double[]? Numbers(string file) => File.Exists(file)
        ? [.. File.ReadAllText(file).Split(' ').Select(word => double.TryParse(word, CultureInfo.InvariantCulture, out var number) ? number : double.NaN)]
        : null;
}
