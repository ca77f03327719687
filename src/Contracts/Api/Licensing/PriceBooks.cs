using System.ComponentModel.DataAnnotations;

namespace MissionControl.Contracts.Api.Licensing;

/// <summary>Creates a price book, still without prices.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Currency">ISO 4217, of all its versions.</param>
public sealed record CreatePriceBookRequest([property: Required, StringLength(200, MinimumLength = 1)] string? Name, [property: Required, StringLength(3)] string? Currency);

/// <summary>A price book.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="CreatedAt">When it was created (UTC).</param>
public sealed record PriceBookItem(Guid Id, string Name, string Currency, DateTimeOffset CreatedAt);

/// <summary>A version of a price book.</summary>
/// <param name="BookId">The price book.</param>
/// <param name="Number">From 1, never used again.</param>
/// <param name="State">draft or published.</param>
/// <param name="EffectiveFrom">In force from here (UTC) until a later version is.</param>
/// <param name="Sha256">Of its canonical content: two versions with the same digest have the same prices and date.</param>
/// <param name="Rates">How many rates it has.</param>
/// <param name="CreatedAt">When it was imported, or last replaced (UTC).</param>
/// <param name="PublishedAt">When it was published (UTC).</param>
/// <param name="Version">For If-Match.</param>
/// <param name="Actions">replace, discard and publish, and whether the reader may now.</param>
public sealed record PriceBookVersionItem(
    Guid BookId, int Number, string State, DateTimeOffset EffectiveFrom, string Sha256, int Rates, DateTimeOffset CreatedAt, DateTimeOffset? PublishedAt, long Version, IReadOnlyList<AllowedAction> Actions);

/// <summary>A price sheet: the content of a version. Every number is text, as it is written in the sheet.</summary>
/// <param name="Currency">ISO 4217; that of the book.</param>
/// <param name="EffectiveFrom">First instant of a month, such as 2026-12-01T00:00:00Z.</param>
/// <param name="Rates">One for each sku.</param>
public sealed record PriceSheetItem(string Currency, string EffectiveFrom, IReadOnlyList<RateItem> Rates);

/// <summary>The price of one thing.</summary>
/// <param name="Sku">Its name on invoices.</param>
/// <param name="Description">For people.</param>
/// <param name="Meter">What is counted; null for a fee.</param>
/// <param name="Unit">What is priced.</param>
/// <param name="Per">How many units of the meter one priced unit is.</param>
/// <param name="Model">flat, graduated, volume, package or fixed.</param>
/// <param name="PackageUnits">Priced units of a package; null for other models.</param>
/// <param name="MinimumUnits">Priced units that a period has at least.</param>
/// <param name="Rounding">none, up, down or nearest: how the units of a period become whole.</param>
/// <param name="Tiers">In rising order.</param>
public sealed record RateItem(string Sku, string Description, string? Meter, string Unit, string Per, string Model, string? PackageUnits, string MinimumUnits, string Rounding, IReadOnlyList<TierItem> Tiers);

/// <summary>A step of a price.</summary>
/// <param name="UpTo">Last unit that it holds; null: no end.</param>
/// <param name="Price">For a unit, a package, or the period of a fee.</param>
/// <param name="Fee">Once for the period when the tier is reached.</param>
public sealed record TierItem(string? UpTo, string Price, string Fee);

/// <summary>What is wrong with a sheet, if anything.</summary>
/// <param name="Valid">Whether it could be imported.</param>
/// <param name="Rates">How many rates were read; 0 when it is not valid.</param>
/// <param name="Errors">Every error at once, each with its line.</param>
public sealed record SheetCheckResult(bool Valid, int Rates, IReadOnlyList<FieldError> Errors);

/// <summary>What differs between two versions.</summary>
/// <param name="From">The version that is compared against.</param>
/// <param name="To">The version that is asked about.</param>
/// <param name="Changes">By sku; empty: the prices are the same.</param>
public sealed record PriceBookDiff(int From, int To, IReadOnlyList<RateChange> Changes);

/// <summary>A rate that came, went or changed.</summary>
/// <param name="Sku">Its sku.</param>
/// <param name="Change">added, removed or changed.</param>
/// <param name="Fields">What of it changed, by pointer within the rate.</param>
public sealed record RateChange(string Sku, string Change, IReadOnlyList<RateFieldChange> Fields);

/// <summary>A member of a rate that changed.</summary>
/// <param name="Pointer">Within the rate, such as <c>/tiers/0/price</c>.</param>
/// <param name="Before">Null: there was none.</param>
/// <param name="After">Null: there is none.</param>
public sealed record RateFieldChange(string Pointer, string? Before, string? After);
