using System.Text.Json;

namespace MissionControl.Protocol.Documents;

/// <summary>
/// What became of a cluster's usage windows, signed by licensing. Only a receipt ends the cluster's duty to keep a window: an
/// acknowledged check-in says that it arrived, not that it counts.
/// </summary>
/// <param name="V">Schema version, 1.</param>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="Epoch">The epoch in force.</param>
/// <param name="Results">The newest verdicts, at most 200, oldest first.</param>
/// <param name="Gaps">Hours that are missing though a later one came, at most 200, oldest first.</param>
/// <param name="ServerTime">When it was signed (UTC).</param>
/// <param name="CompleteThrough">Every expected hour that ended up to here has a window in the ledger, <c>yyyy-MM-ddTHH:00:00Z</c>; absent before the first.</param>
public sealed record UsageReceipt(
    int V, string Cluster, long Epoch, IReadOnlyList<WindowResult> Results, IReadOnlyList<WindowGap> Gaps, string ServerTime, string? CompleteThrough = null)
{
    /// <summary>DSSE payload type.</summary>
    public const string PayloadType = "application/vnd.missioncontrol.receipt+json";

    /// <summary>Most results, and most gaps.</summary>
    public const int MaxEntries = 200;

    /// <summary>The bytes to sign.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, DocumentJson.Options);

    /// <summary>Reads a verified payload.</summary>
    /// <exception cref="JsonException">It is not a receipt of version 1.</exception>
    public static UsageReceipt Parse(ReadOnlySpan<byte> payload)
    {
        var receipt = JsonSerializer.Deserialize<UsageReceipt>(payload, DocumentJson.Options);
        return receipt is { V: 1 } ? receipt : throw new JsonException("Not a receipt of version 1.");
    }
}

/// <summary>The verdict on one document.</summary>
/// <param name="Window">First instant of the hour.</param>
/// <param name="Epoch">The epoch the document was made in.</param>
/// <param name="Revision">Its revision.</param>
/// <param name="Sha256"><c>sha256:</c> of the payload.</param>
/// <param name="Verdict">accepted, duplicate, superseded, conflict, parked or rejected.</param>
/// <param name="Problem">Code of what is wrong, for conflict, parked and rejected.</param>
public sealed record WindowResult(string Window, long Epoch, long Revision, string Sha256, string Verdict, string? Problem = null);

/// <summary>Missing hours.</summary>
/// <param name="From">First missing hour.</param>
/// <param name="To">End of the last missing hour, exclusive.</param>
public sealed record WindowGap(string From, string To);
