namespace MissionControl.Licensing.Rating;

/// <summary>What a correction line does to the line it corrects.</summary>
internal enum CorrectionKind
{
    /// <summary>More or fewer units at the same price.</summary>
    Quantity,

    /// <summary>The line as it was booked, taken back.</summary>
    Reversal,

    /// <summary>A line that was not there, or had another price.</summary>
    New,
}

/// <summary>What a restated period books in an open one. It says which hours it is for: they are not those of the period it is booked in.</summary>
/// <param name="FromHour">First hour of the period that was restated.</param>
/// <param name="ToHour">Its last, not included.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Key">The line that it corrects.</param>
/// <param name="Description">As the line's.</param>
/// <param name="Meter">As the line's.</param>
/// <param name="Unit">As the line's.</param>
/// <param name="PricingQuantity">Difference in 10^-9.</param>
/// <param name="ListUnitPrice">As the line's.</param>
/// <param name="UnitPrice">As the line's.</param>
/// <param name="Minor">
/// The difference of the two rounded amounts and not a rounding of the difference: so what is booked for a period over all time is
/// what its newest statement says, to the unit.
/// </param>
internal sealed record CorrectionLine(
    int FromHour, int ToHour, CorrectionKind Kind, LineKey Key, string Description, string? Meter, string Unit, Int128 PricingQuantity, long ListUnitPrice, long UnitPrice, long Minor)
{
    /// <summary>In 10^-18.</summary>
    public Int128 Exact => checked(PricingQuantity * UnitPrice);

    /// <summary>In 10^-18.</summary>
    public Int128 ListExact => checked(PricingQuantity * ListUnitPrice);
}

/// <summary>Compares two generations of a period. Pure.</summary>
internal static class Restatement
{
    /// <summary>What must be booked so that a period which was booked as <paramref name="old"/> is booked as <paramref name="now"/>; nothing where they agree.</summary>
    /// <param name="period">The period that was restated.</param>
    /// <param name="old">Lines of its last generation.</param>
    /// <param name="now">Lines of the new one.</param>
    /// <returns>In the order of their keys, a reversal before what comes in its place.</returns>
    public static IReadOnlyList<CorrectionLine> Diff(RatingPeriod period, IReadOnlyList<RatedLine> old, IReadOnlyList<RatedLine> now)
    {
        var booked = old.ToDictionary(line => line.Key);
        var corrections = new List<CorrectionLine>();
        foreach (var line in now)
        {
            if (!booked.Remove(line.Key, out var was))
            {
                corrections.Add(Of(CorrectionKind.New, line, line.PricingQuantity, line.Minor));
            }
            else if ((was.UnitPrice, was.ListUnitPrice, was.Unit) != (line.UnitPrice, line.ListUnitPrice, line.Unit))
            {
                corrections.Add(Reversal(was));
                corrections.Add(Of(CorrectionKind.New, line, line.PricingQuantity, line.Minor));
            }
            else if (was.PricingQuantity != line.PricingQuantity)
            {
                corrections.Add(Of(CorrectionKind.Quantity, line, line.PricingQuantity - was.PricingQuantity, line.Minor - was.Minor));
            }
        }

        corrections.AddRange(booked.Values.Select(Reversal));
        return [.. corrections.OrderBy(line => line.Key)];

        CorrectionLine Reversal(RatedLine line) => Of(CorrectionKind.Reversal, line, -line.PricingQuantity, -line.Minor);

        CorrectionLine Of(CorrectionKind kind, RatedLine line, Int128 quantity, long minor) => new(
            period.FromHour, period.ToHour, kind, line.Key, line.Description, line.Meter, line.Unit, quantity, line.ListUnitPrice, line.UnitPrice, minor);
    }
}
