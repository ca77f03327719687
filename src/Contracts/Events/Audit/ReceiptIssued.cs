using MassTransit;

namespace MissionControl.Contracts.Events.Audit;

/// <summary>
/// The answer to an entry that requires a receipt: the proof that it stands in its log, under a checkpoint that is signed and stored.
/// Whoever waits for it does not act before it came, and not at all when it does not come in time.
/// </summary>
/// <param name="EventId">The entry's id.</param>
/// <param name="Log">Id of the log, as its addresses have it.</param>
/// <param name="Index">Where the entry stands there.</param>
/// <param name="TlogProof">The receipt (C2SP tlog-proof), with the entry in it.</param>
/// <param name="AddCheckpoint">
/// Of an entry that concerns a cluster: that the receipt's checkpoint goes on from what the cluster was last known to have seen of the
/// log, as the body of <c>add-checkpoint</c> (C2SP tlog-witness). Null where it has seen nothing, or more.
/// </param>
[EntityName("audit.receipt-issued")]
[MessageUrn("audit.receipt-issued")]
public sealed record ReceiptIssued(Guid EventId, Guid Log, long Index, string TlogProof, string? AddCheckpoint = null) : IMessage
{
    /// <inheritdoc />
    public string Key => EventId.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}
