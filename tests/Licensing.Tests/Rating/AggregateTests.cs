using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Rating;
using Xunit;

namespace MissionControl.Licensing.Tests.Rating;

/// <summary>From hours to a period, against sums that are made by looking at each hour and each series.</summary>
public sealed class AggregateTests
{
    private static readonly Guid[] Clusters = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];

    // A window of a cluster holds each series once; windows of newer hours may lack what older ones had.
    private static readonly Arbitrary<List<MeterValue>> Values =
        (from cluster in Gen.Choose(0, 2)
         from series in Gen.Choose(0, 2)
         from hour in Gen.Choose(0, 60)
         from scale in Gen.Choose(0, 9)
         from quantity in Gen.OneOf(Gen.Choose(0, 5000).Select(value => (long)value), Gen.Constant(long.MaxValue))
         select new MeterValue(Clusters[cluster], series, hour, quantity, scale)).ListOf().Select(list => list.DistinctBy(value => (value.Cluster, value.Series, value.Hour)).ToList()).ToArbitrary();

    [Fact]
    public void Every_aggregation_is_what_looking_at_each_hour_gives() => Prop.ForAll(Values, values =>
    {
        var last = values.GroupBy(value => value.Cluster).ToDictionary(group => group.Key, group => group.Max(value => value.Hour));
        var expected = new Dictionary<string, BigInteger>
        {
            ["sum"] = Sum(values),
            ["unit_seconds"] = Sum(values),
            ["max"] = Enumerable.Range(0, 61).Select(hour => Sum(values.Where(value => value.Hour == hour))).Max(),
            ["last"] = Clusters.Aggregate(BigInteger.Zero, (sum, cluster) => sum + Sum(values.Where(value => value.Cluster == cluster && value.Hour == last[cluster]))),
            ["period_cumulative"] = values.Where(value => !values.Any(later => later.Cluster == value.Cluster && later.Series == value.Series && later.Hour > value.Hour)).Aggregate(BigInteger.Zero, (sum, value) => sum + Scaled(value)),
        };

        Assert.All(expected, pair => Assert.Equal(pair.Value, Aggregate.Total(pair.Key, values, last)));
        Assert.All(expected, pair => Assert.Equal(pair.Value, Aggregate.Total(pair.Key, values.AsEnumerable().Reverse(), last)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Hours_days_and_clusters_in_whatever_groups_sum_up_to_the_period() => Prop.ForAll(Values, values =>
    {
        Int128 Of(IEnumerable<MeterValue> some) => Aggregate.Total("sum", some, new Dictionary<Guid, int>());
        Assert.Equal(Of(values), values.GroupBy(value => value.Hour / 24).Aggregate(Int128.Zero, (sum, day) => sum + Of(day)));
        Assert.Equal(Of(values), values.GroupBy(value => value.Cluster).Aggregate(Int128.Zero, (sum, cluster) => sum + Of(cluster)));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_hour_that_was_sent_without_the_meter_says_that_there_is_none()
    {
        List<MeterValue> values = [new(Clusters[0], 1, 5, 40, 0)];

        Assert.Equal(40 * (Int128)Rounding.One, Aggregate.Total("last", values, new Dictionary<Guid, int> { [Clusters[0]] = 5 }));
        Assert.Equal(0, Aggregate.Total("last", values, new Dictionary<Guid, int> { [Clusters[0]] = 6 }));
        Assert.Throws<RatingException>(() => Aggregate.Total("average", values, new Dictionary<Guid, int>()));
    }

    [Fact]
    public void Fractions_of_an_hour_are_kept_until_the_period_ends()
    {
        // 744 times a third of a unit, cut at nine digits as the meter counts it: whole hours would be 744 units or none.
        var values = Enumerable.Range(0, 744).Select(hour => new MeterValue(Clusters[0], 0, hour, 333_333_333, 9));
        var card = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Flat, [new Tier(null, 1_000_000_000)], Rounding: UnitRounding.Up)]);

        var total = Aggregate.Total("sum", values, new Dictionary<Guid, int>());
        Assert.Equal(24_800, Rater.Rate(card, RaterTests.Plain, RaterTests.Month, [new MeterTotal("m", Use.Production, 9, total)], Carry.None).TotalMinor);
    }

    [Fact]
    public void Missing_hours_are_taken_to_be_like_the_last_that_came()
    {
        List<MeterValue> values = [new(Clusters[0], 1, 3, 30, 0), new(Clusters[0], 2, 3, 7, 0), new(Clusters[0], 1, 9, 90, 0)];
        IReadOnlyList<int> received = [3, 6, 9];

        // Hours 0 to 2 lie before all that came; hour 6 came without the meter, so that 7 and 8 are like it.
        var estimates = Estimates.Of(MissingPolicy.Carry, [(0, 2), (4, 5), (7, 8), (10, 10)], received, values)!;
        Assert.Equal([(0, 30), (0, 7), (1, 30), (1, 7), (2, 30), (2, 7), (4, 30), (4, 7), (5, 30), (5, 7), (10, 90)], estimates.Select(value => (value.Hour, (int)value.Quantity)));

        Assert.Null(Estimates.Of(MissingPolicy.Block, [(0, 2)], received, values));
        Assert.Empty(Estimates.Of(MissingPolicy.Block, [], received, values)!);
        Assert.Empty(Estimates.Of(MissingPolicy.Zero, [(0, 2)], received, values)!);
        Assert.Empty(Estimates.Of(MissingPolicy.Carry, [(0, 2)], [], [])!);
    }

    private static BigInteger Sum(IEnumerable<MeterValue> values) => values.Aggregate(BigInteger.Zero, (sum, value) => sum + Scaled(value));

    private static BigInteger Scaled(MeterValue value) => value.Quantity * BigInteger.Pow(10, 9 - value.Scale);
}
