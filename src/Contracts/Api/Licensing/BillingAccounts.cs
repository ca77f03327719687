using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>Creates a billing account.</summary>
/// <param name="CustomerId">The customer whose it is.</param>
/// <param name="Name">Its name.</param>
/// <param name="Currency">ISO 4217; it never changes.</param>
/// <param name="TaxRegion">Where it is taxed, as the vendor names it.</param>
/// <param name="InvoiceReference">What the customer wants on its invoices, such as an order number.</param>
public sealed record CreateBillingAccountRequest(
    [property: Required] Guid? CustomerId, [property: Required, StringLength(200, MinimumLength = 1)] string? Name, [property: Required, StringLength(3)] string? Currency,
    [property: Required, StringLength(40, MinimumLength = 1)] string? TaxRegion, [property: StringLength(100)] string? InvoiceReference = null);

/// <summary>Changes a billing account; members left out stay as they are. Needs If-Match.</summary>
/// <param name="Name">New name.</param>
/// <param name="TaxRegion">New tax region.</param>
/// <param name="InvoiceReference">New reference; empty: none.</param>
/// <param name="State">active or closed.</param>
/// <param name="Currency">Never another one: an account of another currency is another account.</param>
/// <param name="Reason">Why, for the audit log.</param>
public sealed record ChangeBillingAccountRequest(
    [property: StringLength(200, MinimumLength = 1)] string? Name = null, [property: StringLength(40, MinimumLength = 1)] string? TaxRegion = null, [property: StringLength(100)] string? InvoiceReference = null,
    string? State = null, string? Currency = null, [property: StringLength(500)] string? Reason = null);

/// <summary>Whom invoices go to, and in which currency.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="Name">Its name.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="TaxRegion">Where it is taxed.</param>
/// <param name="InvoiceReference">What the customer wants on its invoices.</param>
/// <param name="State">active or closed.</param>
/// <param name="CreatedAt">When it was created (UTC).</param>
/// <param name="Version">For If-Match.</param>
/// <param name="Actions">change, close and reopen, and whether the reader may now.</param>
public sealed record BillingAccountItem(
    Guid Id, Guid CustomerId, string Name, string Currency, string TaxRegion, string? InvoiceReference, string State, DateTimeOffset CreatedAt, long Version, IReadOnlyList<AllowedAction> Actions);
