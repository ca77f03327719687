using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Rating;
using Xunit;

namespace MissionControl.Licensing.Tests.Rating;

/// <summary>Whatever is agreed and used: the rater says what the oracle says, and what must hold of every invoice holds.</summary>
public sealed class RaterTests
{
    private static readonly Config Thorough = Config.QuickThrowOnFailure.WithMaxTest(400);

    [Fact]
    public void Every_line_is_what_the_oracle_says() => Prop.ForAll(Terms.All, term =>
    {
        var oracle = new Oracle();
        foreach (var (one, rated) in term.Zip(Term.Rate(term)))
        {
            var expected = oracle.Rate(one).Select(line => (line.Key, line.Value)).OrderBy(line => line.Key);
            Assert.Equal(expected, rated.Lines.Select(line => (line.Key, new Oracle.Line(line.PricingQuantity, line.ListUnitPrice, line.UnitPrice, line.Minor))));
        }
    }).Check(Thorough);

    [Fact]
    public void The_cases_meet_every_kind_of_line_and_every_price_model()
    {
        var terms = Terms.All.Generator.Sample(1_000).ToList();
        var lines = terms.SelectMany(term => Term.Rate(term)).SelectMany(rated => rated.Lines).ToList();

        Assert.Equal(Enum.GetValues<LineKind>(), lines.Select(line => line.Key.Kind).Distinct().Order());
        Assert.Equal(Enum.GetValues<Use>(), lines.Select(line => line.Key.Use).Distinct().Order());
        Assert.All([LineKind.Usage, LineKind.Overage, LineKind.Fee], kind => Assert.Contains(lines, line => line.Key.Kind == kind && line.Key.Estimated));
        Assert.Contains(lines, line => line.Key is { Tier: 3, Kind: LineKind.Usage });
        Assert.All(Enum.GetValues<PriceModel>(), model => Assert.Contains(terms, term => term[0].Card.Rates.Any(rate => rate.Model == model)));
    }

    [Fact]
    public void Prices_times_quantities_promises_and_roundings_add_up() => Prop.ForAll(Terms.All, term =>
    {
        foreach (var (one, rated) in term.Zip(Term.Rate(term)))
        {
            var exponent = Currencies.Exponent(rated.Currency);
            var minorUnit = BigInteger.Pow(10, 18 - exponent);
            Assert.All(rated.Lines, line => Assert.Equal((BigInteger)line.PricingQuantity * line.UnitPrice, line.Exact));
            Assert.All(rated.Lines, line => Assert.Equal((BigInteger)line.PricingQuantity * line.ListUnitPrice, line.ListExact));
            Assert.All(rated.Lines, line => Assert.NotEqual(0, line.PricingQuantity));
            Assert.Equal(rated.Lines.Count, rated.Lines.Select(line => line.Key).Distinct().Count());
            Assert.True(BigInteger.Abs((rated.TotalMinor * minorUnit) - rated.TotalExact) * 2 <= rated.Lines.Count * minorUnit);
            if (rated.Balance is not { } balance)
            {
                continue;
            }

            Assert.Equal(balance.Committed, balance.Used + balance.Unused);
            Assert.True(balance.Unused == 0 || balance.Overage == 0);
            if (balance.Kind == CommitmentKind.MinimumPerPeriod && !(one.Terms.Overage.Numerator > one.Terms.Overage.Denominator && one.Terms.Overage.Allowed))
            {
                var fees = rated.Lines.Where(line => line.Key.Kind == LineKind.Fee && line.Meter is null).Sum(line => line.Minor);
                Assert.Equal(balance.Committed + balance.Overage, rated.TotalMinor - fees);
            }

            if (balance.Kind == CommitmentKind.TermPool)
            {
                Assert.Equal(balance.Unused, rated.Carry.PoolLeft);
                Assert.Equal(-balance.Used, rated.Lines.Where(line => line.Key.Kind == LineKind.Covered).Sum(line => line.Minor));
                Assert.Equal(rated.UsageMinor, balance.Used + balance.Overage);
            }
        }
    }).Check(Thorough);

    [Fact]
    public void How_usage_is_split_among_clusters_and_in_which_order_it_comes_changes_nothing() => Prop.ForAll(Terms.All, term =>
    {
        var split = term.Select(one => one with
        {
            Totals = [.. one.Totals.Reverse().SelectMany(total => new[] { total with { Quantity = total.Quantity / 3, Estimated = 0 }, total with { Quantity = total.Quantity - (total.Quantity / 3) } })],
        }).ToList();

        Assert.Equal(Term.Rate(term).SelectMany(rated => rated.Lines), Term.Rate(split).SelectMany(rated => rated.Lines));
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void More_usage_of_graduated_tiers_never_costs_less() => Prop.ForAll(Terms.All, Terms.Totals.ToArbitrary(), (term, more) =>
    {
        var one = term[0] with { Card = term[0].Card with { Rates = [.. term[0].Card.Rates.Where(rate => rate.Model is PriceModel.Graduated or PriceModel.Flat or PriceModel.Package or PriceModel.Fixed)] } };
        one = one with { Terms = one.Terms with { Commitment = Commitment.None } };
        Assert.True(Term.Rate([one with { Totals = [.. one.Totals, .. more] }])[0].TotalExact >= Term.Rate([one])[0].TotalExact);
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void One_price_for_every_unit_is_linear_before_it_is_rounded() => Prop.ForAll<int, int, int>((left, right, price) =>
    {
        var card = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Flat, [new Tier(null, Math.Abs((long)price))])]);
        Int128 Exact(long quantity) => Rater.Rate(card, Plain, Month, [new MeterTotal("m", Use.Production, 3, quantity)], Carry.None).TotalExact;
        Assert.Equal(Exact(Math.Abs((long)left)) + Exact(Math.Abs((long)right)), Exact(Math.Abs((long)left) + Math.Abs((long)right)));
    }).Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Rounding_mirrors_at_zero_and_is_the_nearest() => Prop.ForAll<int, int, int>((high, low, divisor) =>
    {
        Int128 value = ((Int128)high << 40) + low;
        Int128 by = Math.Abs((long)divisor) + 1;
        Assert.Equal(Oracle.Half(value, by), Rounding.Divide(value, by));
        Assert.Equal(-Rounding.Divide(value, by), Rounding.Divide(-value, by));
        Assert.Equal(Oracle.Half(value * by, BigInteger.Pow(10, 16)), Rounding.ToMinor(value * by, 2));
    }).Check(Thorough);

    [Fact]
    public void What_does_not_fit_is_refused_and_never_a_wrong_sum()
    {
        var card = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Flat, [new Tier(null, long.MaxValue)])]);
        MeterTotal Total(Int128 quantity) => new("m", Use.Production, 9, quantity);

        // 10^20 units at 9.2 billion each: 128 bits hold 1.7 × 10^20 of a currency.
        Assert.Throws<RatingException>(() => Rater.Rate(card, Plain, Month, [Total(Rounding.Power(29))], Carry.None));
        Assert.Throws<RatingException>(() => Rater.Rate(card, Plain, Month, [Total(Int128.MaxValue), Total(1)], Carry.None));
        Assert.Throws<RatingException>(() => Rater.Rate(card, Plain, Month, [new MeterTotal("m", Use.Production, 0, Int128.MaxValue / 2)], Carry.None));

        // 2^40 × 2^90 is nothing in 128 bits that wrap around, charged or free.
        var wraps = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Flat, [new Tier(null, 1L << 40)])]);
        Assert.Throws<RatingException>(() => Rater.Rate(wraps, Plain, Month, [Total(Int128.One << 90)], Carry.None));
        Assert.Throws<RatingException>(() => Rater.Rate(wraps, Plain, Month, [Total(Int128.One << 90) with { Use = Use.Trial }], Carry.None));

        // Either line fits and their sum does not; the price fits and what overage makes of it does not.
        var ones = new RateCard("EUR", [.. "ab".Select(sku => new Rate($"{sku}", "r", "m", "unit", 1, PriceModel.Flat, [new Tier(null, Rounding.One)]))]);
        Assert.Throws<RatingException>(() => Rater.Rate(ones, Plain, Month, [Total(Rounding.Power(25) * 6)], Carry.None));
        Assert.Throws<RatingException>(() => Rater.Rate(card, Plain with { Commitment = new Commitment(CommitmentKind.HighWaterMark, Sku: "r"), Overage = new OveragePolicy(true, 5, 4) }, Month, [Total(1)], Carry.None));

        // The exact amount fits and its cents do not fit 64 bits.
        Assert.Throws<RatingException>(() => Rater.Rate(card, Plain, Month, [Total(Rounding.Power(18) * 11)], Carry.None));
        Assert.Equal("92233720368547758070000000", Rater.Rate(card, Plain, Month, [Total(Rounding.Power(7))], Carry.None).TotalExact.ToString());
    }

    [Fact]
    public void What_does_not_belong_together_is_refused()
    {
        var card = new RateCard("EUR", [new Rate("r", "r", "m", "unit", 1, PriceModel.Graduated, [new Tier(5_000_000_000, 1)])]);

        Assert.Throws<RatingException>(() => Rater.Rate(card with { Currency = "USD" }, Plain, Month, [], Carry.None));
        Assert.Throws<RatingException>(() => Rater.Rate(card with { Currency = "XAU" }, Plain with { Currency = "XAU" }, Month, [], Carry.None));
        Assert.All([Month with { ToHour = 745 }, Month with { FromHour = 744 }, Month with { WholeFrom = 1 }], period => Assert.Throws<RatingException>(() => Rater.Rate(card, Plain, period, [], Carry.None)));
        Assert.Equal(["other"], Rater.Rate(card, Plain with { Commitment = new Commitment(CommitmentKind.HighWaterMark, Sku: "other", Units: 1) }, Month, [], Carry.None).Unpriced);

        // A mark of another rate, or of larger units, is none of this one.
        var marked = card with { Rates = [card.Rates[0] with { Model = PriceModel.Flat, Tiers = [new Tier(null, 1)] }] };
        int Due(Carry before) => Rater.Rate(marked, Plain with { Commitment = new Commitment(CommitmentKind.HighWaterMark, Sku: "r") }, Month, [], before).Lines.Count;
        Assert.Equal([1, 0, 0], new[] { ("r", 1L), ("s", 1L), ("r", 3600L) }.Select(mark => Due(new Carry(0, 0, Rounding.One, mark.Item1, mark.Item2))));
        Assert.Throws<RatingException>(() => Rater.Rate(card, Plain, Month, [new MeterTotal("m", Use.Production, 0, 6)], Carry.None));
        Assert.Single(Rater.Rate(card, Plain, Month, [new MeterTotal("m", Use.Production, 0, 5)], Carry.None).Lines);
        Assert.Throws<RatingException>(() => Term.Rate([new TermPeriod(new RatingPeriod(744, 1416, 744, 1416), card, Plain, [])]));
        Assert.Empty(Term.Rate([]));
    }

    [Fact]
    public void A_later_version_that_promises_more_is_charged_the_difference_and_one_that_promises_less_pays_nothing_back()
    {
        var card = new RateCard("EUR", []);
        var periods = new[] { 10_000L, 15_000L, 12_000L }.Select((minor, i) => new TermPeriod(
            new RatingPeriod(i * 744, (i + 1) * 744, i * 744, (i + 1) * 744), card, Plain with { Commitment = new Commitment(CommitmentKind.TermPool, minor) }, [])).ToList();

        Assert.Equal([10_000, 5_000, 0], Term.Rate(periods).Select(rated => rated.TotalMinor));
        Assert.Equal([10_000, 15_000, 15_000], Term.Rate(periods).Select(rated => rated.Carry.PoolLeft));
    }

    [Fact]
    public void What_usage_is_for_is_said_of_the_environment_first_then_of_such_an_environment_anywhere_then_of_the_contract()
    {
        var (one, other) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var terms = Plain with { Use = Use.Trial, Environments = [new EnvironmentUse(null, "test", Use.Internal), new EnvironmentUse(one, "test", Use.Production)] };

        Assert.Equal(Use.Production, Uses.Of(terms, one, "test"));
        Assert.Equal(Use.Internal, Uses.Of(terms, other, "test"));
        Assert.Equal(Use.Trial, Uses.Of(terms, one, "live"));
    }

    [Fact]
    public void Currencies_have_the_minor_unit_that_the_standard_gives_them()
    {
        Assert.Equal([("BHD", 3), ("CLF", 4), ("EUR", 2), ("ISK", 0), ("MRU", 2), ("UYI", 0), ("UYW", 4)], "BHD CLF EUR ISK MRU UYI UYW".Split(' ').Select(code => (code, Currencies.Exponent(code))));
        Assert.All(Currencies.All, code => Assert.Matches("^[A-Z]{3}$", code));
        Assert.All("XAU XDR XTS XXX BGN HRK eur EU".Split(' ').Append(""), code => Assert.Null(Currencies.ExponentOf(code)));
    }

    internal static RatingPeriod Month { get; } = new(0, 744, 0, 744);

    internal static ContractTerms Plain { get; } = new(0, 100_000, "EUR", Use.Production, Commitment.None, new OveragePolicy(true), [], []);
}
