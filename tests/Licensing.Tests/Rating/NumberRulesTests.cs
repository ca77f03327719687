using System.Globalization;
using System.Text.RegularExpressions;
using MissionControl.Licensing.Rating;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Rating;

/// <summary>The examples of docs/billing.md are what the rater computes.</summary>
public sealed partial class NumberRulesTests
{
    public static TheoryData<string, string> Examples()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "billing.md"));
        var all = new TheoryData<string, string>();
        foreach (Match match in Example().Matches(page))
        {
            all.Add(Heading().Matches(page[..match.Index])[^1].Groups[1].Value, match.Groups[1].Value);
        }

        return all;
    }

    [Fact]
    public void Every_rule_has_an_example()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "billing.md"));
        var section = NumbersSection().Match(page).Value;
        Assert.All(Heading().Matches(section).Select(match => match.Groups[1].Value).Where(heading => heading != "Sums"), heading => Assert.Contains(heading, Examples().Select(example => example.Data.Item1)));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_page_is_right(string rule, string example)
    {
        var play = new Play();
        foreach (var line in example.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            play.Read(line);
        }

        Assert.True(play.Expected.Count > 0, rule);
        Assert.Equal(play.Expected, play.Happened());
    }

    [GeneratedRegex("```example\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex("^### (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^## How numbers are made$.*?(?=^## |\\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex NumbersSection();

    /// <summary>One example on its way.</summary>
    private sealed class Play
    {
        private const int Month = 744;
        private readonly List<Rate> rates = [];
        private readonly List<(RatingPeriod Period, List<MeterTotal> Totals)> periods = [];
        private readonly List<string> answers = [];
        private ContractTerms terms = new(0, 0, "EUR", Use.Production, Commitment.None, new OveragePolicy(true), [], []);
        private IReadOnlyList<RatedPeriod>? before;
        private int now;

        public List<string> Expected { get; } = [];

        public void Read(string line)
        {
            var words = line.Split(' ');
            switch (words[0])
            {
                case "round":
                    Expected.Add(words[4]);
                    var exponent = Currencies.Exponent(words[1]);
                    answers.Add(Quantity.Format(Rounding.ToMinor(Scaled(words[2], 18), exponent), exponent));
                    break;
                case "hours":
                    Expected.Add(words[^1]);
                    answers.Add(Hours(words[1], words[2..^2]));
                    break;
                case "contract":
                    Contract(words);
                    break;
                case "price":
                    rates.Add(Price(words));
                    break;
                case "period":
                    Begin(words.Length > 1 ? int.Parse(words[1], CultureInfo.InvariantCulture) : Month);
                    break;
                case "used":
                    _ = periods.Count == 0 ? Begin(Month) : 0;
                    var quantity = Scaled(words[2], 9);
                    var estimated = words[^1] == "estimated";
                    periods[now].Totals.Add(new MeterTotal(words[1], words[^1] == "trial" ? Use.Trial : Use.Production, 9, estimated ? 0 : quantity, estimated ? quantity : 0));
                    break;
                case "again":
                    before = Rate();
                    now = int.Parse(words[1], CultureInfo.InvariantCulture) - 1;
                    periods[now].Totals.Clear();
                    break;
                default:
                    Expected.Add(line);
                    break;
            }
        }

        public List<string> Happened()
        {
            if (rates.Count == 0)
            {
                return answers;
            }

            var rated = before ?? Rate();
            var lines = rated.SelectMany(period => period.Lines).Select(line => $"= {Text(line.Key, line.Key.Tier)} {Sum(line.PricingQuantity, line.UnitPrice, line.Minor)}");
            var corrections = before is null ? [] : before.Zip(Rate()).SelectMany(pair => Restatement.Diff(pair.First.Period, pair.First.Lines, pair.Second.Lines))
                .Select(line => $"! {Text(line.Key, line.Key.Tier)} {Words.Of(line.Kind)} {Sum(line.PricingQuantity, line.UnitPrice, line.Minor)}");
            return [.. lines, .. corrections];
        }

        private IReadOnlyList<RatedPeriod> Rate() => Term.Rate([.. periods.Select(one => new TermPeriod(one.Period, new RateCard(terms.Currency, rates), terms, one.Totals))]);

        private int Begin(int hours)
        {
            // A begun period is the contract's first: it ends with the month.
            var end = (periods.Count == 0 ? 0 : periods[^1].Period.ToHour) + Month;
            periods.Add((new RatingPeriod(end - hours, end, end - Month, end), []));
            now = periods.Count - 1;
            terms = now == 0 ? terms with { FromHour = end - hours } : terms;
            return now;
        }

        private void Contract(string[] words)
        {
            terms = terms with { Currency = words[1] };
            for (var i = 2; i < words.Length; i++)
            {
                var digits = Currencies.Exponent(terms.Currency);
                terms = words[i] switch
                {
                    "minimum" => terms with { Commitment = new Commitment(CommitmentKind.MinimumPerPeriod, (long)Scaled(words[++i], digits)) },
                    "pool" => terms with { Commitment = new Commitment(CommitmentKind.TermPool, (long)Scaled(words[++i], digits)) },
                    "mark" => terms with { Commitment = new Commitment(CommitmentKind.HighWaterMark, Sku: words[++i], Units: (long)Scaled(words[++i], 9)) },
                    "discount" => terms with { Discounts = [.. terms.Discounts, new Discount(words[++i] == "*" ? null : words[i], int.Parse(words[++i], CultureInfo.InvariantCulture), 0, null)] },
                    "overage" => terms with { Overage = Fraction(words[++i].Split('/')) },
                    _ => throw new FormatException(words[i]),
                };
            }
        }

        private static OveragePolicy Fraction(string[] parts) => new(true, int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));

        private static Rate Price(string[] words)
        {
            var rate = new Rate(words[1], words[1], words[2] == "fixed" ? null : words[1], "unit", 1, Enum.Parse<PriceModel>(words[2], ignoreCase: true), []);
            var tiers = new List<Tier>();
            for (var i = 3; i < words.Length; i++)
            {
                rate = words[i] switch
                {
                    "per" => rate with { Per = long.Parse(words[++i], CultureInfo.InvariantCulture) },
                    "of" => rate with { PackageUnits = long.Parse(words[++i], CultureInfo.InvariantCulture) },
                    "minimum" => rate with { MinimumUnits = (long)Scaled(words[++i], 9) },
                    "rounding" => rate with { Rounding = Enum.Parse<UnitRounding>(words[++i], ignoreCase: true) },
                    _ => Step(words[i]),
                };

                Rate Step(string word)
                {
                    var parts = word.Split('@');
                    var price = parts[^1].Split('+');
                    tiers.Add(new Tier(parts.Length == 1 || parts[0] == "+" ? null : (long)Scaled(parts[0], 9), (long)Scaled(price[0], 9), price.Length > 1 ? (long)Scaled(price[1], 9) : 0));
                    return rate;
                }
            }

            return rate with { Tiers = tiers };
        }

        private static string Hours(string aggregation, string[] words)
        {
            var values = new List<MeterValue>();
            var last = new Dictionary<Guid, int>();
            var (cluster, hour) = (Guid.Empty, 0);
            foreach (var word in words)
            {
                if (char.IsLetter(word[0]))
                {
                    (cluster, hour) = (new Guid(word[0], 0, 0, new byte[8]), 0);
                    continue;
                }

                hour++;
                if (word != "?")
                {
                    last[cluster] = hour;
                }

                if (word is not ("?" or "-"))
                {
                    values.Add(new MeterValue(cluster, 0, hour, long.Parse(word, CultureInfo.InvariantCulture), 0));
                }
            }

            return Decimals.Text(Aggregate.Total(aggregation, values, last), 9);
        }

        private static string Text(LineKey key, int tier) =>
            $"{key.Sku ?? "-"} {Words.Of(key.Kind)}{(tier > 0 ? $" tier {tier}" : "")}{(key.Use == Use.Production ? "" : $" {Words.Of(key.Use)}")}{(key.Estimated ? " estimated" : "")}";

        private string Sum(Int128 quantity, long price, long minor) => $"{Decimals.Text(quantity, 9)} × {Decimals.Text(price, 9)} = {Quantity.Format(minor, Currencies.Exponent(terms.Currency))}";

        private static Int128 Scaled(string text, int scale)
        {
            var parts = text.TrimStart('-').Split('.');
            var value = Int128.Parse(parts[0] + (parts.Length > 1 ? parts[1] : "").PadRight(scale, '0'), NumberStyles.None, CultureInfo.InvariantCulture);
            return text[0] == '-' ? -value : value;
        }
    }
}
