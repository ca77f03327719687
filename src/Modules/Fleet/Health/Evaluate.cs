using System.Globalization;
using MissionControl.Protocol.CallHome;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Health;

/// <summary>Reads what a cluster said of itself into findings; a pure function of message and instant.</summary>
internal static class Evaluate
{
    /// <summary>Every rule that the message answers, and those that it leaves open.</summary>
    public static List<Finding> Findings(Wire health, DateTimeOffset now)
    {
        var found = new List<Finding>(8 + (health.Nodes.Count * 8));
        var down = health.Nodes.Count(IsDown) + (health.HasExpectedNodes ? Math.Max(0, health.ExpectedNodes - health.Nodes.Count) : 0);
        var detail = down == 0 ? null : DownDetail(health, down);
        found.Add(new Finding(Rules.Quorum, health.HasQuorumSpare ? health.QuorumSpare : null));
        found.Add(new Finding(Rules.NodeDown, health.Nodes.Count == 0 ? null : down, Detail: detail));
        if (health.HasQuorumSpare)
        {
            found.Add(new Finding(Rules.NodeDownWithoutSpare, health.QuorumSpare <= 0 ? down : 0, Detail: detail));
        }

        foreach (var node in health.Nodes)
        {
            Node(found, node);
        }

        found.Add(Backup(health.Backup, now));
        foreach (var certificate in health.Certificates)
        {
            found.Add(new Finding(Rules.Certificate, (certificate.NotAfterMs - now.ToUnixTimeMilliseconds()) / 86_400_000.0, Part: certificate.Purpose));
        }

        found.Add(Skew(health));
        found.Add(new Finding(Rules.CallHome, health.CallHome is { HasFailedPercent15M: true } ? health.CallHome.FailedPercent15M : null));
        if (health.CallHome is { HasSpoolDroppingUsage: true } callHome)
        {
            found.Add(new Finding(Rules.SpoolDropsUsage, callHome.SpoolDroppingUsage ? 1 : 0));
        }

        return found;
    }

    /// <summary>When a judgement changes by itself, because time passes; null when it does not.</summary>
    public static DateTimeOffset? NextChange(Wire health, DateTimeOffset? usageFrom, DateTimeOffset now)
    {
        DateTimeOffset? next = null;
        void At(double unixMs)
        {
            // Beyond the calendar, or past already: nothing to wait for.
            if (unixMs > now.ToUnixTimeMilliseconds() && unixMs < 253_402_300_799_000 && (next is null || unixMs < next.Value.ToUnixTimeMilliseconds()))
            {
                next = DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Ceiling(unixMs));
            }
        }

        if (health.Backup is { HasScheduleS: true, ScheduleS: > 0, HasLastSuccessMs: true } backup)
        {
            At(backup.LastSuccessMs + (Rules.BackupAge.Warning!.Value * 1000 * backup.ScheduleS));
            At(backup.LastSuccessMs + (Rules.BackupAge.Critical!.Value * 1000 * backup.ScheduleS));
        }

        foreach (var certificate in health.Certificates)
        {
            At(certificate.NotAfterMs - (Rules.Certificate.Warning!.Value * 86_400_000));
            At(certificate.NotAfterMs - (Rules.Certificate.Critical!.Value * 86_400_000));
        }

        if (usageFrom is { } usage)
        {
            At(usage.AddHours(Rules.UsageGap.Warning!.Value).ToUnixTimeMilliseconds());
            At(usage.AddHours(Rules.UsageGap.Critical!.Value).ToUnixTimeMilliseconds());
        }

        return next;
    }

    private static bool IsDown(NodeHealth node) => node.State is "down" or "stopping";

    private static string DownDetail(Wire health, int down)
    {
        var names = string.Join(", ", health.Nodes.Where(IsDown).Take(5).Select(node => node.Id));
        return string.Create(CultureInfo.InvariantCulture, $"{down} of {Math.Max(health.Nodes.Count, health.HasExpectedNodes ? health.ExpectedNodes : 0)} nodes are not running{(names.Length > 0 ? ": " + names : "")}.");
    }

    private static void Node(List<Finding> found, NodeHealth node)
    {
        // A node that is down says nothing of its load; it is one finding, not ten.
        if (node.State is "down")
        {
            return;
        }

        found.Add(new Finding(Rules.Cpu, node.HasCpuPercent ? node.CpuPercent : null, node.Id));
        found.Add(new Finding(Rules.Memory, node is { HasMemoryUsedBytes: true, HasMemoryTotalBytes: true, MemoryTotalBytes: > 0 } ? 100.0 * node.MemoryUsedBytes / node.MemoryTotalBytes : null, node.Id));
        if (node.HasHeapUsedPercent)
        {
            found.Add(new Finding(Rules.Heap, node.HeapUsedPercent, node.Id));
        }

        if (node.HasGcPausePercent)
        {
            found.Add(new Finding(Rules.GcPause, node.GcPausePercent, node.Id));
        }

        if (node.HasClockOffsetMs)
        {
            found.Add(new Finding(Rules.Clock, Math.Abs(node.ClockOffsetMs) / 1000, node.Id));
        }

        foreach (var disk in node.Disks)
        {
            found.Add(new Finding(Rules.DiskFree, disk is { HasTotalBytes: true, HasUsedBytes: true, TotalBytes: > 0 } ? 100.0 * (disk.TotalBytes - disk.UsedBytes) / disk.TotalBytes : null, node.Id, disk.Mount));
            if (disk.HasReadOnly)
            {
                found.Add(new Finding(Rules.DiskReadOnly, disk.ReadOnly ? 1 : 0, node.Id, disk.Mount));
            }

            if (disk.HasInodesUsedPercent)
            {
                found.Add(new Finding(Rules.Inodes, 100 - disk.InodesUsedPercent, node.Id, disk.Mount));
            }

            found.Add(new Finding(Rules.Encryption, disk.HasEncrypted ? disk.Encrypted ? 0 : 1 : null, node.Id, disk.Mount));
        }
    }

    private static Finding Backup(Backup? backup, DateTimeOffset now)
    {
        if (backup is not { HasScheduleS: true, ScheduleS: > 0 })
        {
            return new Finding(Rules.BackupAge, null);
        }

        // Never: older than any schedule allows, and still a number.
        if (!backup.HasLastSuccessMs)
        {
            return new Finding(Rules.BackupAge, 1_000_000, Detail: "No backup has ever succeeded.");
        }

        var age = Math.Max(0, (now.ToUnixTimeMilliseconds() - backup.LastSuccessMs) / 1000.0);
        return new Finding(Rules.BackupAge, age / backup.ScheduleS,
            Detail: string.Create(CultureInfo.InvariantCulture, $"The last backup is {age / 3600:0} h old (planned every {backup.ScheduleS / 3600.0:0.#} h)."));
    }

    private static Finding Skew(Wire health)
    {
        HashSet<string>? versions = null;
        string? first = null;
        foreach (var node in health.Nodes)
        {
            if (node.Version.Length == 0 || node.Role is "gateway")
            {
                continue;
            }

            first ??= node.Version;
            if (!string.Equals(node.Version, first, StringComparison.Ordinal))
            {
                (versions ??= new(StringComparer.Ordinal) { first }).Add(node.Version);
            }
        }

        return new Finding(Rules.VersionSkew, first is null ? null : versions?.Count ?? 1, Detail: versions is null ? null : string.Join(", ", versions.Take(5)));
    }
}
