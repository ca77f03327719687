using System.Numerics;
using MissionControl.Licensing.Rating;

namespace MissionControl.Licensing.Tests.Rating;

/// <summary>
/// What a contract costs, by another way than the rater's: every unit between two neighbouring limits is asked what it is and which
/// tier it lies in, in integers without an end. Slow, and short enough to be read against the rules.
/// </summary>
internal sealed class Oracle
{
    internal sealed record Line(BigInteger Quantity, BigInteger List, BigInteger Price, BigInteger Minor);

    private static readonly BigInteger Nano = 1_000_000_000;
    private BigInteger charged, pool, mark;

    public Dictionary<LineKey, Line> Rate(TermPeriod one)
    {
        var (terms, lines, counting) = (one.Terms, new Dictionary<LineKey, Line>(), BigInteger.Zero);
        var digits = terms.Currency switch { "JPY" => 0, "EUR" => 2, "KWD" => 3, _ => 4 };
        var (hours, whole) = (one.Period.ToHour - one.Period.FromHour, one.Period.WholeTo - one.Period.WholeFrom);
        var paid = terms.Use == Use.Production;
        var markNow = mark;
        foreach (var rate in one.Card.Rates)
        {
            if (rate.Model == PriceModel.Fixed)
            {
                Put(rate, new LineKey(rate.Sku, 0, terms.Use, LineKind.Fee, false), Nano, Half(rate.Tiers[0].UnitPrice * (BigInteger)hours, whole), rate.Tiers[0].UnitPrice, hours, whole);
                continue;
            }

            foreach (var use in Enum.GetValues<Use>())
            {
                BigInteger Counted(bool estimated) => one.Totals.Where(total => total.Meter == rate.Meter && total.Use == use)
                    .Aggregate(BigInteger.Zero, (sum, total) => sum + ((BigInteger)(total.Quantity + (estimated ? total.Estimated : 0)) * BigInteger.Pow(10, 9 - total.Scale)));
                BigInteger Packed(BigInteger units) => rate.Model == PriceModel.Package ? -BigInteger.Divide(-units - (rate.PackageUnits * Nano) + 1, rate.PackageUnits * Nano) * Nano : units;
                var ends = new List<(BigInteger End, LineKind Kind, bool Estimated)>
                {
                    (Packed(Units(Counted(false), rate.Per, rate.Rounding)), LineKind.Usage, false),
                    (Packed(Units(Counted(true), rate.Per, rate.Rounding)), LineKind.Usage, true),
                };
                BigInteger? promised = null;
                if (paid && use == Use.Production)
                {
                    ends.Add((Packed(Units(rate.MinimumUnits * (BigInteger)hours, whole, rate.Rounding)), LineKind.Minimum, false));
                    if (terms.Commitment.Kind == CommitmentKind.HighWaterMark && terms.Commitment.Sku == rate.Sku)
                    {
                        promised = Packed(Units(terms.Commitment.Units * (BigInteger)hours, whole, rate.Rounding));
                        ends.Add((promised.Value, LineKind.UnusedCommitment, false));
                        ends.Add((Packed(Units(mark * hours, whole, rate.Rounding)), LineKind.TrueUp, false));
                        markNow = BigInteger.Max(mark, Units(Counted(true), rate.Per, rate.Rounding));
                    }
                }

                var all = ends.Max(end => end.End);
                var certain = ends.Where(end => !end.Estimated).Max(end => end.End);
                int TierOf(BigInteger unit) => rate.Tiers.TakeWhile(tier => tier.UpTo < unit).Count();
                var tiered = rate.Model is PriceModel.Graduated or PriceModel.Volume;
                var limits = ends.Select(end => end.End).Append(promised ?? 0).Append(0).Concat(rate.Tiers.Select(tier => (BigInteger)(tier.UpTo ?? 0)))
                    .Where(limit => limit <= all).Distinct().Order().ToList();
                foreach (var (from, to) in limits.Zip(limits.Skip(1)))
                {
                    var (_, kind, estimated) = ends.First(end => end.End >= to);
                    kind = kind == LineKind.Usage && promised < to ? LineKind.Overage : kind;
                    var tier = rate.Model == PriceModel.Graduated ? TierOf(to) : TierOf(all);
                    var beyond = kind is LineKind.Overage or LineKind.TrueUp && terms.Overage.Allowed;
                    Put(rate, new LineKey(rate.Sku, tiered ? tier + 1 : 0, use, kind, estimated), to - from, rate.Tiers[tier].UnitPrice, rate.Tiers[tier].UnitPrice,
                        beyond ? terms.Overage.Numerator : 1, beyond ? terms.Overage.Denominator : 1);
                }

                int[] Reached(BigInteger quantity) => quantity == 0 ? [] : rate.Model == PriceModel.Graduated ? [.. Enumerable.Range(0, TierOf(quantity) + 1)] : [TierOf(quantity)];
                foreach (var tier in Reached(all).Where(tier => rate.Tiers[tier].Fee > 0))
                {
                    Put(rate, new LineKey(rate.Sku, tiered ? tier + 1 : 0, use, LineKind.Fee, !Reached(certain).Contains(tier)), Nano, rate.Tiers[tier].Fee, rate.Tiers[tier].Fee, 1, 1);
                }
            }
        }

        mark = markNow;
        if (paid && terms.Commitment.Kind is CommitmentKind.MinimumPerPeriod or CommitmentKind.TermPool && paid)
        {
            Promise();
        }

        return lines;

        void Promise()
        {
            var amount = (BigInteger)terms.Commitment.AmountMinor;
            if (terms.Commitment.Kind == CommitmentKind.MinimumPerPeriod)
            {
                var promise = Half(amount * hours, whole);
                Amount(LineKind.UnusedCommitment, promise - counting, promise > counting);
                Beyond(counting - promise);
                return;
            }

            var more = BigInteger.Max(0, amount - charged);
            (charged, pool) = (charged + more, pool + more);
            var drawn = BigInteger.Min(pool, counting);
            pool -= drawn;
            Amount(LineKind.Commitment, more, more > 0);
            Amount(LineKind.Covered, -drawn, drawn > 0);
            Beyond(counting - drawn);
        }

        void Beyond(BigInteger minor)
        {
            if (minor > 0 && terms.Overage is { Allowed: true } && terms.Overage.Numerator > terms.Overage.Denominator)
            {
                var nano = Half(minor * BigInteger.Pow(10, 9 - digits) * (terms.Overage.Numerator - terms.Overage.Denominator), terms.Overage.Denominator);
                lines.Add(new LineKey(null, 0, terms.Use, LineKind.Overage, false), new Line(nano, Nano, Nano, Half(nano, BigInteger.Pow(10, 9 - digits))));
            }
        }

        void Amount(LineKind kind, BigInteger minor, bool isThere)
        {
            if (isThere)
            {
                lines.Add(new LineKey(null, 0, terms.Use, kind, false), new Line(minor * BigInteger.Pow(10, 9 - digits), Nano, Nano, minor));
            }
        }

        void Put(Rate rate, LineKey key, BigInteger quantity, BigInteger list, BigInteger price, BigInteger numerator, BigInteger denominator)
        {
            var off = terms.Discounts.Where(discount => (discount.Sku ?? rate.Sku) == rate.Sku && discount.FromHour <= one.Period.FromHour && (discount.ToHour ?? int.MaxValue) > one.Period.FromHour)
                .Select(discount => discount.PerMillion).Append(0).Max();
            var unit = key.Use == Use.Production ? Half(price * (1_000_000 - off) * numerator, 1_000_000 * denominator) : 0;
            var before = lines.GetValueOrDefault(key);
            var together = quantity + (before?.Quantity ?? 0);
            var minor = Half(together * unit, BigInteger.Pow(10, 18 - digits));
            counting += rate.Model == PriceModel.Fixed ? 0 : minor - (before?.Minor ?? 0);
            lines[key] = new Line(together, list, unit, minor);
        }
    }

    /// <summary>The nearest, halves away from zero: half of the divisor is added to what is without a sign.</summary>
    public static BigInteger Half(BigInteger dividend, BigInteger divisor) => dividend.Sign * BigInteger.Divide((BigInteger.Abs(dividend) * 2) + divisor, divisor * 2);

    private static BigInteger Units(BigInteger quantity, BigInteger divisor, UnitRounding rounding) => rounding switch
    {
        UnitRounding.None => Half(quantity, divisor),
        UnitRounding.Nearest => Half(quantity, divisor * Nano) * Nano,
        UnitRounding.Down => BigInteger.Divide(quantity, divisor * Nano) * Nano,
        _ => BigInteger.Divide(quantity + (divisor * Nano) - 1, divisor * Nano) * Nano,
    };
}
