using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>Creates a customer.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Region">Its region, as the vendor names it.</param>
public sealed record CreateCustomerRequest([property: Required, StringLength(200, MinimumLength = 1)] string? Name, [property: Required, StringLength(40, MinimumLength = 1)] string? Region);

/// <summary>Changes a customer; members left out stay as they are. Needs If-Match.</summary>
/// <param name="Name">New name.</param>
/// <param name="Region">New region.</param>
/// <param name="State">active or closed.</param>
public sealed record ChangeCustomerRequest([property: StringLength(200, MinimumLength = 1)] string? Name = null, [property: StringLength(40, MinimumLength = 1)] string? Region = null, string? State = null);

/// <summary>A customer: the tenant.</summary>
/// <param name="Id">The tenant's id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Region">Its region.</param>
/// <param name="State">active or closed.</param>
/// <param name="CreatedAt">When it was created (UTC).</param>
/// <param name="Version">For If-Match.</param>
/// <param name="Actions">change, close and reopen, and whether the reader may now.</param>
public sealed record CustomerItem(Guid Id, string Name, string Region, string State, DateTimeOffset CreatedAt, long Version, IReadOnlyList<AllowedAction> Actions);
