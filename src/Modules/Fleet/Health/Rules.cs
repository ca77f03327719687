namespace MissionControl.Fleet.Health;

/// <summary>The rules in force. Their numbers in the order of the page of health rules; thresholds and words change together with the version.</summary>
internal static class Rules
{
    public static readonly Rule Heartbeat = new("heartbeat", 1, "Silence", "min", 10, 60, false,
        "The cluster calls home.", "Nothing has been heard of the cluster for {0:0} min.",
        "Nobody sees what goes wrong there.", "The cluster, its agent or its way to the internet is down.", "Ask the customer; mc-agent check-connection says which hop fails.")
    { IsOurs = true, Colours = false };

    public static readonly Rule Quorum = new("quorum-tolerance", 1, "Spare voters", "voters", 0, -1, true,
        "{0:0} voters may still fail.", "No voter may fail any more ({0:0} spare).",
        "The next failing node stops the cluster, or it has stopped already.", "Nodes of the quorum are down.", "Bring the failed nodes back before anything else is restarted.");

    public static readonly Rule NodeDown = new("node-down", 2, "Nodes not running", "nodes", 1, null, false,
        "All nodes run.", "{3}",
        "Load moves to the other nodes and redundancy is lost.", "The node was stopped, crashed, or is cut off.", "Look at the node's own log and start it again.")
    { WarningFor = TimeSpan.FromMinutes(5), RestsInMaintenance = true };

    public static readonly Rule NodeDownWithoutSpare = new("node-down-without-spare", 1, "Nodes not running while no voter is spare", "nodes", null, 1, false,
        "The quorum does not hang on a node that is down.", "{3} No further voter may fail.",
        "The next failing node stops the cluster.", "Several nodes went down together, or the first was not brought back.", "Start the nodes again at once; restart nothing that runs.")
    { CriticalFor = TimeSpan.FromMinutes(5) };

    public static readonly Rule DiskFree = new("disk-free", 2, "Free space", "%", 20, 10, true,
        "Disk {2} of {1} has {0:0} % free.", "Disk {2} of {1} has {0:0} % free.",
        "When the disk is full, data is cut short or writing stops.", "Data grows faster than it is removed.", "Enlarge the disk, add a node, or shorten retention.")
    { WarningFor = TimeSpan.FromMinutes(30), CriticalFor = TimeSpan.FromMinutes(30), Margin = 1 };

    public static readonly Rule DiskReadOnly = new("disk-read-only", 1, "Read-only", "", null, 1, false,
        "Disk {2} of {1} can be written.", "Disk {2} of {1} is read-only.",
        "Nothing can be stored on this disk.", "The file system met an error and protected itself.", "Check the disk and the kernel log, then remount it.");

    public static readonly Rule Inodes = new("inodes-free", 2, "Free inodes", "%", null, 10, true,
        "Disk {2} of {1} has {0:0} % of its inodes free.", "Disk {2} of {1} has {0:0} % of its inodes free.",
        "No new files can be made although space is left.", "Very many small files.", "Remove old files or make the file system anew with more inodes.")
    { Margin = 1 };

    public static readonly Rule Cpu = new("cpu", 2, "CPU", "%", 80, 95, false,
        "CPU of {1} is at {0:0} %.", "CPU of {1} is at {0:0} %.",
        "Answers get slow and data may be dropped.", "More load than the hardware was sized for.", "Add cores or a node, or reduce the load.")
    { WarningFor = TimeSpan.FromHours(6), CriticalFor = TimeSpan.FromHours(1), Margin = 5 };

    public static readonly Rule Memory = new("memory", 2, "Memory used", "%", 85, 95, false,
        "Memory of {1} is at {0:0} %.", "Memory of {1} is at {0:0} %.",
        "The operating system may end processes.", "More load than the hardware was sized for.", "Add memory or a node.")
    { WarningFor = TimeSpan.FromHours(1), CriticalFor = TimeSpan.FromMinutes(15), Margin = 2 };

    public static readonly Rule Heap = new("heap", 2, "Heap after collection", "%", 85, 95, false,
        "Heap of {1} is at {0:0} % after collection.", "Heap of {1} is at {0:0} % after collection.",
        "The server spends its time collecting garbage.", "The heap is too small for the load.", "Enlarge the heap or add a node.")
    { WarningFor = TimeSpan.FromHours(1), CriticalFor = TimeSpan.FromMinutes(15), Margin = 2 };

    public static readonly Rule GcPause = new("gc-pause", 1, "Time spent in garbage collection", "%", null, 20, false,
        "{1} spends {0:0} % of its time in garbage collection.", "{1} spends {0:0} % of its time in garbage collection.",
        "Answers are delayed, and the node may be taken for dead.", "The heap is too small for the load.", "Enlarge the heap or add a node.")
    { CriticalFor = TimeSpan.FromMinutes(15), Margin = 2 };

    public static readonly Rule BackupAge = new("backup-age", 1, "Backup age against its schedule", "times", 1.5, 3, false,
        "{3}", "{3}",
        "After a disaster everything since the last backup is lost.", "The backup failed or its target is out of reach.", "Look at the last backup's error and run one by hand.");

    public static readonly Rule Certificate = new("certificate-expiry", 1, "Certificate valid for", "days", 30, 7, true,
        "The {2} certificate is valid for {0:0} more days.", "The {2} certificate is valid for {0:0} more days.",
        "After expiry nobody can connect.", "Nobody renewed the certificate.", "Renew it and restart what uses it.");

    public static readonly Rule VersionSkew = new("version-skew", 2, "Versions among the nodes", "versions", 2, 2, false,
        "All nodes have one version.", "Nodes have versions {3}.",
        "Nodes of different versions are supported only while an update runs.", "An update did not finish.", "Finish the update on the remaining nodes.")
    { WarningFor = TimeSpan.FromHours(1), CriticalFor = TimeSpan.FromHours(24), RestsInMaintenance = true };

    public static readonly Rule Clock = new("clock-offset", 1, "Clock offset", "s", 1, 60, false,
        "The clock of {1} is {0:0.###} s off.", "The clock of {1} is {0:0.###} s off.",
        "Credentials fail and measurements fall into the wrong hour.", "Time synchronisation does not run.", "Set up NTP or chrony on the node.");

    public static readonly Rule CallHome = new("call-home", 2, "Failed check-ins in 15 min", "%", 20, null, false,
        "{0:0} % of check-ins failed in the last 15 min.", "{0:0} % of check-ins failed in the last 15 min.",
        "The vendor cannot see when something goes wrong here.", "The proxy or the network refuses connections.", "Run mc-agent check-connection on the node.")
    { WarningFor = TimeSpan.FromHours(1) };

    public static readonly Rule SpoolDropsUsage = new("spool-drops-usage", 1, "Usage dropped", "", null, 1, false,
        "No usage is dropped.", "The agent drops usage.",
        "Usage of whole hours is lost.", "The disk of the agent is full.", "Make space for the agent's spool.");

    public static readonly Rule UsageGap = new("usage-gap", 1, "Since the last usage", "h", 6, 48, false,
        "The last usage came {0:0.#} h ago.", "No usage has come for {0:0} h.",
        "Hours are missing for billing.", "The agent cannot read the product's counters, or its spool is held up.", "Look at mc-agent status; the missing hours are listed in licensing/windows.")
    { IsOurs = true };

    public static readonly Rule Encryption = new("disk-encryption", 2, "Not encrypted", "", 1, null, false,
        "Disk {2} of {1} is encrypted.", "Disk {2} of {1} is not encrypted.",
        "Whoever takes the disk reads the data.", "Encryption at rest is the operator's to set up.", "Set up disk encryption on the node.")
    { Colours = false };

    public static readonly Rule Clone = new("clone-suspected", 1, "Senders with this identity", "", null, 1, false,
        "One sender speaks as this cluster.", "Two senders speak as this cluster.",
        "Usage waits in quarantine.", "The machine was copied or restored while the original runs.", "Stop the copy, then confirm the true epoch.")
    { IsOurs = true };

    /// <summary>All of them, by id.</summary>
    public static IReadOnlyDictionary<string, Rule> All => Registry.Rules;

    // A class of its own, so that every field above is there when it is listed.
    private static class Registry
    {
        public static readonly IReadOnlyDictionary<string, Rule> Rules = typeof(Rules)
            .GetFields(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Static)
            .Select(field => field.GetValue(null)).OfType<Rule>().ToDictionary(rule => rule.Id, StringComparer.Ordinal);
    }
}
