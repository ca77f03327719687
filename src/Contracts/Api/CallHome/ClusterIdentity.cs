using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.CallHome;

/// <summary>A cluster's identity as callhome owns it.</summary>
/// <param name="Id">The cluster.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="Name">Its name.</param>
/// <param name="State">active, suspended or decommissioned.</param>
/// <param name="CloneSuspected">Two senders speak as this cluster.</param>
/// <param name="Epoch">The epoch in force.</param>
/// <param name="EpochIssuedAt">When it was issued (UTC).</param>
/// <param name="EnrolledAt">When the cluster enrolled (UTC).</param>
/// <param name="TrustedFirstContact">It enrolled without checking the anchors' digest: a finding.</param>
/// <param name="AgentVersion">Version of its agent at enrolment.</param>
/// <param name="AcknowledgedThrough">Every item up to this number is settled.</param>
/// <param name="LastSeenAt">Last change of its numbers (UTC).</param>
/// <param name="Keys">Its keys.</param>
/// <param name="Epochs">Every epoch issued to it.</param>
/// <param name="Version">For If-Match.</param>
public sealed record ClusterIdentity(
    Guid Id, Guid CustomerId, string Name, string State, bool CloneSuspected, long Epoch, DateTimeOffset EpochIssuedAt, DateTimeOffset EnrolledAt,
    bool TrustedFirstContact, string AgentVersion, long AcknowledgedThrough, DateTimeOffset? LastSeenAt,
    IReadOnlyList<ClusterKeyItem> Keys, IReadOnlyList<EpochItem> Epochs, long Version);

/// <summary>A key of a cluster.</summary>
/// <param name="Kid">Key id.</param>
/// <param name="Use">identity or witness.</param>
/// <param name="NotBefore">Valid from (UTC).</param>
/// <param name="NotAfter">Ended (UTC).</param>
/// <param name="FirstUsedAt">First signature seen (UTC).</param>
public sealed record ClusterKeyItem(string Kid, string Use, DateTimeOffset NotBefore, DateTimeOffset? NotAfter, DateTimeOffset? FirstUsedAt);

/// <summary>An epoch of a cluster.</summary>
/// <param name="Epoch">The number.</param>
/// <param name="IssuedAt">When (UTC).</param>
/// <param name="Reason">Why.</param>
/// <param name="Quarantined">Usage of this epoch waits until a person names the true sender.</param>
/// <param name="ConfirmedAt">When a person did (UTC).</param>
public sealed record EpochItem(long Epoch, DateTimeOffset IssuedAt, string Reason, bool Quarantined, DateTimeOffset? ConfirmedAt);

/// <summary>Why a person changes a cluster's state.</summary>
/// <param name="Reason">In words; goes to the audit log.</param>
public sealed record ReasonRequest([property: Required, StringLength(500, MinimumLength = 3)] string? Reason);
