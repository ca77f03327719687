namespace MissionControl.Licensing.Rating;

/// <summary>
/// Prices a period: the totals of its meters by the rates of a card, and what was promised. Pure, in integers only; a digit is lost
/// where <see cref="Rounding"/> says so: where meter units become priced units, where a price is changed by a factor, and where a line
/// becomes minor units, each once.
/// </summary>
internal sealed class Rater
{
    private const int Million = 1_000_000;

    private readonly RateCard card;
    private readonly ContractTerms terms;
    private readonly RatingPeriod period;
    private readonly Carry carry;
    private readonly int exponent;
    private Dictionary<(string Meter, Use Use), (Int128 Firm, Int128 Expected)> totals = [];
    private readonly List<RatedLine> lines = [];
    private Int128 usageMinor;
    private Carry next;
    private CommitmentBalance? balance;

    private Rater(RateCard card, ContractTerms terms, RatingPeriod period, Carry carry)
    {
        (this.card, this.terms, this.period, this.carry) = (card, terms, period, carry);
        exponent = Currencies.Exponent(terms.Currency);
        next = carry;
    }

    private bool IsPaid => terms.Use == Use.Production;

    private Commitment Promise => IsPaid ? terms.Commitment : Commitment.None;

    /// <summary>Rates one period. What it left behind before comes from the period before it: see <see cref="Term"/>.</summary>
    /// <param name="card">Prices, of the version that is in force at its first hour.</param>
    /// <param name="terms">The contract, of the version that is.</param>
    /// <param name="period">Its hours.</param>
    /// <param name="totals">What was counted; what no rate prices is no line, and is named.</param>
    /// <param name="carry">What earlier periods left; of the first: <see cref="Carry.None"/>.</param>
    /// <exception cref="RatingException">It does not fit the numbers, or terms and prices do not belong together.</exception>
    public static RatedPeriod Rate(RateCard card, ContractTerms terms, RatingPeriod period, IReadOnlyList<MeterTotal> totals, Carry carry)
    {
        if (card.Currency != terms.Currency)
        {
            throw new RatingException($"The prices are in {card.Currency} and the contract in {terms.Currency}.");
        }

        if (period.Hours <= 0 || period.FromHour < period.WholeFrom || period.ToHour > period.WholeTo)
        {
            throw new RatingException("The hours that are rated are some of their period.");
        }

        var rater = new Rater(card, terms, period, carry);
        try
        {
            var rated = rater.Run(totals);

            // Whoever has a rated period may ask for its sum.
            _ = rated.TotalMinor;
            return rated;
        }
        catch (OverflowException exception)
        {
            throw new RatingException("An amount or a quantity of this period is larger than 128 bits hold, or its amount in minor units than 64.", exception);
        }
    }

    private RatedPeriod Run(IReadOnlyList<MeterTotal> counted)
    {
        totals = MeterTotal.Together(counted);
        foreach (var rate in card.Rates)
        {
            if (rate.Model == PriceModel.Fixed)
            {
                // Of a begun period the fee's share: a price that is changed by a factor.
                Price(rate, new LineKey(rate.Sku, 0, terms.Use, LineKind.Fee, false), rate.Description, Rounding.One, rate.Tiers[0].UnitPrice, (period.Hours, period.WholeHours));
                continue;
            }

            foreach (var use in Enum.GetValues<Use>())
            {
                Meter(rate, use);
            }
        }

        CommittedAmount();
        lines.Sort((left, right) => left.Key.CompareTo(right.Key));
        var unpriced = totals.Where(total => total.Value.Expected != 0).Select(total => total.Key.Meter).Except(card.Rates.Select(rate => rate.Meter)).OfType<string>();

        // Contracts and prices are checked against each other; where they do not fit all the same, the period can be billed, and says so.
        if (Promise.Kind == CommitmentKind.HighWaterMark && !card.HasUnitsOf(Promise.Sku))
        {
            unpriced = unpriced.Append(Promise.Sku!);
        }

        return new RatedPeriod(period, terms.Currency, lines, next, balance, usageMinor, [.. unpriced.Order(StringComparer.Ordinal)]);
    }

    /// <summary>
    /// The units of a rate, from the first to the last: those that were received, those that are estimated, those that a period has at
    /// least, those that were promised, those of an earlier mark. Each step begins where the one before it ends, and the whole is
    /// what tiers look at.
    /// </summary>
    private void Meter(Rate rate, Use use)
    {
        var (firm, expected) = totals.GetValueOrDefault((rate.Meter!, use));
        var used = Whole(rate, Rounding.Units(expected, rate.Per, rate.Rounding));
        var steps = new List<Step> { new(Whole(rate, Rounding.Units(firm, rate.Per, rate.Rounding)), LineKind.Usage, false), new(used, LineKind.Usage, true) };
        Int128? committed = null;
        if (IsPaid && use == Use.Production)
        {
            steps.Add(new(Share(rate, rate.MinimumUnits), LineKind.Minimum, false));
            if (Promise.Kind == CommitmentKind.HighWaterMark && Promise.Sku == rate.Sku)
            {
                committed = Share(rate, Promise.Units);
                steps.Add(new(committed.Value, LineKind.UnusedCommitment, false));
                steps.Add(new(Share(rate, carry.MarkOf(rate)), LineKind.TrueUp, false));
                balance = CommitmentBalance.Of(Promise.Kind, committed.Value, used);
                next = carry with { Mark = Int128.Max(carry.MarkOf(rate), Rounding.Units(expected, rate.Per, rate.Rounding)), Sku = rate.Sku, Per = rate.Per };
            }
        }

        var whole = steps.Max(step => step.End);
        var certain = steps.Where(step => !step.Estimated).Max(step => step.End);
        var tiers = Tiers(rate, whole).ToList();
        var at = Int128.Zero;
        foreach (var step in steps)
        {
            if (step.Kind == LineKind.Usage && committed is { } promised && at < promised && promised < step.End)
            {
                Units(rate, use, tiers, at, step with { End = promised });
                at = promised;
            }

            if (step.End > at)
            {
                Units(rate, use, tiers, at, step.Kind == LineKind.Usage && at >= committed ? step with { Kind = LineKind.Overage } : step);
                at = step.End;
            }
        }

        // A tier that only the estimate reaches has an estimated fee.
        var reached = Tiers(rate, certain).Where(tier => tier.Over < certain).Select(tier => tier.Number).ToList();
        foreach (var tier in tiers.Where(tier => tier.Over < whole && tier.Tier.Fee > 0))
        {
            Price(rate, new LineKey(rate.Sku, tier.Number, use, LineKind.Fee, !reached.Contains(tier.Number)), rate.Description, Rounding.One, tier.Tier.Fee, (1, 1));
        }
    }

    private void Units(Rate rate, Use use, List<PricedTier> tiers, Int128 from, Step step)
    {
        var factor = step.Kind is LineKind.Overage or LineKind.TrueUp && terms.Overage.Allowed ? (terms.Overage.Numerator, terms.Overage.Denominator) : (1, 1);
        foreach (var tier in tiers)
        {
            var quantity = Int128.Min(step.End, tier.UpTo) - Int128.Max(from, tier.Over);
            if (quantity > 0)
            {
                Price(rate, new LineKey(rate.Sku, tier.Number, use, step.Kind, step.Estimated), rate.Description, quantity, tier.Tier.UnitPrice, factor);
            }
        }
    }

    /// <summary>The tiers that a quantity is priced by: of a volume the one that all of it lies in.</summary>
    private static IEnumerable<PricedTier> Tiers(Rate rate, Int128 whole)
    {
        if (rate.Model is PriceModel.Flat or PriceModel.Package)
        {
            yield return new PricedTier(0, 0, Int128.MaxValue, rate.Tiers[0]);
            yield break;
        }

        Int128 over = 0;
        for (var i = 0; i < rate.Tiers.Count; i++)
        {
            var upTo = rate.Tiers[i].UpTo ?? Int128.MaxValue;
            if (rate.Model == PriceModel.Graduated)
            {
                yield return new PricedTier(i + 1, over, upTo, rate.Tiers[i]);
            }
            else if (whole <= upTo)
            {
                yield return new PricedTier(i + 1, 0, Int128.MaxValue, rate.Tiers[i]);
                yield break;
            }

            over = upTo;
        }

        if (over < whole)
        {
            throw new RatingException($"'{rate.Sku}' has no price for so many units: its last tier has a limit.");
        }
    }

    /// <summary>Promised units, of a begun period its share.</summary>
    private Int128 Share(Rate rate, Int128 units) => Whole(rate, Rounding.Units(checked(units * period.Hours), period.WholeHours, rate.Rounding));

    /// <summary>Units that are sold in packages are counted in those.</summary>
    private static Int128 Whole(Rate rate, Int128 units) => rate.Model == PriceModel.Package ? Rounding.Units(units, rate.PackageUnits, UnitRounding.Up) : units;

    private void Price(Rate rate, LineKey key, string description, Int128 quantity, long price, (int Numerator, int Denominator) factor)
    {
        // Only a fee has a share for its factor, and that is no discount.
        var list = rate.Model == PriceModel.Fixed ? (long)Rounding.Divide((Int128)price * factor.Numerator, factor.Denominator) : price;
        var kept = Million - Discount(rate.Sku);
        var charged = key.Use == Use.Production ? checked((long)Rounding.Divide((Int128)price * kept * factor.Numerator, (Int128)Million * factor.Denominator)) : 0;
        var unit = rate.Model switch
        {
            PriceModel.Fixed => rate.Unit,
            _ when key.Kind == LineKind.Fee => "period",
            PriceModel.Package => $"package of {rate.PackageUnits} × {rate.Unit}",
            _ => rate.Unit,
        };
        var minor = Add(new RatedLine(key, description, rate.Meter, unit, quantity, list, charged, 0));
        usageMinor = checked(usageMinor + (rate.Model == PriceModel.Fixed ? 0 : minor));
    }

    /// <summary>Of several the largest; they do not add up.</summary>
    private int Discount(string sku) => terms.Discounts
        .Where(discount => (discount.Sku is null || discount.Sku == sku) && discount.FromHour <= period.FromHour && !(discount.ToHour <= period.FromHour))
        .Select(discount => discount.PerMillion).DefaultIfEmpty().Max();

    /// <summary>Amounts that were promised. What counts towards them are the rounded lines of usage, so that what is to be paid is the promise to the unit; fees of a period do not.</summary>
    private void CommittedAmount()
    {
        switch (Promise.Kind)
        {
            case CommitmentKind.MinimumPerPeriod:
                balance = CommitmentBalance.Of(Promise.Kind, Rounding.Divide(checked((Int128)Promise.AmountMinor * period.Hours), period.WholeHours), usageMinor);
                Amount(LineKind.UnusedCommitment, "Promised for the period and not used", Rounding.FromMinor(balance.Unused, exponent));
                break;

            case CommitmentKind.TermPool:
                // A later version of the contract may promise more; what was charged is not paid back.
                var added = Int128.Max(0, Promise.AmountMinor - carry.PoolCharged);
                balance = CommitmentBalance.Of(Promise.Kind, carry.PoolLeft + added, usageMinor);
                next = carry with { PoolCharged = carry.PoolCharged + added, PoolLeft = balance.Unused };
                Amount(LineKind.Commitment, "Promised for the term", Rounding.FromMinor(added, exponent));
                Amount(LineKind.Covered, "Paid from what was promised for the term", Rounding.FromMinor(-balance.Used, exponent));
                break;

            default:
                return;
        }

        if (terms.Overage.Allowed)
        {
            var more = checked(Rounding.FromMinor(balance.Overage, exponent) * (terms.Overage.Numerator - terms.Overage.Denominator));
            Amount(LineKind.Overage, $"Usage beyond what was promised costs {terms.Overage.Numerator}/{terms.Overage.Denominator}", Rounding.Divide(more, terms.Overage.Denominator));
        }
    }

    /// <summary>An amount is a quantity of its currency, at one each.</summary>
    private void Amount(LineKind kind, string description, Int128 quantity)
    {
        if (quantity != 0)
        {
            Add(new RatedLine(new LineKey(null, 0, terms.Use, kind, false), description, null, terms.Currency, quantity, Rounding.One, Rounding.One, 0));
        }
    }

    private long Add(RatedLine line)
    {
        var minor = Rounding.ToMinor(line.Exact, exponent);
        _ = line.ListExact; // Of free use it is larger than what is charged, and must fit as well.
        lines.Add(line with { Minor = minor });
        return minor;
    }

    /// <summary>Units up to <paramref name="End"/> are of this kind, unless those before it are already.</summary>
    private readonly record struct Step(Int128 End, LineKind Kind, bool Estimated);

    /// <summary>Units over one limit, up to and including another.</summary>
    private readonly record struct PricedTier(int Number, Int128 Over, Int128 UpTo, Tier Tier);
}
