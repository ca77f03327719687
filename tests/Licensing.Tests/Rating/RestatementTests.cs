using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Rating;
using Xunit;

namespace MissionControl.Licensing.Tests.Rating;

/// <summary>What is booked over all time for a period is what its newest statement says, however often it was restated.</summary>
public sealed class RestatementTests
{
    private static readonly Arbitrary<(List<TermPeriod> Term, List<List<MeterTotal>> News)> Histories =
        (from term in Terms.All.Generator from news in Terms.Totals.ListOf(3) select (term, news.ToList())).ToArbitrary();

    [Fact]
    public void What_was_booked_adds_up_to_the_newest_statement() => Prop.ForAll(Histories, history =>
    {
        var (term, news) = history;
        var last = Term.Rate(term);
        var booked = last.Select(rated => rated.TotalMinor).ToList();
        foreach (var (late, i) in news.Select((late, i) => (late, i)))
        {
            // Late usage of one period, on top of what was there or in its place; all that follow may change with it. At last other prices.
            var of = i % term.Count;
            term = [.. term];
            term[of] = term[of] with { Totals = i == 1 ? late : [.. term[of].Totals, .. late], Card = i == 2 ? Dearer(term[of].Card) : term[of].Card };
            var now = Term.Rate(term);
            for (var p = 0; p < term.Count; p++)
            {
                var corrections = Restatement.Diff(now[p].Period, last[p].Lines, now[p].Lines);
                booked[p] += corrections.Sum(line => line.Minor);
                Assert.Equal(now[p].TotalExact - last[p].TotalExact, corrections.Aggregate(Int128.Zero, (sum, line) => sum + line.Exact));
                Assert.All(corrections, line => Assert.Equal((now[p].Period.FromHour, now[p].Period.ToHour), (line.FromHour, line.ToHour)));
                Assert.All(corrections.Where(line => line.Kind == CorrectionKind.Reversal), line =>
                {
                    var was = last[p].Lines.Single(old => old.Key == line.Key);
                    Assert.Equal((-was.PricingQuantity, was.UnitPrice, was.ListUnitPrice, -was.Minor), (line.PricingQuantity, line.UnitPrice, line.ListUnitPrice, line.Minor));
                });
                Assert.Empty(Restatement.Diff(now[p].Period, now[p].Lines, Term.Rate(term)[p].Lines));
            }

            Assert.Equal(now.Select(rated => rated.TotalMinor), booked);
            last = now;
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(200));

    [Fact]
    public void Once_all_hours_have_come_nothing_is_left_of_estimates() => Prop.ForAll(Terms.All, term =>
    {
        var arrived = term.Select(one => one with { Totals = [.. one.Totals.Select(total => total with { Quantity = total.Quantity + total.Estimated, Estimated = 0 })] }).ToList();
        foreach (var (before, after) in Term.Rate(term).Zip(Term.Rate(arrived)))
        {
            var estimated = before.Lines.Where(line => line.Key.Estimated).Select(line => line.Minor).Concat(Restatement.Diff(before.Period, before.Lines, after.Lines).Where(line => line.Key.Estimated).Select(line => line.Minor));
            Assert.Equal(0, estimated.Sum());
            Assert.DoesNotContain(after.Lines, line => line.Key.Estimated);
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_line_with_another_price_is_taken_back_as_it_was_booked_and_booked_anew()
    {
        var card = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Flat, [new Tier(null, 5_000_000)])]);
        RatedPeriod Rate(RateCard card) => Rater.Rate(card, RaterTests.Plain, RaterTests.Month, [new MeterTotal("m", Use.Production, 0, 5)], Carry.None);

        var corrections = Restatement.Diff(RaterTests.Month, Rate(card).Lines, Rate(Dearer(card)).Lines);
        Assert.Equal(
            [(CorrectionKind.Reversal, -5_000_000_000, 5_000_000L, -3L), (CorrectionKind.New, 5_000_000_000, 10_000_000L, 5L)],
            corrections.Select(line => (line.Kind, (long)line.PricingQuantity, line.UnitPrice, line.Minor)));
    }

    [Fact]
    public void The_difference_of_two_roundings_is_booked_and_not_the_rounding_of_a_difference()
    {
        var card = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Flat, [new Tier(null, 5_000_000)])]);
        RatedPeriod Rate(int quantity) => Rater.Rate(card, RaterTests.Plain, RaterTests.Month, [new MeterTotal("m", Use.Production, 0, quantity)], Carry.None);

        // Half a cent each: 0.01, 0.01, 0.02, 0.02. Rounded by themselves the three late units were a cent each.
        var booked = new[] { (1, 2), (2, 3), (3, 4) }.Select(step => Restatement.Diff(RaterTests.Month, Rate(step.Item1).Lines, Rate(step.Item2).Lines).Single().Minor);
        Assert.Equal([0, 1, 0], booked);
    }

    [Fact]
    public void A_late_hour_is_rated_with_all_of_its_period_and_not_from_the_first_tier_anew()
    {
        var card = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Graduated, [new Tier(100_000_000_000, 1_000_000_000), new Tier(null, 500_000_000)])]);
        RatedPeriod Rate(params int[] parts) => Rater.Rate(card, RaterTests.Plain, RaterTests.Month, [.. parts.Select(part => new MeterTotal("m", Use.Production, 0, part))], Carry.None);

        Assert.Equal(5_00, Restatement.Diff(RaterTests.Month, Rate(100).Lines, Rate(100, 10).Lines).Single().Minor);
    }

    private static RateCard Dearer(RateCard card) => card with { Rates = [.. card.Rates.Select(rate => rate with { Tiers = [.. rate.Tiers.Select(tier => tier with { UnitPrice = tier.UnitPrice + 5_000_000 })] })] };
}
