using MissionControl.Contracts.Api.Fleet;

namespace MissionControl.Fleet.Health;

/// <summary>How well something is; a higher value is worse, and unknown is never taken for green.</summary>
internal enum HealthStatus
{
    Green,
    Unknown,
    Yellow,
    Red,
}

/// <summary>A health rule as data: what is compared with what, what follows from it, and what to do.</summary>
/// <param name="Id">Stable id.</param>
/// <param name="Version">Rises with every change of thresholds or words.</param>
/// <param name="Signal">What is measured.</param>
/// <param name="Unit">Unit of value and thresholds.</param>
/// <param name="Warning">Yellow from here.</param>
/// <param name="Critical">Red from here.</param>
/// <param name="FallingIsBad">True when lower values are worse.</param>
/// <param name="Impact">What it leads to.</param>
/// <param name="Cause">The usual cause.</param>
/// <param name="Action">What to do.</param>
internal sealed record Rule(string Id, int Version, string Signal, string Unit, double? Warning, double? Critical, bool FallingIsBad, string Impact, string Cause, string Action)
{
    /// <summary>Judges a value; null is unknown.</summary>
    public HealthIndicator Judge(double? value, string symptom, string? resource = null)
    {
        var id = resource is null ? Id : $"{Id}:{resource}";
        if (value is not { } known || double.IsNaN(known))
        {
            return new HealthIndicator(id, Version, Word(HealthStatus.Unknown), $"{Signal} is not reported{(resource is null ? "" : $" for {resource}")}.", null, null, null);
        }

        var status = Reaches(known, Critical) ? HealthStatus.Red : Reaches(known, Warning) ? HealthStatus.Yellow : HealthStatus.Green;
        var evidence = new HealthEvidence(Signal, Math.Round(known, 3), Warning, Critical, Unit);
        return status == HealthStatus.Green
            ? new HealthIndicator(id, Version, Word(status), symptom, null, null, evidence)
            : new HealthIndicator(id, Version, Word(status), symptom, Impact, new HealthDiagnosis(Cause, Action), evidence);
    }

    public static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();

    private bool Reaches(double value, double? threshold) => threshold is { } limit && (FallingIsBad ? value <= limit : value >= limit);
}

/// <summary>The rules in force.</summary>
internal static class Rules
{
    public static readonly Rule Quorum = new("quorum-tolerance", 1, "Spare voters", "voters", 0, -1, true,
        "The next failing node stops the cluster, or it has stopped already.", "Nodes of the quorum are down.", "Bring the failed nodes back before anything else is restarted.");

    public static readonly Rule NodeDown = new("node-down", 1, "Nodes not running", "nodes", 1, null, false,
        "Load moves to the other nodes and redundancy is lost.", "The node was stopped, crashed, or is cut off.", "Look at the node's own log and start it again.");

    public static readonly Rule DiskFree = new("disk-free", 1, "Free space", "%", 20, 10, true,
        "When the disk is full, data is cut short or writing stops.", "Data grows faster than it is removed.", "Enlarge the disk, add a node, or shorten retention.");

    public static readonly Rule DiskReadOnly = new("disk-read-only", 1, "Read-only", "", null, 1, false,
        "Nothing can be stored on this disk.", "The file system met an error and protected itself.", "Check the disk and the kernel log, then remount it.");

    public static readonly Rule Inodes = new("inodes-free", 1, "Free inodes", "%", 10, 5, true,
        "No new files can be made although space is left.", "Very many small files.", "Remove old files or make the file system anew with more inodes.");

    public static readonly Rule Cpu = new("cpu", 1, "CPU", "%", 80, 95, false,
        "Answers get slow and data may be dropped.", "More load than the hardware was sized for.", "Add cores or a node, or reduce the load.");

    public static readonly Rule Memory = new("memory", 1, "Memory used", "%", 85, 95, false,
        "The operating system may end processes.", "More load than the hardware was sized for.", "Add memory or a node.");

    public static readonly Rule Heap = new("heap", 1, "Heap after collection", "%", 85, 95, false,
        "The server spends its time collecting garbage.", "The heap is too small for the load.", "Enlarge the heap or add a node.");

    public static readonly Rule BackupAge = new("backup-age", 1, "Backup age against its schedule", "times", 1.5, 3, false,
        "After a disaster everything since the last backup is lost.", "The backup failed or its target is out of reach.", "Look at the last backup's error and run one by hand.");

    public static readonly Rule Certificate = new("certificate-expiry", 1, "Certificate valid for", "days", 30, 7, true,
        "After expiry nobody can connect.", "Nobody renewed the certificate.", "Renew it and restart what uses it.");

    public static readonly Rule VersionSkew = new("version-skew", 1, "Versions among the nodes", "versions", 2, null, false,
        "Nodes of different versions are supported only while an update runs.", "An update did not finish.", "Finish the update on the remaining nodes.");

    public static readonly Rule Clock = new("clock-offset", 1, "Clock offset", "s", 1, 60, false,
        "Credentials fail and measurements fall into the wrong hour.", "Time synchronisation does not run.", "Set up NTP or chrony on the node.");

    public static readonly Rule CallHome = new("call-home", 1, "Failed check-ins in 15 min", "%", 20, 90, false,
        "The vendor cannot see when something goes wrong here.", "The proxy or the network refuses connections.", "Run mc-agent check-connection on the node.");

    public static readonly Rule SpoolDropsUsage = new("spool-drops-usage", 1, "Usage dropped", "", null, 1, false,
        "Usage of whole hours is lost.", "The disk of the agent is full.", "Make space for the agent's spool.");

    public static readonly Rule Encryption = new("disk-encryption", 1, "Not encrypted", "", null, null, false,
        "Whoever takes the disk reads the data.", "Encryption at rest is the operator's to set up.", "Set up disk encryption on the node.");

    public static readonly Rule Clone = new("clone-suspected", 1, "Senders with this identity", "", null, 1, false,
        "Usage waits in quarantine.", "The machine was copied or restored while the original runs.", "Stop the copy, then confirm the true epoch.");
}
