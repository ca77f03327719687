using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Audit;

/// <summary>Has a log sent to a system as it grows.</summary>
/// <param name="LogId">The log: a customer's own or the fleet's; for the vendor any but the anchor.</param>
/// <param name="EndpointId">A webhook or a syslog server of notifications. Whether it is there and whose is known when the first batch goes out.</param>
/// <param name="CustomerId">The customer whose endpoint and export it is; null: the vendor's own, or for a customer's caller that customer's.</param>
/// <param name="Format">jsonl, ocsf or cef.</param>
/// <param name="From">The entry to begin with; null: the first that is kept. One that was pruned is refused.</param>
public sealed record CreateAuditExportRequest(
    [property: Required] Guid? LogId,
    [property: Required] Guid? EndpointId,
    Guid? CustomerId,
    [property: Required, RegularExpression("^(jsonl|ocsf|cef)$", ErrorMessage = "A format is jsonl, ocsf or cef.")] string? Format,
    long? From);

/// <summary>A log that is sent to a system as it grows.</summary>
/// <param name="Id">Its id.</param>
/// <param name="LogId">The log.</param>
/// <param name="CustomerId">The customer whose export it is; null: the vendor's.</param>
/// <param name="EndpointId">Where it is sent.</param>
/// <param name="Format">jsonl, ocsf or cef.</param>
/// <param name="From">The entry that it began with.</param>
/// <param name="Next">Everything before this entry was taken by the receiver.</param>
/// <param name="SignedSize">How many signed entries the log has: those from <paramref name="Next"/> on are still to be sent.</param>
/// <param name="State">running or stopped.</param>
/// <param name="Problem">Why it is stopped; null: it runs.</param>
/// <param name="SentAt">When the receiver last took something (UTC); null: not yet.</param>
/// <param name="WaitingSince">Since when a batch is on its way (UTC); null: none is.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
/// <param name="Actions">resume and remove, and whether the reader may now.</param>
public sealed record AuditExportItem(
    Guid Id, Guid LogId, Guid? CustomerId, Guid EndpointId, string Format, long From, long Next, long SignedSize, string State, string? Problem, DateTimeOffset? SentAt, DateTimeOffset? WaitingSince, DateTimeOffset CreatedAt,
    IReadOnlyList<AllowedAction> Actions);
