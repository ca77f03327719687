using System.Globalization;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using Wire = MissionControl.Protocol.CallHome.Health;

namespace MissionControl.Fleet.Health;

/// <summary>Judges what a cluster said of itself by the rules; a pure function of message and instant.</summary>
internal static class Evaluate
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    public static IReadOnlyList<HealthIndicator> Indicators(Wire health, DateTimeOffset now, bool cloneSuspected)
    {
        var found = new List<HealthIndicator>();
        var down = health.Nodes.Where(node => node.State is "down" or "stopping").Select(node => node.Id).ToList();
        var missing = health.HasExpectedNodes ? Math.Max(0, health.ExpectedNodes - health.Nodes.Count) : 0;
        found.Add(Rules.Quorum.Judge(health.HasQuorumSpare ? health.QuorumSpare : null, $"{(health.HasQuorumSpare ? health.QuorumSpare : 0)} voters may still fail."));
        found.Add(Rules.NodeDown.Judge(health.Nodes.Count == 0 ? null : down.Count + missing,
            down.Count + missing == 0 ? $"All {health.Nodes.Count} nodes run." : $"{down.Count + missing} of {health.Nodes.Count + missing} nodes are not running{(down.Count > 0 ? ": " + string.Join(", ", down) : "")}."));
        foreach (var node in health.Nodes)
        {
            Node(found, node);
        }

        found.Add(Backup(health.Backup, now));
        foreach (var certificate in health.Certificates)
        {
            var days = (DateTimeOffset.FromUnixTimeMilliseconds(certificate.NotAfterMs) - now).TotalDays;
            found.Add(Rules.Certificate.Judge(days, string.Create(Invariant, $"The {certificate.Purpose} certificate is valid for {days:0} more days."), certificate.Purpose));
        }

        var versions = health.Nodes.Where(node => node.Version.Length > 0 && node.Role is not "gateway").Select(node => node.Version).Distinct(StringComparer.Ordinal).ToList();
        found.Add(Rules.VersionSkew.Judge(versions.Count == 0 ? null : versions.Count, versions.Count <= 1 ? "All nodes have one version." : $"Nodes have versions {string.Join(", ", versions)}."));
        var failed = health.CallHome is { HasFailedPercent15M: true } ? health.CallHome.FailedPercent15M : (double?)null;
        found.Add(Rules.CallHome.Judge(failed, string.Create(Invariant, $"{failed ?? 0:0} % of check-ins failed in the last 15 min.")));
        if (health.CallHome is { HasSpoolDroppingUsage: true } callHome)
        {
            found.Add(Rules.SpoolDropsUsage.Judge(callHome.SpoolDroppingUsage ? 1 : 0, callHome.SpoolDroppingUsage ? "The agent drops usage." : "No usage is dropped."));
        }

        if (cloneSuspected)
        {
            found.Add(Rules.Clone.Judge(1, "Two senders speak as this cluster."));
        }

        return found;
    }

    /// <summary>
    /// The worst of what is known. Green needs at least one rule that said so: a cluster of which nothing is known is unknown, and a
    /// rule without its signal does not colour the others.
    /// </summary>
    public static HealthStatus Overall(IReadOnlyList<HealthIndicator> indicators)
    {
        var statuses = indicators.Select(indicator => Enum.Parse<HealthStatus>(indicator.Status, ignoreCase: true)).ToList();
        return statuses.Contains(HealthStatus.Red) ? HealthStatus.Red
            : statuses.Contains(HealthStatus.Yellow) ? HealthStatus.Yellow
            : statuses.Contains(HealthStatus.Green) ? HealthStatus.Green : HealthStatus.Unknown;
    }

    /// <summary>The sentence that leads: of the worst status, the first.</summary>
    public static string? WorstReason(IReadOnlyList<HealthIndicator> indicators) =>
        (indicators.FirstOrDefault(indicator => indicator.Status == "red") ?? indicators.FirstOrDefault(indicator => indicator.Status == "yellow"))?.Symptom;

    private static void Node(List<HealthIndicator> found, NodeHealth node)
    {
        // A node that is down says nothing of its load; it is one finding, not ten.
        if (node.State is "down")
        {
            return;
        }

        found.Add(Rules.Cpu.Judge(node.HasCpuPercent ? node.CpuPercent : null, string.Create(Invariant, $"CPU of {node.Id} is at {node.CpuPercent:0} %."), node.Id));
        var memory = node is { HasMemoryUsedBytes: true, HasMemoryTotalBytes: true, MemoryTotalBytes: > 0 } ? 100.0 * node.MemoryUsedBytes / node.MemoryTotalBytes : (double?)null;
        found.Add(Rules.Memory.Judge(memory, string.Create(Invariant, $"Memory of {node.Id} is at {memory ?? 0:0} %."), node.Id));
        if (node.HasHeapUsedPercent)
        {
            found.Add(Rules.Heap.Judge(node.HeapUsedPercent, string.Create(Invariant, $"Heap of {node.Id} is at {node.HeapUsedPercent:0} % after collection."), node.Id));
        }

        if (node.HasClockOffsetMs)
        {
            var seconds = Math.Abs(node.ClockOffsetMs) / 1000;
            found.Add(Rules.Clock.Judge(seconds, string.Create(Invariant, $"The clock of {node.Id} is {seconds:0.###} s off."), node.Id));
        }

        foreach (var disk in node.Disks)
        {
            var name = $"{node.Id}{disk.Mount}";
            var free = disk is { HasTotalBytes: true, HasUsedBytes: true, TotalBytes: > 0 } ? 100.0 * (disk.TotalBytes - disk.UsedBytes) / disk.TotalBytes : (double?)null;
            found.Add(Rules.DiskFree.Judge(free, string.Create(Invariant, $"Disk {disk.Mount} of {node.Id} has {free ?? 0:0} % free."), name));
            if (disk.HasReadOnly)
            {
                found.Add(Rules.DiskReadOnly.Judge(disk.ReadOnly ? 1 : 0, disk.ReadOnly ? $"Disk {disk.Mount} of {node.Id} is read-only." : $"Disk {disk.Mount} of {node.Id} can be written.", name));
            }

            if (disk.HasInodesUsedPercent)
            {
                found.Add(Rules.Inodes.Judge(100 - disk.InodesUsedPercent, string.Create(Invariant, $"Disk {disk.Mount} of {node.Id} has {100 - disk.InodesUsedPercent:0} % of its inodes free."), name));
            }

            if (disk.HasEncrypted)
            {
                found.Add(Rules.Encryption.Judge(disk.Encrypted ? 0 : 1, disk.Encrypted ? $"Disk {disk.Mount} of {node.Id} is encrypted." : $"Disk {disk.Mount} of {node.Id} is not encrypted.", name));
            }
        }
    }

    private static HealthIndicator Backup(Backup? backup, DateTimeOffset now)
    {
        if (backup is not { HasScheduleS: true, ScheduleS: > 0 })
        {
            return Rules.BackupAge.Judge(null, "");
        }

        if (!backup.HasLastSuccessMs)
        {
            return Rules.BackupAge.Judge(double.MaxValue, "No backup has ever succeeded.");
        }

        var age = now - DateTimeOffset.FromUnixTimeMilliseconds(backup.LastSuccessMs);
        return Rules.BackupAge.Judge(age.TotalSeconds / backup.ScheduleS, string.Create(Invariant, $"The last backup is {age.TotalHours:0.#} h old (planned every {backup.ScheduleS / 3600.0:0.#} h)."));
    }
}
