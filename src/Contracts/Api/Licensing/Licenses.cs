using System.ComponentModel.DataAnnotations;
using MissionControl.Protocol.Licenses;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>How much of a meter a licence is to permit.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Limit">Quantity, as text.</param>
/// <param name="Policy">What holds beyond it: deny (the default), allow, or up-to.</param>
/// <param name="Per">month (of the calendar, UTC; the default) or term.</param>
/// <param name="Numerator">up-to: the limit times this …</param>
/// <param name="Denominator">… by this is the most.</param>
/// <param name="Version">Version of the meter; left out: the newest.</param>
public sealed record LicenseLimitRequest(
    [property: Required, StringLength(63, MinimumLength = 1)] string? Meter, [property: Required, StringLength(30, MinimumLength = 1)] string? Limit, string? Policy = null, string? Per = null, int? Numerator = null, int? Denominator = null, int? Version = null);

/// <summary>Issues a licence to clusters of a customer.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="Clusters">Its clusters; one, unless the contract says more.</param>
/// <param name="Plan">What was sold, in the vendor's words.</param>
/// <param name="Kind">trial, production or internal.</param>
/// <param name="NotBefore">First instant (UTC); left out: now.</param>
/// <param name="NotAfter">Its end (UTC), not included.</param>
/// <param name="Enforcement">What follows where it permits no more: advisory (nothing), degrade (the default) or block.</param>
/// <param name="Limits">How much.</param>
/// <param name="Entitlements">What may be used, written [a-z][a-z0-9_]{0,62}.</param>
/// <param name="LeaseDays">For how long a lease is signed at a time; 35 unless said. As long as the licence for a site that nothing reaches.</param>
/// <param name="ContractId">The contract that it hangs below.</param>
public sealed record IssueLicenseRequest(
    [property: Required] Guid? CustomerId, [property: Required, MinLength(1), MaxLength(1000)] IReadOnlyList<Guid>? Clusters, [property: Required, StringLength(100, MinimumLength = 1)] string? Plan, [property: Required] string? Kind,
    DateTimeOffset? NotBefore, [property: Required] DateTimeOffset? NotAfter, string? Enforcement = null, [property: MaxLength(100)] IReadOnlyList<LicenseLimitRequest>? Limits = null, [property: MaxLength(200)] IReadOnlyList<string>? Entitlements = null,
    [property: Range(2, 4000)] int? LeaseDays = null, Guid? ContractId = null);

/// <summary>Renews a licence: to a later end, or only by a fresh lease.</summary>
/// <param name="NotAfter">The new end (UTC), later than the present one; left out: only the lease is signed anew.</param>
/// <param name="ResetClock">The clusters' record of the time is void: for a site whose clock once stood in the future and that says CLOCK_ROLLBACK since.</param>
/// <param name="Reason">Why; needed to reset the clock.</param>
public sealed record RenewLicenseRequest(DateTimeOffset? NotAfter = null, bool ResetClock = false, [property: StringLength(500, MinimumLength = 3)] string? Reason = null);

/// <summary>Switches a licence to other terms or clusters; members left out stay as they are.</summary>
/// <param name="Plan">What was sold.</param>
/// <param name="Kind">trial, production or internal.</param>
/// <param name="Clusters">All of its clusters from now on; those that are not among them are told that they have no licence any more.</param>
/// <param name="Enforcement">advisory, degrade or block.</param>
/// <param name="Limits">All limits from now on.</param>
/// <param name="Entitlements">All entitlements from now on.</param>
/// <param name="LeaseDays">For how long a lease is signed at a time.</param>
/// <param name="ContractId">The contract that it hangs below.</param>
public sealed record SwitchLicenseRequest(
    [property: StringLength(100, MinimumLength = 1)] string? Plan = null, string? Kind = null, [property: MinLength(1), MaxLength(1000)] IReadOnlyList<Guid>? Clusters = null, string? Enforcement = null,
    [property: MaxLength(100)] IReadOnlyList<LicenseLimitRequest>? Limits = null, [property: MaxLength(200)] IReadOnlyList<string>? Entitlements = null, [property: Range(2, 4000)] int? LeaseDays = null, Guid? ContractId = null);

/// <summary>Suspends, resumes or revokes a licence.</summary>
/// <param name="Reason">Why; kept with the licence and in the customer's audit log.</param>
/// <param name="Ticket">The ticket or case, for the audit log.</param>
public sealed record LicenseReasonRequest([property: Required, StringLength(500, MinimumLength = 3)] string? Reason, [property: StringLength(100)] string? Ticket = null);

/// <summary>What is to be used.</summary>
/// <param name="Used">What is used now, by meter, as decimal text; where it says nothing the ledger counts.</param>
/// <param name="Entitlements">What is to be used.</param>
public sealed record CheckLicenseRequest([property: MaxLength(100)] IReadOnlyDictionary<string, string>? Used = null, [property: MaxLength(200)] IReadOnlyList<string>? Entitlements = null);

/// <summary>A licence.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">Whose it is.</param>
/// <param name="ContractId">The contract that it hangs below; null: none is named.</param>
/// <param name="Plan">What was sold.</param>
/// <param name="Kind">trial, production or internal.</param>
/// <param name="Clusters">The clusters that it admits.</param>
/// <param name="Standing">State, decision and limits, now: what a check without a question answers.</param>
/// <param name="NotBefore">First instant (UTC).</param>
/// <param name="NotAfter">Its end (UTC).</param>
/// <param name="Enforcement">advisory, degrade or block.</param>
/// <param name="Entitlements">What may be used.</param>
/// <param name="LeaseDays">For how long a lease is signed at a time.</param>
/// <param name="LeaseSha256">Digest of the newest lease, as its file is.</param>
/// <param name="IssuedAt">When that was signed (UTC).</param>
/// <param name="LastReportAt">When usage came last of the cluster that has been silent for longest; null: of one never.</param>
/// <param name="Reason">Why it is suspended or revoked; null: it is not.</param>
/// <param name="CreatedAt">When it was issued first (UTC).</param>
/// <param name="Version">For If-Match.</param>
/// <param name="Actions">renew, switch, suspend, resume and revoke, and whether the reader may now.</param>
public sealed record LicenseItem(
    Guid Id, Guid CustomerId, Guid? ContractId, string Plan, string Kind, IReadOnlyList<Guid> Clusters, LicenseVerdict Standing, DateTimeOffset NotBefore, DateTimeOffset NotAfter, string Enforcement, IReadOnlyList<string> Entitlements,
    int LeaseDays, string LeaseSha256, DateTimeOffset IssuedAt, DateTimeOffset? LastReportAt, string? Reason, DateTimeOffset CreatedAt, long Version, IReadOnlyList<AllowedAction> Actions);
