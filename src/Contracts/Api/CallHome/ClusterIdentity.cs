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
/// <param name="KeyRotation">The last time somebody asked it to replace its key; null when nobody ever did.</param>
/// <param name="Actions">suspend, resume, decommission, confirm-epoch, rotate-key and enrol-anew, and whether the reader may now.</param>
public sealed record ClusterIdentity(
    Guid Id, Guid CustomerId, string Name, string State, bool CloneSuspected, long Epoch, DateTimeOffset EpochIssuedAt, DateTimeOffset EnrolledAt,
    bool TrustedFirstContact, string AgentVersion, long AcknowledgedThrough, DateTimeOffset? LastSeenAt,
    IReadOnlyList<ClusterKeyItem> Keys, IReadOnlyList<EpochItem> Epochs, long Version, KeyRotationAsked? KeyRotation, IReadOnlyList<AllowedAction> Actions);

/// <summary>That a cluster was asked to replace its key.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="Retires">Ids of the keys that are to go.</param>
/// <param name="Done">None of them is in force any longer.</param>
/// <param name="NewKeyAt">When the key that is in force was registered (UTC); null until it is done.</param>
/// <param name="Waits">Why it does not happen with the next check-in: suspended; null when nothing is known to be in its way, or it is done.</param>
/// <param name="Detail">The same in words.</param>
public sealed record KeyRotationAsked(DateTimeOffset At, IReadOnlyList<string> Retires, bool Done, DateTimeOffset? NewKeyAt, string? Waits, string? Detail);

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
