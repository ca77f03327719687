namespace MissionControl.Contracts.Api.Platform;

/// <summary>Whether a role is itself well: what waits, where it is kept, and which processes run it.</summary>
/// <param name="Role">The role.</param>
/// <param name="AsOf">When this was put together (UTC).</param>
/// <param name="Waiting">Messages on their way to other roles, counted up to 10000.</param>
/// <param name="OldestWaitingSince">When the oldest of them was written (UTC); null: none waits.</param>
/// <param name="Parked">Messages of others that it could not apply and nobody gave up, counted up to 10000.</param>
/// <param name="LookedAt">When what waits was counted (UTC).</param>
/// <param name="Database">sqlite, postgresql or sqlserver.</param>
/// <param name="DatabaseBytes">What its database takes on the disk; roles may share one.</param>
/// <param name="Replicas">The processes that run it, and those that did in the last days: running ones first.</param>
public sealed record RoleStatus(
    string Role, DateTimeOffset AsOf, long Waiting, DateTimeOffset? OldestWaitingSince, long Parked, DateTimeOffset LookedAt, string Database, long DatabaseBytes, IReadOnlyList<ReplicaItem> Replicas);

/// <summary>A process that runs a role.</summary>
/// <param name="Instance">The process; a start is a new one. A process of several roles has the same in each.</param>
/// <param name="State">running; silent: it said nothing for 45 s; stopped: it was told to.</param>
/// <param name="Version">The program's version.</param>
/// <param name="StartedAt">When it started (UTC).</param>
/// <param name="SeenAt">When it last said that it runs (UTC).</param>
/// <param name="DiskFreeBytes">Bytes free where its data directory lies; null: not known.</param>
/// <param name="DiskTotalBytes">Bytes there are; null: not known.</param>
/// <param name="CertificateEndsAt">When the certificate that it shows ends (UTC); null: not known.</param>
/// <param name="WorkPerSecond">Pieces of the role's main work a second, over the 15 s before it was last seen: of callhome check-ins; null: the role counts none.</param>
/// <param name="WorkP99Ms">Milliseconds within which 99 of 100 of them were answered, rounded up by a tenth at most; null: there were none.</param>
public sealed record ReplicaItem(
    string Instance, string State, string Version, DateTimeOffset StartedAt, DateTimeOffset SeenAt, long? DiskFreeBytes, long? DiskTotalBytes, DateTimeOffset? CertificateEndsAt,
    double? WorkPerSecond, double? WorkP99Ms);
