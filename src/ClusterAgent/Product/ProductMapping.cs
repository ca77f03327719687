using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Product;

/// <summary>What the product says, in the protocol's words.</summary>
internal static class ProductMapping
{
    /// <summary>A node; what the product leaves out of the agent's own machine comes from the machine.</summary>
    /// <param name="node">As the product says.</param>
    /// <param name="own">The agent's machine, when the node is that.</param>
    /// <param name="readable">False: only what cannot have changed is told, and the state is unknown.</param>
    public static NodeHealth Node(ProductNode node, NodeHealth? own, bool readable)
    {
        var health = own?.Clone() ?? new NodeHealth();
        health.Id = node.Id;
        health.Role = node.Role;
        health.State = readable && node.State is ("running" or "starting" or "stopping" or "down") ? node.State : "unknown";
        health.Version = node.Version;
        health.Os = node.Os.Length > 0 ? node.Os : health.Os;
        Set(node.Cores, value => health.Cores = value);
        Set(node.MemoryTotalBytes, value => health.MemoryTotalBytes = value);
        if (!readable)
        {
            return health;
        }

        Set(node.Master, value => health.Master = value);
        Set(node.StartedAt, value => health.StartedAtMs = value.ToUnixTimeMilliseconds());
        Set(node.CpuPercent, value => health.CpuPercent = value);
        Set(node.MemoryUsedBytes, value => health.MemoryUsedBytes = value);
        Set(node.HeapUsedPercent, value => health.HeapUsedPercent = value);
        Set(node.GcPausePercent, value => health.GcPausePercent = value);
        if (node.Disks is { } disks)
        {
            health.Disks.Clear();
            health.Disks.AddRange(disks.Select(Disk));
        }

        return health;
    }

    public static Backup Backup(ProductBackup backup)
    {
        var told = new Backup { Location = backup.Location };
        Set(backup.LastSuccess, value => told.LastSuccessMs = value.ToUnixTimeMilliseconds());
        Set(backup.ScheduleSeconds, value => told.ScheduleS = value);
        Set(backup.SizeBytes, value => told.SizeBytes = value);
        return told;
    }

    private static Disk Disk(ProductDisk disk)
    {
        var told = new Disk { Mount = disk.Mount, Purpose = disk.Purpose };
        Set(disk.TotalBytes, value => told.TotalBytes = value);
        Set(disk.UsedBytes, value => told.UsedBytes = value);
        Set(disk.InodesUsedPercent, value => told.InodesUsedPercent = value);
        Set(disk.ReadOnly, value => told.ReadOnly = value);
        Set(disk.Encrypted, value => told.Encrypted = value);
        return told;
    }

    private static void Set<T>(T? value, Action<T> set)
        where T : struct
    {
        if (value is { } known)
        {
            set(known);
        }
    }
}
