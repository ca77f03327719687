using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>An amount of money.</summary>
/// <param name="Amount">Decimal text with all digits of its currency; never a number, which a reader could round.</param>
/// <param name="Currency">ISO 4217.</param>
public sealed record MoneyItem(string Amount, string Currency);

/// <summary>A billing period: a calendar month (UTC) of a contract.</summary>
/// <param name="Id">Its id.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="ContractId">The contract.</param>
/// <param name="ContractNumber">The contract's number.</param>
/// <param name="Name">The month, such as 2026-03.</param>
/// <param name="From">First instant of the month (UTC).</param>
/// <param name="To">Its end (UTC), not included.</param>
/// <param name="State">open until its end, closing until somebody closes it, closed. Closed stays closed: what comes later is booked in a later period.</param>
/// <param name="StatementId">What it was closed with.</param>
/// <param name="ClosedAt">When (UTC).</param>
/// <param name="Version">Rises with each change.</param>
/// <param name="Actions">close, and whether the reader may now.</param>
public sealed record PeriodItem(
    Guid Id, Guid CustomerId, Guid ContractId, string ContractNumber, string Name, DateTimeOffset From, DateTimeOffset To, string State, Guid? StatementId, DateTimeOffset? ClosedAt, long Version, IReadOnlyList<AllowedAction> Actions);

/// <summary>What a period comes to as it is known now, and what closing it would write. Its ETag is what closing wants in If-Match.</summary>
/// <param name="Period">The period.</param>
/// <param name="Watermark">The newest change that it knows.</param>
/// <param name="Payable">What would be to be paid.</param>
/// <param name="Statement">The statement, as it would be written.</param>
/// <param name="Restated">Closed periods of the contract that come to something else by now, and by how much; booked in this statement.</param>
/// <param name="Checks">What has to be so before it is closed.</param>
/// <param name="Before">What the period before it came to; null: there was none, or it is not closed.</param>
public sealed record PeriodPreview(
    PeriodItem Period, long Watermark, MoneyItem Payable, JsonElement Statement, IReadOnlyList<RestatedPeriodItem> Restated, IReadOnlyList<PeriodCheck> Checks, MoneyItem? Before);

/// <summary>A closed period that comes to something else by now.</summary>
/// <param name="Name">Its month.</param>
/// <param name="StatementId">Its newest statement.</param>
/// <param name="Difference">What is booked for it.</param>
/// <param name="Statement">Its next generation, as it would be written.</param>
public sealed record RestatedPeriodItem(string Name, Guid StatementId, MoneyItem Difference, JsonElement Statement);

/// <summary>What has to be so before a period is closed.</summary>
/// <param name="Code">earlier-period-open, grace, missing-hours, disputed-hours, waiting-windows, incomplete-hours, parked-hours, lowered-hours or unpriced-meters.</param>
/// <param name="Count">How often it is not so; 0: all is well.</param>
/// <param name="Blocks">The period is not closed while it is not so.</param>
/// <param name="Waivable">Whoever closes may put up with it, and says why.</param>
/// <param name="Detail">In words.</param>
public sealed record PeriodCheck(string Code, long Count, bool Blocks, bool Waivable, string Detail);

/// <summary>Closes a period. Needs If-Match with the preview's ETag, Idempotency-Key, and the person's proof (step-up).</summary>
/// <param name="Waive">Codes of checks that are put up with.</param>
/// <param name="Reason">Why; needed with <paramref name="Waive"/>. For the audit log.</param>
public sealed record ClosePeriodRequest([property: MaxLength(10)] IReadOnlyList<string>? Waive = null, [property: StringLength(500)] string? Reason = null);

/// <summary>A statement.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">S-, the contract's number and the month; of a restatement also its generation.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="ContractId">The contract.</param>
/// <param name="PeriodId">The period it is about.</param>
/// <param name="Period">Its month.</param>
/// <param name="From">First instant of the month or of the contract in it (UTC).</param>
/// <param name="To">End (UTC), not included.</param>
/// <param name="Generation">1, and one more with each restatement.</param>
/// <param name="Kind">bill, or restatement: what a closed period comes to by now. Only bills are paid; what a restatement changes is booked on one.</param>
/// <param name="BookedInPeriodId">The period whose closing made it.</param>
/// <param name="Payable">What is to be paid; of a restatement what its period comes to.</param>
/// <param name="Watermark">All changes up to this number are in it, and no other.</param>
/// <param name="ContractVersion">The version of the contract.</param>
/// <param name="PriceBookId">The price book.</param>
/// <param name="PriceBookVersion">Its version.</param>
/// <param name="ContentSha256">Of the document's bytes.</param>
/// <param name="InputsSha256">Of what it was rated from.</param>
/// <param name="CreatedAt">When it was written (UTC).</param>
/// <param name="Waived">What its closing put up with, and why.</param>
public sealed record StatementItem(
    Guid Id, string Number, Guid CustomerId, Guid ContractId, Guid PeriodId, string Period, DateTimeOffset From, DateTimeOffset To, int Generation, string Kind, Guid BookedInPeriodId, MoneyItem Payable, long Watermark,
    int ContractVersion, Guid PriceBookId, int PriceBookVersion, string ContentSha256, string InputsSha256, DateTimeOffset CreatedAt, string? Waived);

/// <summary>An amount that is booked besides what was rated.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Number">CN- or DN- and the statement it is about; of a decided one its id.</param>
/// <param name="CustomerId">The customer.</param>
/// <param name="ContractId">The contract.</param>
/// <param name="Kind">credit-note or debit-note.</param>
/// <param name="Cause">restatement, or decided by somebody.</param>
/// <param name="OriginalStatementId">The statement it is about.</param>
/// <param name="RestatedStatementId">The generation it comes from.</param>
/// <param name="StatementId">The statement it is booked on; null: it waits for the next one of the contract.</param>
/// <param name="Amount">Less than 0 is a credit.</param>
/// <param name="Description">As it stands on the statement.</param>
/// <param name="Reason">Why.</param>
/// <param name="CreatedAt">When it came to be (UTC).</param>
public sealed record AdjustmentItem(
    Guid Id, string Number, Guid CustomerId, Guid ContractId, string Kind, string Cause, Guid? OriginalStatementId, Guid? RestatedStatementId, Guid? StatementId, MoneyItem Amount, string Description, string Reason, DateTimeOffset CreatedAt);

/// <summary>Books an amount on the next statement of a contract. Needs Idempotency-Key.</summary>
/// <param name="ContractId">The contract.</param>
/// <param name="Amount">Decimal text in the contract's currency; with a minus sign it is a credit.</param>
/// <param name="Description">As it stands on the statement.</param>
/// <param name="Reason">Why; for the audit log and the record.</param>
/// <param name="StatementId">The statement it is about, if any.</param>
public sealed record CreateAdjustmentRequest(
    [property: Required] Guid? ContractId, [property: Required, RegularExpression(@"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$")] string? Amount, [property: Required, StringLength(300, MinimumLength = 1)] string? Description,
    [property: Required, StringLength(500, MinimumLength = 1)] string? Reason, Guid? StatementId = null);

/// <summary>Where a line comes from: a cell of a signed window that counted.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="Window">First instant of the hour (UTC).</param>
/// <param name="Environment">The environment.</param>
/// <param name="Dimensions">As reported.</param>
/// <param name="MeterVersion">By which version of the meter it was counted.</param>
/// <param name="Quantity">Decimal text.</param>
/// <param name="Epoch">Of the document that said it.</param>
/// <param name="Revision">Of that document.</param>
/// <param name="Sha256">Of its payload; <c>/windows/{cluster}/{window}</c> has the signed document.</param>
/// <param name="ReceivedAt">When it came in (UTC).</param>
public sealed record LineSourceItem(Guid ClusterId, DateTimeOffset Window, string Environment, IReadOnlyDictionary<string, string> Dimensions, int MeterVersion, string Quantity, long Epoch, long Revision, string Sha256, DateTimeOffset ReceivedAt);

/// <summary>A line of a statement.</summary>
/// <param name="Line">Its number on the statement, from 1.</param>
/// <param name="Part">line, correction (of a period that was closed before) or adjustment (that somebody decided).</param>
/// <param name="Reference">The statement that is corrected, or the adjustment's number.</param>
/// <param name="From">First instant that it is for (UTC).</param>
/// <param name="To">End (UTC), not included.</param>
/// <param name="Sku">The rate; null of amounts.</param>
/// <param name="Tier">From 1; 0 where there are no tiers.</param>
/// <param name="Kind">usage, overage, minimum, fee, commitment, unused_commitment, true_up, covered or adjustment.</param>
/// <param name="Use">production, trial or internal.</param>
/// <param name="Estimated">It rests on an estimate.</param>
/// <param name="Description">For people.</param>
/// <param name="Meter">What was counted.</param>
/// <param name="Quantity">Priced units: decimal text.</param>
/// <param name="Unit">What is priced.</param>
/// <param name="ListUnitPrice">Before discounts: decimal text.</param>
/// <param name="UnitPrice">What is charged for a unit: decimal text.</param>
/// <param name="Exact">The amount before it was rounded: decimal text.</param>
/// <param name="Amount">As it is added up.</param>
public sealed record StatementLineItem(
    int Line, string Part, string? Reference, DateTimeOffset From, DateTimeOffset To, string? Sku, int Tier, string Kind, string Use, bool Estimated, string Description, string? Meter, string? Quantity, string? Unit,
    string? ListUnitPrice, string? UnitPrice, string Exact, MoneyItem Amount);
