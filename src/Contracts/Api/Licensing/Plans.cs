using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>Creates a plan with its first version.</summary>
/// <param name="Name">Its name, unique among plans.</param>
/// <param name="Entitlements">What it gives.</param>
public sealed record CreatePlanRequest([property: Required, StringLength(100, MinimumLength = 1)] string? Name, [property: Required] IReadOnlyList<EntitlementItem>? Entitlements);

/// <summary>Adds a version to a plan. Contracts and licences stay with the one that they name.</summary>
/// <param name="Entitlements">What it gives, all of it.</param>
public sealed record AddPlanVersionRequest([property: Required] IReadOnlyList<EntitlementItem>? Entitlements);

/// <summary>Something that a plan gives.</summary>
/// <param name="Feature"><c>[a-z][a-z0-9_.-]{0,62}</c>, unique in its plan.</param>
/// <param name="Type">boolean: it is there; static: it is there with a value; metered: so much of a meter.</param>
/// <param name="Value">Of a static one.</param>
/// <param name="Meter">Of a metered one.</param>
/// <param name="Limit">Of a metered one, in units of the meter; a decimal number as text.</param>
/// <param name="Overage">Of a metered one, what beyond the limit is.</param>
public sealed record EntitlementItem(string? Feature, string? Type, string? Value = null, string? Meter = null, string? Limit = null, EntitlementOverage? Overage = null);

/// <summary>What use beyond a limit is.</summary>
/// <param name="Policy">deny, allow, or allow_up_to the limit times a factor.</param>
/// <param name="Numerator">Of the factor, more than the denominator; 1 otherwise.</param>
/// <param name="Denominator">Of the factor; 1 otherwise.</param>
public sealed record EntitlementOverage(string? Policy, int Numerator = 1, int Denominator = 1);

/// <summary>A plan.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="LatestVersion">The number of its newest version.</param>
/// <param name="CreatedAt">When it was created (UTC).</param>
/// <param name="Version">For If-Match.</param>
public sealed record PlanItem(Guid Id, string Name, int LatestVersion, DateTimeOffset CreatedAt, long Version);

/// <summary>A version of a plan; it never changes.</summary>
/// <param name="PlanId">The plan.</param>
/// <param name="Name">The plan's name.</param>
/// <param name="Number">From 1.</param>
/// <param name="Entitlements">What it gives.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
public sealed record PlanVersionItem(Guid PlanId, string Name, int Number, IReadOnlyList<EntitlementItem> Entitlements, DateTimeOffset CreatedAt);
