using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>Creates the draft of a contract.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="AccountId">The customer's billing account; its currency is the contract's.</param>
/// <param name="Number">Its number, unique among contracts.</param>
/// <param name="From">First instant, a whole hour (UTC).</param>
/// <param name="Terms">What is agreed.</param>
/// <param name="Reason">Why, for the audit log.</param>
public sealed record CreateContractRequest(
    [property: Required] Guid? CustomerId, [property: Required] Guid? AccountId, [property: Required, StringLength(60, MinimumLength = 1)] string? Number, [property: Required] DateTimeOffset? From,
    [property: Required] AgreedTerms? Terms, [property: StringLength(500)] string? Reason = null);

/// <summary>Replaces what a draft says. Needs If-Match.</summary>
/// <param name="From">First instant, a whole hour (UTC).</param>
/// <param name="Terms">What is agreed, all of it.</param>
/// <param name="Reason">Why, for the audit log.</param>
public sealed record ReplaceContractRequest([property: Required] DateTimeOffset? From, [property: Required] AgreedTerms? Terms, [property: StringLength(500)] string? Reason = null);

/// <summary>Makes a draft a contract that counts. Needs If-Match and Idempotency-Key.</summary>
/// <param name="Reason">Why, for the audit log.</param>
public sealed record ActivateContractRequest([property: StringLength(500)] string? Reason = null);

/// <summary>Adds a version to a contract that runs. Needs If-Match and Idempotency-Key.</summary>
/// <param name="EffectiveFrom">First instant of a month to come (UTC): from there on it counts.</param>
/// <param name="Terms">What is agreed from there on, all of it.</param>
/// <param name="Reason">Why; kept with the version and in the audit log.</param>
public sealed record AmendContractRequest([property: Required] DateTimeOffset? EffectiveFrom, [property: Required] AgreedTerms? Terms, string? Reason);

/// <summary>Ends a contract early. Needs If-Match and Idempotency-Key.</summary>
/// <param name="At">Its end, a whole hour (UTC) of this month or later.</param>
/// <param name="Reason">Why; kept with the version and in the audit log.</param>
public sealed record TerminateContractRequest([property: Required] DateTimeOffset? At, string? Reason);

/// <summary>What is agreed.</summary>
/// <param name="To">End, a whole hour (UTC), not included.</param>
/// <param name="Currency">ISO 4217; may be left out, and is never another than that of the account and the price book.</param>
/// <param name="PriceBookId">The price book.</param>
/// <param name="PlanId">The plan.</param>
/// <param name="PlanVersion">Its version.</param>
/// <param name="ClusterIds">The clusters; null: all of the customer.</param>
/// <param name="Use">production, trial or internal.</param>
/// <param name="Missing">What hours are that never came, when a period is closed: block, zero or carry.</param>
/// <param name="Commitment">What is promised; null: nothing.</param>
/// <param name="Overage">What lies beyond; null: it costs the usual price.</param>
/// <param name="Discounts">Price reductions.</param>
/// <param name="Environments">Environments that are for something else than the contract.</param>
public sealed record AgreedTerms(
    DateTimeOffset? To, string? Currency, Guid? PriceBookId, Guid? PlanId, int PlanVersion, IReadOnlyList<Guid>? ClusterIds = null, string? Use = "production", string? Missing = "block",
    AgreedCommitment? Commitment = null, AgreedOverage? Overage = null, IReadOnlyList<AgreedDiscount>? Discounts = null, IReadOnlyList<AgreedEnvironment>? Environments = null);

/// <summary>What the customer promised to use.</summary>
/// <param name="Kind">none, minimum_per_period, term_pool or high_water_mark.</param>
/// <param name="Amount">Of a minimum or a pool, in the contract's currency: decimal text.</param>
/// <param name="Sku">Of a high-water mark: the rate whose units are promised.</param>
/// <param name="Units">Of a high-water mark: how many; decimal text.</param>
public sealed record AgreedCommitment(string? Kind, string? Amount = null, string? Sku = null, string? Units = null);

/// <summary>What use beyond the commitment costs.</summary>
/// <param name="Allowed">Whether the licence permits any.</param>
/// <param name="Numerator">The usual price times this …</param>
/// <param name="Denominator">… by this.</param>
public sealed record AgreedOverage(bool Allowed = true, int Numerator = 1, int Denominator = 1);

/// <summary>A price reduction.</summary>
/// <param name="Percent">More than 0, at most 100, with four digits after the point at most: decimal text.</param>
/// <param name="From">First instant, a whole hour (UTC); it counts for periods that begin then or later.</param>
/// <param name="To">End, not included; null: as long as the contract.</param>
/// <param name="Sku">The rate; null: all of them.</param>
public sealed record AgreedDiscount(string? Percent, DateTimeOffset? From, DateTimeOffset? To = null, string? Sku = null);

/// <summary>What an environment is for.</summary>
/// <param name="Environment">Its id.</param>
/// <param name="Use">production, trial or internal.</param>
/// <param name="ClusterId">The cluster; null: of any.</param>
public sealed record AgreedEnvironment(string? Environment, string? Use, Guid? ClusterId = null);

/// <summary>A contract.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="AccountId">The billing account.</param>
/// <param name="Number">Its number.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="State">draft, active or ended.</param>
/// <param name="From">First instant (UTC).</param>
/// <param name="To">End (UTC), not included, as last agreed.</param>
/// <param name="LatestVersion">The number of its newest version.</param>
/// <param name="TerminationReason">Why it ends early; null: it does not.</param>
/// <param name="CreatedAt">When it was drafted (UTC).</param>
/// <param name="Version">For If-Match.</param>
/// <param name="Actions">replace, discard, activate, amend and terminate, and whether the reader may now.</param>
public sealed record ContractItem(
    Guid Id, Guid CustomerId, Guid AccountId, string Number, string Currency, string State, DateTimeOffset From, DateTimeOffset To, int LatestVersion, string? TerminationReason, DateTimeOffset CreatedAt, long Version,
    IReadOnlyList<AllowedAction> Actions);

/// <summary>A contract with all that was ever agreed in it.</summary>
/// <param name="Contract">The contract.</param>
/// <param name="Versions">Newest first.</param>
/// <param name="Plan">The plan of the newest version.</param>
public sealed record ContractDetail(ContractItem Contract, IReadOnlyList<ContractVersionItem> Versions, PlanVersionItem Plan);

/// <summary>A version of a contract; once the contract counts, it never changes.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Kind">original, amendment or termination.</param>
/// <param name="EffectiveFrom">From here on (UTC) it counts, until one with a higher number does.</param>
/// <param name="Terms">What is agreed.</param>
/// <param name="Reason">Why.</param>
/// <param name="CreatedAt">When it was made (UTC).</param>
public sealed record ContractVersionItem(int Number, string Kind, DateTimeOffset EffectiveFrom, AgreedTerms Terms, string? Reason, DateTimeOffset CreatedAt);

/// <summary>The prices of a contract at an hour.</summary>
/// <param name="ContractId">The contract.</param>
/// <param name="At">The hour (UTC).</param>
/// <param name="ContractVersion">The version of the contract that is in force then.</param>
/// <param name="PriceBook">The name of its price book.</param>
/// <param name="PriceBookVersion">The version of the price book that is in force then.</param>
/// <param name="Discounts">What is taken off the prices, as agreed.</param>
/// <param name="Sheet">The prices.</param>
public sealed record ContractRateCard(Guid ContractId, DateTimeOffset At, int ContractVersion, string PriceBook, int PriceBookVersion, IReadOnlyList<AgreedDiscount> Discounts, PriceSheetItem Sheet);
