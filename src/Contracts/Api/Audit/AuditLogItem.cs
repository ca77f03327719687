namespace MissionControl.Contracts.Api.Audit;

/// <summary>One of the audit logs. Its tiles are below <c>/api/v1/audit/logs/{id}/</c>.</summary>
/// <param name="Id">The log.</param>
/// <param name="Origin">By what its checkpoints call it (C2SP tlog-checkpoint).</param>
/// <param name="Kind">customer, fleet, operator or anchor.</param>
/// <param name="CustomerId">The customer whose log it is; null: nobody's in particular.</param>
/// <param name="CreatedAt">When it was begun (UTC).</param>
/// <param name="Size">How many entries it has.</param>
/// <param name="SignedSize">How many of them its newest checkpoint covers.</param>
/// <param name="SignedAt">When that was signed (UTC); null: none was yet.</param>
/// <param name="Keys">The keys that verify its checkpoints, as <c>name+id+key</c> (C2SP signed-note), the newest last.</param>
/// <param name="CheckedAt">When the server last made all of it anew from its rows (UTC); null: not yet.</param>
/// <param name="CheckedSize">How many entries it had then; null: not yet.</param>
/// <param name="Problem">What is wrong with it: why it is not signed, or what that check found; null: nothing is known.</param>
/// <param name="MinimumIndex">The first entry that is kept (C2SP tlog-tiles); those before it were pruned, as the log says. 0: all of it is kept.</param>
/// <param name="Reconciliation">What it and the logs of the clusters do not both say; null: no cluster keeps one.</param>
public sealed record AuditLogItem(Guid Id, string Origin, string Kind, Guid? CustomerId, DateTimeOffset CreatedAt, long Size, long SignedSize, DateTimeOffset? SignedAt, IReadOnlyList<string> Keys, DateTimeOffset? CheckedAt, long? CheckedSize, string? Problem, long MinimumIndex, AuditReconciliation? Reconciliation = null);

/// <summary>A customer's log beside those that its clusters keep themselves.</summary>
/// <param name="Clusters">How many clusters keep one.</param>
/// <param name="Unmatched">How much is missing on one of both sides and has not come yet.</param>
/// <param name="Refused">Of how many clusters nothing more is taken, since their log did not go on.</param>
public sealed record AuditReconciliation(long Clusters, long Unmatched, long Refused);
