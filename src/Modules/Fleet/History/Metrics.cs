using MissionControl.Fleet.Health;

namespace MissionControl.Fleet.History;

/// <summary>What there is to chart. A name alone is the cluster's own value or the worst of its nodes; with a colon and a node, that node's or the worst of its disks; with the disk behind the node, that disk's.</summary>
internal static class Metrics
{
    /// <summary>What is answered when nothing is named.</summary>
    public static readonly string[] Default = ["health", "nodes-up", "cpu", "memory", "disk"];

    /// <summary>Every metric with its unit.</summary>
    public static readonly IReadOnlyDictionary<string, string> Units = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["health"] = "0 green, 1 yellow, 2 red",
        ["nodes-up"] = "nodes",
        ["nodes-all"] = "nodes",
        ["spool-items"] = "items",
        ["replication-lag"] = "s",
        ["cpu"] = "%",
        ["memory"] = "%",
        ["heap"] = "%",
        ["disk"] = "%",
        ["inodes"] = "%",
        ["load"] = "processes",
        ["clock"] = "ms",
    };

    /// <summary>The unit; null when there is no such metric.</summary>
    public static string? UnitOf(string name) => name.Length <= 300 ? Units.GetValueOrDefault(name.Split(':', 2)[0]) : null;

    /// <summary>The thresholds of the rule that judges it, in the metric's own unit.</summary>
    public static (double? Warning, double? Critical) ThresholdsOf(string name) => name.Split(':', 2)[0] switch
    {
        "cpu" => (Rules.Cpu.Warning, Rules.Cpu.Critical),
        "memory" => (Rules.Memory.Warning, Rules.Memory.Critical),
        "heap" => (Rules.Heap.Warning, Rules.Heap.Critical),
        "disk" => (100 - Rules.DiskFree.Warning, 100 - Rules.DiskFree.Critical),
        "inodes" => (null, 100 - Rules.Inodes.Critical),
        "clock" => (Rules.Clock.Warning * 1000, Rules.Clock.Critical * 1000),
        _ => (null, null),
    };
}
