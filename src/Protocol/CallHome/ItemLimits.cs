namespace MissionControl.Protocol.CallHome;

/// <summary>Bounds of what an item says, the same on both sides: the door refuses for good what breaks them, and an agent takes nothing of a product that would. See docs/protocol.md.</summary>
public static class ItemLimits
{
    /// <summary>Nodes of a cluster.</summary>
    public const int Nodes = 500;

    /// <summary>Disks of a node.</summary>
    public const int DisksPerNode = 64;

    /// <summary>Watched certificates of a cluster.</summary>
    public const int Certificates = 100;

    /// <summary>Gateways, counts of collectors and environments of an inventory, each.</summary>
    public const int InventoryEntries = 1_000;

    /// <summary>Characters of an id, a kind, or a version that is counted; at least one of an id.</summary>
    public const int NameLength = 100;

    /// <summary>Characters of any other text.</summary>
    public const int TextLength = 512;

    /// <summary>Characters of an event's text.</summary>
    public const int EventTextLength = 500;

    /// <summary>How the ids of events begin that Mission Control notes about a cluster itself: no event of a cluster's may, in whatever case, or it could take the place of one.</summary>
    public const string ReservedEventPrefix = "mc:";

    /// <summary>Logs that a cluster tells of what it has seen.</summary>
    public const int WitnessAnswers = 4;

    /// <summary>Bytes of a checkpoint with all its signatures.</summary>
    public const int NoteBytes = 4_096;

    /// <summary>Entries of a cluster's own log that are told at once.</summary>
    public const int ClusterLogEntries = 64;

    /// <summary>Bytes of one of them.</summary>
    public const int ClusterLogEntryBytes = 1_024;

    /// <summary>Nodes that there should be, and voters that may fail or are lacking.</summary>
    public const int Count = 100_000;
}
