using MassTransit;

namespace MissionControl.Contracts.Events.CallHome;

/// <summary>A cluster was enrolled, or its identity, keys, epoch or state changed. Always the whole of what callhome owns.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="CustomerId">Its customer, which never changes.</param>
/// <param name="Name">What people call it.</param>
/// <param name="State">active, suspended or decommissioned.</param>
/// <param name="CloneSuspected">Two senders speak as this cluster.</param>
/// <param name="Epoch">The epoch in force.</param>
/// <param name="EpochIssuedAt">When that epoch was issued (UTC).</param>
/// <param name="Keys">All keys that ever signed for it, with their validity.</param>
/// <param name="EnrolledAt">When it enrolled (UTC).</param>
/// <param name="TrustedFirstContact">It enrolled without checking the anchor document's digest.</param>
/// <param name="OccurredAt">When the change happened (UTC).</param>
/// <param name="Version">Rising per cluster.</param>
/// <param name="WitnessKey">The Ed25519 key by which it cosigns audit logs, DER SubjectPublicKeyInfo; null: it enrolled none, or the sender is of a version that did not tell.</param>
[EntityName("callhome.cluster-changed")]
[MessageUrn("callhome.cluster-changed")]
public sealed record ClusterChanged(
    Guid ClusterId, Guid CustomerId, string Name, string State, bool CloneSuspected, long Epoch, DateTimeOffset EpochIssuedAt,
    IReadOnlyList<ClusterKey> Keys, DateTimeOffset EnrolledAt, bool TrustedFirstContact, DateTimeOffset OccurredAt, long Version, byte[]? WitnessKey = null) : IMessage
{
    /// <inheritdoc />
    public string Key => ClusterId.ToString("N");
}

/// <summary>A P-256 key of a cluster.</summary>
/// <param name="Kid">base64url of the first 16 bytes of SHA-256 over <paramref name="Spki"/>.</param>
/// <param name="Spki">DER SubjectPublicKeyInfo.</param>
/// <param name="NotBefore">Valid from (UTC).</param>
/// <param name="NotAfter">Valid until (UTC); null while in use.</param>
public sealed record ClusterKey(string Kid, byte[] Spki, DateTimeOffset NotBefore, DateTimeOffset? NotAfter);
