namespace MissionControl.Contracts.Api.Fleet;

/// <summary>A cluster in the fleet list.</summary>
/// <param name="Id">The cluster.</param>
/// <param name="Name">Its name.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="CustomerName">Its customer's name.</param>
/// <param name="State">active, suspended or decommissioned, as callhome says.</param>
/// <param name="CloneSuspected">Two senders speak as this cluster.</param>
/// <param name="Liveness">online, late, missing, lost, dormant, or never: enrolled and not heard of yet.</param>
/// <param name="LivenessSince">Since when (UTC).</param>
/// <param name="Health">green, yellow, red or unknown; the last known one.</param>
/// <param name="Stale">True when nothing confirms <paramref name="Health"/> any longer; it must not look fresh.</param>
/// <param name="WorstReason">The worst indicator in words; null when nothing is wrong.</param>
/// <param name="Version">Product version.</param>
/// <param name="NodesUp">Nodes that run.</param>
/// <param name="NodesAll">Nodes that should.</param>
/// <param name="LastContact">When it was last heard of (UTC).</param>
/// <param name="ExpectedEverySeconds">The interval last handed out.</param>
/// <param name="EnrolledAt">When it enrolled (UTC).</param>
/// <param name="HealthSince">Since when its health is so (UTC); null when nothing is known.</param>
/// <param name="Region">Its customer's region.</param>
/// <param name="AgentVersion">Version of its agent; empty until an inventory has come.</param>
/// <param name="WorstDiskPercent">How full its fullest disk is, 0 to 100; null when no disk was reported.</param>
/// <param name="LastBackup">When its last backup succeeded (UTC); null when none did or none was reported.</param>
/// <param name="CertificateUntil">Until when the first of its certificates to expire is valid (UTC); null when none was reported.</param>
public sealed record ClusterSummary(
    Guid Id, string Name, Guid CustomerId, string CustomerName, string State, bool CloneSuspected, string Liveness, DateTimeOffset LivenessSince,
    string Health, bool Stale, string? WorstReason, string Version, int NodesUp, int NodesAll, DateTimeOffset? LastContact, int ExpectedEverySeconds,
    DateTimeOffset EnrolledAt, DateTimeOffset? HealthSince, string Region, string AgentVersion, double? WorstDiskPercent, DateTimeOffset? LastBackup, DateTimeOffset? CertificateUntil);

/// <summary>The fleet at a glance.</summary>
/// <param name="Total">Clusters that are not decommissioned.</param>
/// <param name="ByLiveness">Counts by liveness.</param>
/// <param name="ByHealth">Counts by health; unknown is never green.</param>
/// <param name="AsOf">When this was true (UTC).</param>
/// <param name="IntakeStalledSince">Set while intake delivers nothing: deadlines stand still and nobody is called late.</param>
/// <param name="Stale">Clusters whose health nothing confirms any longer.</param>
/// <param name="ByLivenessAndHealth">How many clusters are so and so at once; combinations that do not occur are left out.</param>
/// <param name="OpenIncidents">Incidents of our own side that are not over; 0 for a customer, to whom they are not told.</param>
public sealed record FleetSummary(
    long Total, IReadOnlyDictionary<string, long> ByLiveness, IReadOnlyDictionary<string, long> ByHealth, DateTimeOffset AsOf, DateTimeOffset? IntakeStalledSince,
    long Stale, IReadOnlyList<FleetCell> ByLivenessAndHealth, int OpenIncidents);

/// <summary>Clusters that share liveness and health.</summary>
/// <param name="Liveness">Their liveness.</param>
/// <param name="Health">Their health.</param>
/// <param name="Clusters">How many.</param>
public sealed record FleetCell(string Liveness, string Health, long Clusters);

/// <summary>What is known of a cluster's health, rule by rule, the green ones too.</summary>
/// <param name="Status">green, yellow, red or unknown: the worst known indicator.</param>
/// <param name="Stale">Nothing confirms it any longer.</param>
/// <param name="AsOf">When the cluster said so (UTC).</param>
/// <param name="Indicators">One per rule and resource.</param>
public sealed record HealthDocument(string Status, bool Stale, DateTimeOffset? AsOf, IReadOnlyList<HealthIndicator> Indicators);

/// <summary>One rule on one resource.</summary>
/// <param name="Id">Rule id, with the resource behind a colon where there are several.</param>
/// <param name="RuleVersion">Version of the rule.</param>
/// <param name="Status">green, yellow, red or unknown.</param>
/// <param name="Symptom">What is so, in a sentence.</param>
/// <param name="Impact">What it leads to; null when green.</param>
/// <param name="Diagnosis">Cause and what to do; null when green.</param>
/// <param name="Evidence">Value against threshold.</param>
/// <param name="Since">Since when it is not green (UTC); null when it is, or when it is not known.</param>
/// <param name="Colours">Whether it counts for the cluster's status: silence and missing disk encryption do not, and some rest while somebody works on the cluster.</param>
public sealed record HealthIndicator(
    string Id, int RuleVersion, string Status, string Symptom, string? Impact, HealthDiagnosis? Diagnosis, HealthEvidence? Evidence, DateTimeOffset? Since, bool Colours);

/// <summary>Why, and what to do.</summary>
/// <param name="Cause">The usual cause.</param>
/// <param name="Action">What to do about it.</param>
public sealed record HealthDiagnosis(string Cause, string Action);

/// <summary>The value that decided.</summary>
/// <param name="Signal">What was measured.</param>
/// <param name="Value">The measured value.</param>
/// <param name="Warning">Yellow from here.</param>
/// <param name="Critical">Red from here.</param>
/// <param name="Unit">Unit of the three.</param>
/// <param name="WarningForSeconds">How long <paramref name="Warning"/> must have been passed.</param>
/// <param name="CriticalForSeconds">How long <paramref name="Critical"/> must have been passed.</param>
public sealed record HealthEvidence(string Signal, double Value, double? Warning, double? Critical, string Unit, long WarningForSeconds, long CriticalForSeconds);

/// <summary>A node as its cluster last described it.</summary>
/// <param name="Id">Id within the cluster.</param>
/// <param name="Role">server, gateway or db.</param>
/// <param name="State">running, starting, stopping, down or unknown.</param>
/// <param name="Version">Its version.</param>
/// <param name="Os">Its operating system.</param>
/// <param name="Cores">CPU cores.</param>
/// <param name="CpuPercent">CPU, 0 to 100.</param>
/// <param name="MemoryTotalBytes">Memory in bytes.</param>
/// <param name="MemoryUsedBytes">Used memory in bytes.</param>
/// <param name="ClockOffsetMs">Its clock against the server's, in ms.</param>
/// <param name="UptimeSeconds">Seconds since its start.</param>
/// <param name="DiskEncrypted">Its disks are encrypted, as the inventory says; null when unknown.</param>
/// <param name="Disks">Its disks.</param>
public sealed record NodeItem(
    string Id, string Role, string State, string Version, string Os, int? Cores, double? CpuPercent, long? MemoryTotalBytes, long? MemoryUsedBytes, double? ClockOffsetMs, long? UptimeSeconds, bool? DiskEncrypted, IReadOnlyList<DiskItem> Disks);

/// <summary>A disk of a node.</summary>
/// <param name="Mount">Where it is mounted.</param>
/// <param name="Purpose">data, log, backup or system.</param>
/// <param name="TotalBytes">Size in bytes.</param>
/// <param name="UsedBytes">Used bytes.</param>
/// <param name="InodesUsedPercent">Used inodes, 0 to 100.</param>
/// <param name="ReadOnly">It has become read-only.</param>
/// <param name="Encrypted">It is encrypted; null when unknown.</param>
public sealed record DiskItem(string Mount, string Purpose, long? TotalBytes, long? UsedBytes, double? InodesUsedPercent, bool? ReadOnly, bool? Encrypted);

/// <summary>A rule was judged otherwise than before.</summary>
/// <param name="Id">The change.</param>
/// <param name="Rule">Rule id, with the resource behind a colon where there are several, as in <see cref="HealthIndicator.Id"/>.</param>
/// <param name="At">When (UTC).</param>
/// <param name="Before">green, yellow, red, or unknown when the cluster had not spoken before.</param>
/// <param name="After">green, yellow or red; green also when the signal it needs has ended.</param>
public sealed record RuleChangeItem(Guid Id, string Rule, DateTimeOffset At, string Before, string After);

/// <summary>Something that happened at a cluster.</summary>
/// <param name="Id">Id given by the cluster.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Severity">info, warning or severe.</param>
/// <param name="Text">In words.</param>
/// <param name="Node">The node concerned.</param>
/// <param name="At">When it happened, by the cluster's clock (UTC).</param>
/// <param name="ReceivedAt">When it arrived (UTC).</param>
public sealed record EventItem(string Id, string Kind, string Severity, string Text, string? Node, DateTimeOffset At, DateTimeOffset ReceivedAt);
