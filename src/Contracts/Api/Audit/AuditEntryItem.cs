using System.Text.Json;

namespace MissionControl.Contracts.Api.Audit;

/// <summary>An entry of the audit log.</summary>
/// <param name="Id">The entry.</param>
/// <param name="OccurredAt">When it happened (UTC).</param>
/// <param name="RecordedAt">When it was appended (UTC).</param>
/// <param name="Log">customer, fleet or operator.</param>
/// <param name="CustomerId">The customer concerned.</param>
/// <param name="ClusterId">The cluster concerned.</param>
/// <param name="Type">role.noun-past-verb.</param>
/// <param name="Outcome">success, denied or failed.</param>
/// <param name="ActorKind">staff, customerUser, serviceAccount, cluster or system.</param>
/// <param name="ActorId">The actor.</param>
/// <param name="TargetType">What it was done to.</param>
/// <param name="TargetId">Its id.</param>
/// <param name="Reason">Why, as the actor said.</param>
/// <param name="Producer">Role and process instance that told it.</param>
/// <param name="ProducerSeq">Gap-free per producer.</param>
/// <param name="Entry">The whole entry as recorded, with the names and addresses that were not erased in <c>personal</c>, and which were in <c>erased</c>.</param>
/// <param name="LogId">The log that it stands in: it proves the entry by its id.</param>
/// <param name="Index">Where it stands there, from 0 on.</param>
/// <param name="Imported">It was written before there were logs, and taken over; all else says what it said then.</param>
public sealed record AuditEntryItem(
    Guid Id, DateTimeOffset OccurredAt, DateTimeOffset RecordedAt, string Log, Guid? CustomerId, Guid? ClusterId, string Type, string Outcome,
    string ActorKind, string ActorId, string TargetType, string TargetId, string? Reason, string Producer, long ProducerSeq, JsonElement Entry,
    Guid LogId, long Index, bool Imported);
