namespace MissionControl.Protocol.CallHome;

/// <summary>How a field leaves the machine.</summary>
public enum Treatment
{
    /// <summary>As it is: it names neither people nor hosts.</summary>
    AsIs,

    /// <summary>Replaced by a digest keyed with a secret that never leaves the machine: the same thing always looks the same, and nobody else can tell what it is.</summary>
    Digest,

    /// <summary>Parts that look like names, addresses or credentials are replaced.</summary>
    Cleaned,

    /// <summary>Left out.</summary>
    LeftOut,
}

/// <summary>A group of fields that leave the machine, and why.</summary>
/// <param name="Name">Name in the agent's configuration.</param>
/// <param name="Fields">Message and field of the protocol; a star for all fields of a message.</param>
/// <param name="Purpose">What it is good for.</param>
/// <param name="Retention">How long Mission Control keeps it.</param>
/// <param name="Treatment">How it leaves unless the customer says otherwise.</param>
/// <param name="CanReveal">The customer may send it as it is, by naming it in <c>privacy.reveal</c>.</param>
/// <param name="CanWithhold">The customer may keep it back, by naming it in <c>privacy.withhold</c>.</param>
/// <param name="Note">What follows from keeping it back, or why it cannot be.</param>
public sealed record DataField(
    string Name, IReadOnlyList<string> Fields, string Purpose, string Retention, Treatment Treatment, bool CanReveal, bool CanWithhold, string Note);

/// <summary>Everything that leaves the machine. A test finds every field of the protocol's facts and item bodies in exactly one row.</summary>
public static class DataFields
{
    private const string Newest = "the newest; history 14 days";
    private const string Long = "400 days";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<DataField> All { get; } =
    [
        new("cluster.name", ["Facts.name"], "What people call the cluster.", "as long as the cluster exists", Treatment.AsIs, false, false, "Typed by the person who enrols; choose one that names nobody."),
        new("versions", ["Facts.product_version", "Facts.agent_version", "Facts.os", "Facts.time_zone", "Facts.capabilities", "Inventory.product_version", "Inventory.agent_version", "Inventory.time_zone", "Node.version", "Node.os", "NodeHealth.version", "NodeHealth.os"],
            "Which updates and advice fit.", Long, Treatment.AsIs, false, false, "Needed for support."),
        new("install.fingerprint", ["Facts.install_fingerprint"], "To tell a copied machine from its original.", "as long as the cluster exists", Treatment.Digest, false, false, "SHA-256 over the machine id and nothing else."),
        new("node.id", ["NodeHealth.id", "Node.id", "Event.node"], "To follow one node over time.", Long, Treatment.Digest, true, false, "A node cannot be watched without an id."),
        new("node.state", ["NodeHealth.role", "NodeHealth.state", "NodeHealth.master", "NodeHealth.started_at_ms", "NodeHealth.uptime_s", "Health.expected_nodes", "Health.quorum_spare", "Health.maintenance", "Health.interval_s", "Node.role"],
            "Whether nodes run and how many may still fail.", Newest, Treatment.AsIs, false, false, "The health check itself."),
        new("node.hardware", ["NodeHealth.cores", "NodeHealth.cpu_percent", "NodeHealth.memory_total_bytes", "NodeHealth.memory_used_bytes", "NodeHealth.load1", "NodeHealth.clock_offset_ms", "NodeHealth.heap_used_percent", "NodeHealth.gc_pause_percent", "Node.cores", "Node.memory_total_bytes"],
            "To warn before hardware runs short.", Newest, Treatment.AsIs, false, true, "Without it nobody warns of full processors, memory or a wrong clock."),
        new("disk", ["NodeHealth.disks", "Disk.purpose", "Disk.total_bytes", "Disk.used_bytes", "Disk.inodes_used_percent", "Disk.read_only", "Disk.encrypted", "Node.disk_encrypted"],
            "To warn before a disk is full, and to show whether disks are encrypted.", Newest, Treatment.AsIs, false, true, "Without it nobody warns of full disks."),
        new("disk.mount", ["Disk.mount"], "To tell the disks of a node apart.", Newest, Treatment.Digest, true, false, "Usual system paths, such as /var, are sent as they are; all others may name people or projects and are digests."),
        new("backup", ["Health.backup", "Backup.last_success_ms", "Backup.schedule_s", "Backup.size_bytes", "Backup.location"], "To warn when a backup is late.", Newest, Treatment.AsIs, false, true, "The location is a kind of store, never an address; anything else is sent as 'other'."),
        new("replication", ["Health.replication", "Replication.lag_s"], "To warn when copies fall behind.", Newest, Treatment.AsIs, false, true, "Without it nobody warns."),
        new("certificate", ["Health.certificates", "Certificate.purpose", "Certificate.not_after_ms"], "To warn before a certificate expires.", Newest, Treatment.AsIs, false, true, "Without it nobody warns."),
        new("certificate.issuer", ["Certificate.issuer"], "To know whose renewal to ask for.", Newest, Treatment.Digest, true, true, "An issuer's name often names the company."),
        new("call-home", ["Health.call_home", "CallHomeHealth.failed_percent_15m", "CallHomeHealth.spool_dropping_usage", "CallHomeHealth.spool_items"], "Whether calling home works.", Newest, Treatment.AsIs, false, false, "Of the agent itself."),
        new("event", ["Event.id", "Event.kind", "Event.severity"], "What happened, beside how it is.", Long, Treatment.AsIs, false, true, "Without it no event is sent at all."),
        new("event.text", ["Event.text"], "The event in words.", Long, Treatment.Cleaned, true, true, "Host names, addresses, mail addresses, user directories and tokens are replaced."),
        new("gateway", ["Inventory.gateways", "Gateway.kind", "Gateway.version", "Gateway.state", "Gateway.os"], "Which gateways need an update.", Long, Treatment.AsIs, false, true, "Without it gateways are not listed."),
        new("gateway.id", ["Gateway.id"], "To follow one gateway over time.", Long, Treatment.Digest, true, false, "A gateway cannot be listed without an id."),
        new("collector", ["Inventory.collectors", "CollectorCount.version", "CollectorCount.os", "CollectorCount.count"], "How many collectors run an old version.", Long, Treatment.AsIs, false, true, "Numbers by version and system, never a single collector."),
        new("environment", ["Inventory.environments", "Environment.id"], "To bill each environment by itself.", "with usage", Treatment.AsIs, false, false, "The id is given by the product and stands in usage; let it name nobody."),
        new("environment.name", ["Environment.name"], "What people call the environment.", Long, Treatment.LeftOut, true, true, "Names of environments often name departments or people."),
        new("inventory", ["Inventory.nodes", "Inventory.maintenance_window", "Inventory.update_mode", "Inventory.remote_access_allowed"], "What there is, and what the customer allows.", Long, Treatment.AsIs, false, false, "Needed for updates and support."),
        new("witness", ["WitnessAnswers.answers", "WitnessAnswer.log", "WitnessAnswer.outcome", "WitnessAnswer.origin", "WitnessAnswer.size", "WitnessAnswer.cosignature", "WitnessAnswer.reason", "WitnessAnswer.held", "WitnessAnswer.shown"],
            "That your installation has seen the audit logs grow, so that nobody can be shown others.", "until something newer was seen; evidence for good", Treatment.AsIs, false, false, "What Mission Control itself had signed, and a signature over it."),
        new("cluster-log", ["WitnessAnswers.cluster_log", "ClusterLogShown.origin", "ClusterLogShown.size", "ClusterLogShown.checkpoint", "ClusterLogShown.from", "ClusterLogShown.entries"],
            "That what Mission Control did to your installation stands on both sides.", "for good", Treatment.AsIs, false, false, "What Mission Control asked of the agent, by its own ids, versions and the ids of keys."),
    ];

    /// <summary>Usage is not a message of the protocol but a signed document; it is what the contract is about.</summary>
    public const string Usage = "Usage windows hold meters, quantities and the dimension `env`, the environment's id. The values of any other dimension are digests. They are kept for the contract's end and ten years, and cannot be withheld: the contract is settled by them.";
}
