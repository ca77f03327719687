using System.Text.Json;
using MassTransit;

namespace MissionControl.Contracts.Events.Audit;

/// <summary>The one event by which every role tells the audit log what happened; written in the transaction of what it tells.</summary>
/// <param name="V">Schema version, 1.</param>
/// <param name="EventId">UUIDv7; a repeated id is the same entry.</param>
/// <param name="Producer">Role and process instance.</param>
/// <param name="ProducerSeq">Gap-free per producer: a hole is a lost entry.</param>
/// <param name="OccurredAt">When it happened (UTC).</param>
/// <param name="Log">customer, fleet or operator.</param>
/// <param name="CustomerId">The customer concerned, if any.</param>
/// <param name="ClusterId">The cluster concerned, if any.</param>
/// <param name="Type">role.noun-past-verb.</param>
/// <param name="Outcome">success, denied or failed.</param>
/// <param name="Actor">Who did it.</param>
/// <param name="Target">What it was done to.</param>
/// <param name="Changes">RFC 6902 operations with the old values.</param>
/// <param name="Reason">Why, as the actor said.</param>
/// <param name="Ticket">The ticket, as the actor said.</param>
/// <param name="RequestId">The request's trace id.</param>
/// <param name="Receipt">none or required.</param>
/// <param name="Personal">Names, mail and IP addresses, user agents: only here, so that they can be erased.</param>
[EntityName("audit.entry")]
[MessageUrn("audit.entry")]
public sealed record AuditEntryRecorded(
    int V, Guid EventId, string Producer, long ProducerSeq, DateTimeOffset OccurredAt, string Log, Guid? CustomerId, Guid? ClusterId,
    string Type, string Outcome, AuditActor Actor, AuditTarget Target, IReadOnlyList<AuditChange> Changes, string? Reason, string? Ticket,
    string? RequestId, string Receipt, IReadOnlyDictionary<string, string> Personal) : IMessage
{
    /// <summary>The <see cref="Receipt"/> by which the entry is answered with <see cref="ReceiptIssued"/>.</summary>
    public const string ReceiptRequired = "required";

    /// <inheritdoc />
    public string Key => EventId.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}

/// <summary>Who acted.</summary>
/// <param name="Kind">staff, customerUser, serviceAccount, cluster or system.</param>
/// <param name="Id">Subject, never a name; <c>unknown</c> of who is nobody yet, <c>console</c> of who works on the server itself.</param>
/// <param name="Auth">How it was authenticated: token, session, password, invitation, assertion, local; signature and sharedSecret of scanners, heldToken of who is nobody and reports a token that leaked.</param>
/// <param name="Mfa">A second factor was used.</param>
/// <param name="TokenId">Loggable id of the token used.</param>
/// <param name="SessionId">The session used.</param>
public sealed record AuditActor(string Kind, string Id, string Auth, bool Mfa = false, string? TokenId = null, string? SessionId = null);

/// <summary>What was acted on.</summary>
/// <param name="Type">The resource's noun.</param>
/// <param name="Id">Its id.</param>
public sealed record AuditTarget(string Type, string Id);

/// <summary>One RFC 6902 operation, with the value it replaced.</summary>
/// <param name="Op">add, remove or replace.</param>
/// <param name="Path">JSON pointer.</param>
/// <param name="Value">The new value.</param>
/// <param name="OldValue">The old value.</param>
public sealed record AuditChange(string Op, string Path, JsonElement? Value, JsonElement? OldValue);
