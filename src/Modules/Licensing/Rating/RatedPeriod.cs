namespace MissionControl.Licensing.Rating;

/// <summary>The hours that are rated, and those of the whole period they lie in: a contract may begin or end within a month.</summary>
/// <param name="FromHour">First hour, since 1970-01-01T00Z.</param>
/// <param name="ToHour">Last hour, not included.</param>
/// <param name="WholeFrom">First hour of the whole period.</param>
/// <param name="WholeTo">Its last hour, not included.</param>
internal sealed record RatingPeriod(int FromHour, int ToHour, int WholeFrom, int WholeTo)
{
    /// <summary>Hours that are rated. All hours have as many seconds, so that shares of hours are shares of seconds.</summary>
    public int Hours => ToHour - FromHour;

    /// <summary>Hours of the whole period.</summary>
    public int WholeHours => WholeTo - WholeFrom;
}

/// <summary>What was counted in a period for one use. Several of one meter and use add up.</summary>
/// <param name="Meter">Of which meter.</param>
/// <param name="Use">What for.</param>
/// <param name="Scale">Digits after the point of the quantities, 0 to 9; 9 of what <see cref="Aggregate"/> made.</param>
/// <param name="Quantity">What was received, × 10^scale.</param>
/// <param name="Estimated">What is estimated of hours that are missing, on top of it, × 10^scale.</param>
internal sealed record MeterTotal(string Meter, Use Use, int Scale, Int128 Quantity, Int128 Estimated = default)
{
    /// <summary>All of one meter and use together, in 10^-9: what was received, and that with what is estimated.</summary>
    public static Dictionary<(string Meter, Use Use), (Int128 Firm, Int128 Expected)> Together(IReadOnlyList<MeterTotal> totals)
    {
        var sums = new Dictionary<(string Meter, Use Use), (Int128 Firm, Int128 Expected)>();
        foreach (var total in totals)
        {
            var scale = Rounding.Power(Rounding.PriceScale - total.Scale);
            var (firm, expected) = sums.GetValueOrDefault((total.Meter, total.Use));
            sums[(total.Meter, total.Use)] = checked((firm + (total.Quantity * scale), expected + ((total.Quantity + total.Estimated) * scale)));
        }

        return sums;
    }
}

/// <summary>What a period leaves to those after it.</summary>
/// <param name="PoolCharged">What has been charged for the pool of the term, in minor units.</param>
/// <param name="PoolLeft">What is left of it.</param>
/// <param name="Mark">Most units of the committed rate so far, in 10^-9.</param>
/// <param name="Sku">Of which rate the mark is; null: there is none yet.</param>
/// <param name="Per">How many units of the meter a unit of the mark is.</param>
internal sealed record Carry(Int128 PoolCharged, Int128 PoolLeft, Int128 Mark, string? Sku = null, long Per = 0)
{
    /// <summary>Before the first period.</summary>
    public static Carry None { get; } = new(0, 0, 0);

    /// <summary>The mark in units of a rate: one of other units is no mark of it.</summary>
    public Int128 MarkOf(Rate rate) => Sku == rate.Sku && Per == rate.Per ? Mark : 0;
}

/// <summary>What a line is for.</summary>
internal enum LineKind
{
    /// <summary>What was used, at its price.</summary>
    Usage,

    /// <summary>What lies beyond the commitment: units at the price of overage; of a committed amount what the overage costs more than usual.</summary>
    Overage,

    /// <summary>Units that a period has at least and that were not used.</summary>
    Minimum,

    /// <summary>A fee, of a rate or of a tier that was reached.</summary>
    Fee,

    /// <summary>The pool of the term, as it is charged.</summary>
    Commitment,

    /// <summary>What was promised and not used.</summary>
    UnusedCommitment,

    /// <summary>Units of an earlier, higher mark.</summary>
    TrueUp,

    /// <summary>What the pool pays; negative.</summary>
    Covered,
}

/// <summary>What a restatement compares lines by.</summary>
/// <param name="Sku">The rate; null where an amount is charged and no units.</param>
/// <param name="Tier">From 1; 0 where the rate has no tiers.</param>
/// <param name="Use">What for.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Estimated">It rests on an estimate; the line of what was received stands beside it.</param>
internal sealed record LineKey(string? Sku, int Tier, Use Use, LineKind Kind, bool Estimated) : IComparable<LineKey>
{
    /// <summary>One order on every machine: sku (ordinal), use, kind, tier, estimates last.</summary>
    public int CompareTo(LineKey? other)
    {
        if (other is null)
        {
            return 1;
        }

        var order = string.CompareOrdinal(Sku, other.Sku);
        return order != 0 ? order : (Use, Kind, Tier, Estimated).CompareTo((other.Use, other.Kind, other.Tier, other.Estimated));
    }
}

/// <summary>One rate, or one tier of it, of a period. <see cref="UnitPrice"/> × <see cref="PricingQuantity"/> is <see cref="Exact"/>, always.</summary>
/// <param name="Key">What it is compared by.</param>
/// <param name="Description">For people.</param>
/// <param name="Meter">What was counted; null of fees and amounts.</param>
/// <param name="Unit">What is priced; of an amount its currency.</param>
/// <param name="PricingQuantity">In 10^-9.</param>
/// <param name="ListUnitPrice">Before discounts, overage and free use, in 10^-9.</param>
/// <param name="UnitPrice">What is charged for a unit, in 10^-9.</param>
/// <param name="Minor">The exact amount, rounded once, in minor units.</param>
internal sealed record RatedLine(LineKey Key, string Description, string? Meter, string Unit, Int128 PricingQuantity, long ListUnitPrice, long UnitPrice, long Minor)
{
    /// <summary>In 10^-18.</summary>
    public Int128 Exact => checked(PricingQuantity * UnitPrice);

    /// <summary>In 10^-18.</summary>
    public Int128 ListExact => checked(PricingQuantity * ListUnitPrice);
}

/// <summary>
/// How a period stands to what was promised: used + unused = committed, overage = what lies above. In minor units; of a high-water
/// mark in units of 10^-9.
/// </summary>
/// <param name="Kind">Which commitment.</param>
/// <param name="Committed">Promised for the period; of a pool: what was left of it.</param>
/// <param name="Used">Of that.</param>
/// <param name="Unused">Of that.</param>
/// <param name="Overage">Beyond.</param>
internal sealed record CommitmentBalance(CommitmentKind Kind, Int128 Committed, Int128 Used, Int128 Unused, Int128 Overage)
{
    /// <summary>What a usage makes of a commitment.</summary>
    public static CommitmentBalance Of(CommitmentKind kind, Int128 committed, Int128 usage)
    {
        var used = Int128.Min(committed, usage);
        return new CommitmentBalance(kind, committed, used, committed - used, usage - used);
    }
}

/// <summary>A rated period.</summary>
/// <param name="Period">Which.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Lines">In the order of their keys; none of nothing.</param>
/// <param name="Carry">What it leaves.</param>
/// <param name="Balance">How it stands to the commitment; null where there is none.</param>
/// <param name="UsageMinor">What counts towards an amount that was promised, in minor units: all lines of rates with a meter.</param>
/// <param name="Unpriced">Meters that were counted and have no price, ordinal: somebody should know.</param>
internal sealed record RatedPeriod(
    RatingPeriod Period, string Currency, IReadOnlyList<RatedLine> Lines, Carry Carry, CommitmentBalance? Balance, Int128 UsageMinor, IReadOnlyList<string> Unpriced)
{
    /// <summary>What is to be paid for it, in minor units: the rounded lines together.</summary>
    public long TotalMinor => checked((long)Sum(Lines, line => line.Minor));

    /// <summary>The exact amounts together, in 10^-18.</summary>
    public Int128 TotalExact => Sum(Lines, line => line.Exact);

    private static Int128 Sum(IReadOnlyList<RatedLine> lines, Func<RatedLine, Int128> part)
    {
        Int128 sum = 0;
        foreach (var line in lines)
        {
            sum = checked(sum + part(line));
        }

        return sum;
    }
}
