namespace MissionControl.Licensing.Rating;

/// <summary>One effective value of a meter.</summary>
/// <param name="Cluster">Whose.</param>
/// <param name="Series">What tells it from others of its hour: hash of its dimensions.</param>
/// <param name="Hour">Of which hour, since 1970-01-01T00Z.</param>
/// <param name="Quantity">value × 10^scale.</param>
/// <param name="Scale">Of the version of the meter it was counted by, 0 to 9.</param>
internal readonly record struct MeterValue(Guid Cluster, long Series, int Hour, long Quantity, int Scale)
{
    /// <summary>In 10^-9, the same for all versions.</summary>
    public Int128 Nano => Quantity * Rounding.Power(Rounding.PriceScale - Scale);
}

/// <summary>
/// How the hours of a period become one total. Versions of one meter belong together in one call, and so do all clusters of a contract;
/// what is for another use does not.
/// </summary>
internal static class Aggregate
{
    /// <summary>The total, in 10^-9.</summary>
    /// <param name="aggregation">
    /// <c>sum</c> and <c>unit_seconds</c>: all values together. <c>max</c>: the high-water mark: the hour in which all clusters and
    /// environments together had most, since a bill asks how much there was at once; the peaks of two clusters that never were there
    /// at the same time do not add up. <c>last</c>: what each cluster said in the last hour it sent; what it no longer names there is
    /// gone. <c>period_cumulative</c>: the last word on each series, which counts from the period's start by itself and stays when its
    /// environment goes.
    /// </param>
    /// <param name="values">Those of the period, in any order.</param>
    /// <param name="lastHours">For <c>last</c>: the newest hour of the period that each cluster sent, whether this meter is in it or not.</param>
    /// <exception cref="OverflowException">The total does not fit.</exception>
    public static Int128 Total(string aggregation, IEnumerable<MeterValue> values, IReadOnlyDictionary<Guid, int> lastHours) => aggregation switch
    {
        "sum" or "unit_seconds" => Sum(values),
        "max" => Max(values),
        "last" => Sum(values.Where(value => lastHours[value.Cluster] == value.Hour)),
        "period_cumulative" => Sum(values.GroupBy(value => (value.Cluster, value.Series)).Select(series => series.MaxBy(value => value.Hour))),
        _ => throw new RatingException($"'{aggregation}' is no aggregation."),
    };

    private static Int128 Sum(IEnumerable<MeterValue> values)
    {
        Int128 sum = 0;
        foreach (var value in values)
        {
            sum = checked(sum + value.Nano);
        }

        return sum;
    }

    private static Int128 Max(IEnumerable<MeterValue> values)
    {
        var hours = new Dictionary<int, Int128>();
        foreach (var value in values)
        {
            hours[value.Hour] = checked(hours.GetValueOrDefault(value.Hour) + value.Nano);
        }

        return hours.Count == 0 ? 0 : hours.Values.Max();
    }
}
