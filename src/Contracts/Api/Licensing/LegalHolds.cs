using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>Holds a customer's records, or releases them. Needs If-Match with the customer's ETag.</summary>
/// <param name="Reason">Why; kept with the hold and in the audit log.</param>
/// <param name="Ticket">The ticket or case, for the audit log.</param>
public sealed record LegalHoldRequest([property: Required, StringLength(500, MinimumLength = 1)] string? Reason, [property: StringLength(100)] string? Ticket = null);

/// <summary>Whether a customer's records are under a legal hold.</summary>
/// <param name="CustomerId">The tenant.</param>
/// <param name="Held">True while nothing of this customer is purged, whatever its age.</param>
/// <param name="Since">Since when (UTC); null without a hold.</param>
/// <param name="Reason">Why; null without a hold.</param>
/// <param name="Version">The customer's version, for If-Match.</param>
public sealed record LegalHoldItem(Guid CustomerId, bool Held, DateTimeOffset? Since, string? Reason, long Version);
