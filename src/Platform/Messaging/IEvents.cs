using System.Text.Json;
using MissionControl.Contracts;
using MissionControl.Contracts.Events.Audit;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// The only way to tell anybody anything. Messages become rows of the current module's outbox in the business transaction,
/// so they are sent if, and only if, the change is committed; delivery is at least once and in no promised order.
/// </summary>
public interface IEvents
{
    /// <summary>Tells all consumers of the message once the current change is saved.</summary>
    void Publish(IMessage message);

    /// <summary>Tells the audit log, with the actor of the current request and the producer's next number.</summary>
    void Audit(AuditFact fact);
}

/// <summary>Which audit log an entry belongs to.</summary>
public enum AuditLog
{
    /// <summary>The customer's own log; <see cref="AuditFact.CustomerId"/> is required.</summary>
    Customer,

    /// <summary>The fleet's log.</summary>
    Fleet,

    /// <summary>The log of those who operate Mission Control.</summary>
    Operator,
}

/// <summary>How the audited act ended.</summary>
public enum AuditOutcome
{
    /// <summary>It was done.</summary>
    Success,

    /// <summary>It was refused.</summary>
    Denied,

    /// <summary>It was tried and failed.</summary>
    Failed,
}

/// <summary>What the audit log is to learn; the platform adds actor, time, producer and request.</summary>
/// <param name="Type">role.noun-past-verb, e.g. <c>licensing.customer-created</c>.</param>
/// <param name="Log">The log it belongs to.</param>
/// <param name="TargetType">Noun of what was acted on.</param>
/// <param name="TargetId">Its id.</param>
public sealed record AuditFact(string Type, AuditLog Log, string TargetType, string TargetId)
{
    /// <summary>The customer concerned.</summary>
    public Guid? CustomerId { get; init; }

    /// <summary>The cluster concerned.</summary>
    public Guid? ClusterId { get; init; }

    /// <summary>How it ended.</summary>
    public AuditOutcome Outcome { get; init; }

    /// <summary>What changed, with old values.</summary>
    public IReadOnlyList<AuditChange> Changes { get; init; } = [];

    /// <summary>Why, as the actor said.</summary>
    public string? Reason { get; init; }

    /// <summary>The ticket, as the actor said.</summary>
    public string? Ticket { get; init; }

    /// <summary>Names and addresses; kept apart so that they can be erased.</summary>
    public IReadOnlyDictionary<string, string> Personal { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// A receipt is required: the entry's id, a new UUIDv7, which <c>audit.receipt-issued</c> answers with. Whoever asks keeps it in a
    /// state of its own with a deadline of a second, in the same transaction, and does not act when no answer came by then. Null: none.
    /// </summary>
    public Guid? Receipt { get; init; }

    /// <summary>Who acted, where it is not the request's principal; null in a message handler means the system.</summary>
    public AuditActor? Actor { get; init; }
}

/// <summary>Builds RFC 6902 changes.</summary>
public static class Change
{
    /// <summary>A member got a new value.</summary>
    public static AuditChange Replace(string path, object? oldValue, object? value) => new("replace", path, Json(value), Json(oldValue));

    /// <summary>A member came to be.</summary>
    public static AuditChange Add(string path, object? value) => new("add", path, Json(value), null);

    /// <summary>A member went away.</summary>
    public static AuditChange Remove(string path, object? oldValue) => new("remove", path, null, Json(oldValue));

    private static JsonElement? Json(object? value) => value is null ? null : JsonSerializer.SerializeToElement(value, MessageJson.Options);
}
