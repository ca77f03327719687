namespace MissionControl.Licensing.Rating;

// What the rater is told of prices: pure values, made of a stored price book version. Prices, pricing quantities and limits of tiers are
// integers of 10^-9.

/// <summary>How a quantity becomes an amount.</summary>
internal enum PriceModel
{
    /// <summary>One price for every unit.</summary>
    Flat,

    /// <summary>The units of each tier at that tier's price.</summary>
    Graduated,

    /// <summary>All units at the price of the tier that the whole quantity lies in.</summary>
    Volume,

    /// <summary>Whole packages, a begun one included.</summary>
    Package,

    /// <summary>A fee for the period, whatever was used; it has no meter.</summary>
    Fixed,
}

/// <summary>How the units of a period become whole ones. Never of an hour: that would bill two per cent too much.</summary>
internal enum UnitRounding
{
    /// <summary>Not at all: nine digits after the point stay.</summary>
    None,

    /// <summary>A begun unit counts.</summary>
    Up,

    /// <summary>Only whole units count.</summary>
    Down,

    /// <summary>The nearest, halves away from zero.</summary>
    Nearest,
}

/// <summary>One version of a price book.</summary>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Rates">One for each sku.</param>
internal sealed record RateCard(string Currency, IReadOnlyList<Rate> Rates)
{
    /// <summary>Whether it prices units of a sku; a fee has none.</summary>
    public bool HasUnitsOf(string? sku) => Rates.Any(rate => rate.Sku == sku && rate.Model != PriceModel.Fixed);
}

/// <summary>The price of one thing.</summary>
/// <param name="Sku">Its name on invoices and in exports, unique in its card.</param>
/// <param name="Description">For people.</param>
/// <param name="Meter">What is counted, in all its versions of the same unit; null for a fee.</param>
/// <param name="Unit">What is priced: "host unit hour".</param>
/// <param name="Per">How many units of the meter one priced unit is, whole: 3600. 1 where they are the same.</param>
/// <param name="Model">How the quantity becomes an amount.</param>
/// <param name="Tiers">In rising order, the last without a limit; one for all but graduated and volume.</param>
/// <param name="PackageUnits">Priced units of a package, whole; 0 for other models.</param>
/// <param name="MinimumUnits">Priced units that a whole period has at least, in 10^-9.</param>
/// <param name="Rounding">How the units of a period become whole.</param>
internal sealed record Rate(
    string Sku, string Description, string? Meter, string Unit, long Per, PriceModel Model, IReadOnlyList<Tier> Tiers, long PackageUnits = 0, long MinimumUnits = 0, UnitRounding Rounding = UnitRounding.None);

/// <summary>A step of a price.</summary>
/// <param name="UpTo">Last priced unit that it holds, in 10^-9, included; null: no end.</param>
/// <param name="UnitPrice">In 10^-9 of the currency; of a package: for the package; of a fee: for the period.</param>
/// <param name="Fee">Once for the period when the tier is reached, in 10^-9 of the currency.</param>
internal sealed record Tier(long? UpTo, long UnitPrice, long Fee = 0);
