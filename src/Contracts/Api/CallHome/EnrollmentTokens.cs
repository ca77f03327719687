using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.CallHome;

/// <summary>Asks for a one-time enrolment token.</summary>
/// <param name="CustomerId">The customer the cluster will belong to, for ever.</param>
/// <param name="ClusterName">Name of the cluster, if it does not give one itself.</param>
/// <param name="ExpiresInHours">1 to 168; default 24.</param>
/// <param name="Networks">CIDR networks it may be used from; none: any.</param>
public sealed record CreateEnrollmentTokenRequest(
    [property: Required] Guid? CustomerId,
    [property: StringLength(100)] string? ClusterName = null,
    [property: Range(1, 168)] int ExpiresInHours = 24,
    IReadOnlyList<string>? Networks = null);

/// <summary>Asks for a one-time token by which a machine takes over an existing cluster.</summary>
/// <param name="Reason">Why, 3 to 500 characters; it goes to the audit log.</param>
/// <param name="ExpiresInHours">1 to 24; default 1.</param>
public sealed record ReadmitClusterRequest(
    [property: Required, StringLength(500, MinimumLength = 3)] string? Reason,
    [property: Range(1, 24)] int ExpiresInHours = 1);

/// <summary>An enrolment token as it is shown once.</summary>
/// <param name="Id">Loggable id.</param>
/// <param name="Token">The secret; never shown again.</param>
/// <param name="AnchorsSha256">Give it to <c>mc-agent enroll --anchors</c>: the cluster then trusts no other control plane.</param>
/// <param name="ExpiresAt">End of its life (UTC).</param>
public sealed record CreatedEnrollmentToken(string Id, string Token, string AnchorsSha256, DateTimeOffset ExpiresAt);

/// <summary>An enrolment token as it is listed.</summary>
/// <param name="Id">Loggable id.</param>
/// <param name="CustomerId">Its customer.</param>
/// <param name="ClusterName">Name given with it.</param>
/// <param name="State">open, used, expired or revoked.</param>
/// <param name="Networks">Networks it may be used from.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="ExpiresAt">When it ends (UTC).</param>
/// <param name="UsedAt">When it was used (UTC).</param>
/// <param name="ClusterId">The cluster that used it.</param>
/// <param name="ReadmitsCluster">The cluster that it gives back its identity; null: it enrols a new one.</param>
/// <param name="Actions">revoke, and whether the reader may now.</param>
public sealed record EnrollmentTokenItem(
    string Id, Guid CustomerId, string? ClusterName, string State, IReadOnlyList<string> Networks, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt, Guid? ClusterId,
    Guid? ReadmitsCluster, IReadOnlyList<AllowedAction> Actions);
