using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Rating;

namespace MissionControl.Licensing.Tests.Rating;

/// <summary>Contracts as they come to the rater: small numbers that meet limits often, odd prices, begun months.</summary>
internal static class Terms
{
    /// <summary>January, February and March, in hours of a time that begins with them.</summary>
    private static readonly int[] Months = [0, 744, 1416, 2160];

    private static readonly Gen<long> Prices = Gen.Elements(0L, 1L, 5_000_000L, 123_456_789L, 333_333_333L, 500_000_000L, 2_000_000_000L);

    private static readonly Gen<long> Units = Gen.Choose(0, 160).Select(halves => halves * 500_000_000L);

    private static readonly Gen<List<Tier>> Tiers =
        from limits in Gen.Choose(1, 60).ListOf(2)
        from count in Gen.Choose(1, 3)
        from prices in Prices.ListOf(3)
        from fees in Gen.Elements(0L, 0L, 0L, 5_000_000_000L, 1_005_000_000L).ListOf(3)
        let rising = new[] { limits.Min() * 1_000_000_000L, (limits.Min() + limits.Max()) * 1_000_000_000L }
        select Enumerable.Range(0, count).Select(i => new Tier(i == count - 1 ? null : rising[i], prices[i], fees[i])).ToList();

    private static Gen<Rate> RateOf(int number) =>
        from model in Gen.Elements(Enum.GetValues<PriceModel>())
        from tiers in Tiers
        from per in Gen.Elements(1L, 7L, 3600L)
        from package in Gen.Elements(1L, 3L, 10L)
        from minimum in Gen.Elements(0L, 0L, 7_500_000_000L, 100_000_000_000L)
        from rounding in Gen.Elements(Enum.GetValues<UnitRounding>())
        from meter in Gen.Choose(0, 2)
        select new Rate(
            $"r{number}", $"Rate {number}", model == PriceModel.Fixed ? null : $"m{meter}", "unit", per, model,
            model is PriceModel.Graduated or PriceModel.Volume ? tiers : [tiers[^1]], model == PriceModel.Package ? package : 0, model == PriceModel.Fixed ? 0 : minimum, rounding);

    private static readonly Gen<RateCard> Cards =
        from first in RateOf(0)
        from second in RateOf(1)
        from third in RateOf(2)
        from currency in Gen.Elements("EUR", "JPY", "KWD", "CLF")
        select new RateCard(currency, [first, second, third]);

    private static Gen<ContractTerms> TermsOf(RateCard card) =>
        from kind in Gen.Elements(Enum.GetValues<CommitmentKind>())
        from minor in Gen.Choose(0, 30_000)
        from units in Units
        from overage in Gen.Elements<(bool Allowed, int Numerator, int Denominator)>((true, 1, 1), (true, 5, 4), (true, 4, 3), (false, 2, 1))
        from use in Gen.Elements(Use.Production, Use.Production, Use.Production, Use.Trial)
        from discounts in (from sku in Gen.Elements(null, "r0", "r1") from million in Gen.Elements(0, 125_000, 333_333, 1_000_000) from end in Gen.Elements<int?>(null, 744, 800) select new Discount(sku, million, 0, end)).ListOf(2)
        from start in Gen.Elements(0, 100, 372)
        from length in Gen.Elements(300, 1000, 1500, 1788)
        let sku = card.Rates.FirstOrDefault(rate => rate.Model != PriceModel.Fixed)?.Sku
        let commitment = kind switch
        {
            CommitmentKind.HighWaterMark when sku is not null => new Commitment(kind, Sku: sku, Units: units),
            CommitmentKind.MinimumPerPeriod or CommitmentKind.TermPool => new Commitment(kind, minor),
            _ => Commitment.None,
        }
        select new ContractTerms(start, start + length, card.Currency, use, commitment, new OveragePolicy(overage.Allowed, overage.Numerator, overage.Denominator), discounts, []);

    /// <summary>What was counted in a period: each meter for some uses, in several parts.</summary>
    public static Gen<List<MeterTotal>> Totals { get; } =
        (from meter in Gen.Choose(0, 2)
         from use in Gen.Elements(Use.Production, Use.Production, Use.Trial, Use.Internal)
         from scale in Gen.Elements(0, 3, 9)
         from per in Gen.Elements(1, 7, 3600)
         from quantity in Gen.Choose(0, 60_000)
         from estimated in Gen.Elements(0, 0, 5_000)
         let factor = Rounding.Power(scale) * per
         select new MeterTotal($"m{meter}", use, scale, quantity * factor / 1000, estimated * factor / 1000)).ListOf(5).Select(list => list.ToList());

    /// <summary>A contract of one to three periods.</summary>
    public static Arbitrary<List<TermPeriod>> All { get; } =
        (from card in Cards
         from terms in TermsOf(card)
         from totals in Totals.ListOf(3)
         select Periods(terms).Select((period, i) => new TermPeriod(period, card, terms, totals[i])).ToList()).ToArbitrary();

    private static IEnumerable<RatingPeriod> Periods(ContractTerms terms) =>
        from month in Enumerable.Range(0, 3)
        let first = Math.Max(Months[month], terms.FromHour)
        let last = Math.Min(Months[month + 1], terms.ToHour)
        where first < last
        select new RatingPeriod(first, last, Months[month], Months[month + 1]);
}
