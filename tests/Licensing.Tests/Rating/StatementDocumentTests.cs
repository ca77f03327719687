using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using MissionControl.Licensing.Rating;
using Xunit;

namespace MissionControl.Licensing.Tests.Rating;

/// <summary>A statement is its bytes, and these are a function of facts alone.</summary>
public sealed class StatementDocumentTests
{
    private static readonly Guid One = new("0198c5a0-0000-7000-8000-000000000001");
    private static readonly Guid Two = new("0198c5a0-0000-7000-8000-000000000002");

    [Fact]
    public void Its_bytes_are_these()
    {
        var bytes = Sample().ToBytes();
        Assert.Equal("""
            {"adjustments":[],"commitment":{"committed":"100.00","kind":"minimum_per_period","overage":"0.00","unused":"98.77","used":"1.23"},"contract":{"id":"0198c5a0-0000-7000-8000-000000000001","version":3},"corrections":[{"amount":"-0.05","correction":"quantity","description":"Hosts \"é\"","estimated":false,"exact":"-0.049382716","forPeriod":{"from":"2026-02-01T00:00:00Z","to":"2026-03-01T00:00:00Z"},"kind":"usage","listExact":"-0.049382716","listUnitPrice":"0.012345679","meter":"m","quantity":"-4","sku":"r","statement":"S-1","tier":0,"unit":"host","unitPrice":"0.012345679","use":"production"}],"currency":"EUR","customer":"0198c5a0-0000-7000-8000-000000000002","generation":2,"inputsSha256":"sha256:00","lines":[{"amount":"98.77","description":"Promised for the period and not used","estimated":false,"exact":"98.77","kind":"unused_commitment","listExact":"98.77","listUnitPrice":"1","meter":null,"quantity":"98.77","sku":null,"tier":0,"unit":"EUR","unitPrice":"1","use":"production"},{"amount":"1.23","description":"Hosts \"é\"","estimated":false,"exact":"1.2345679","kind":"usage","listExact":"1.2345679","listUnitPrice":"0.012345679","meter":"m","quantity":"100","sku":"r","tier":0,"unit":"host","unitPrice":"0.012345679","use":"production"}],"missing":[{"cluster":"0198c5a0-0000-7000-8000-000000000001","estimated":["a","m"],"from":"2026-03-01T05:00:00Z","to":"2026-03-01T08:00:00Z"},{"cluster":"0198c5a0-0000-7000-8000-000000000002","estimated":[],"from":"2026-03-01T00:00:00Z","to":"2026-03-01T01:00:00Z"}],"number":"S-2","period":{"from":"2026-03-01T00:00:00Z","to":"2026-04-01T00:00:00Z","wholeFrom":"2026-03-01T00:00:00Z","wholeTo":"2026-04-01T00:00:00Z"},"priceBook":{"id":"0198c5a0-0000-7000-8000-000000000002","version":7},"supersedes":"S-0","totals":{"adjustments":"0.00","corrections":"-0.05","exact":"99.955185184","lines":"100.00","payable":"99.95","rounding":"-0.005185184"},"unpriced":["b","x"],"v":1,"watermark":"9007199254740993"}
            """, Encoding.UTF8.GetString(bytes));
        Assert.StartsWith("sha256:", StatementDocument.Sha256(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void No_culture_no_time_zone_and_no_order_of_what_it_is_made_of_changes_a_byte()
    {
        var (before, zone) = (CultureInfo.CurrentCulture, Environment.GetEnvironmentVariable("TZ"));
        var (expected, inputs) = (Sample().ToBytes(), InputsOf(Totals));
        try
        {
            foreach (var (point, minus, digits, place) in new[] { (",", "\u2212", "٠١٢٣٤٥٦٧٨٩", "Europe/Vienna"), ("٫", "~", "०१२३४५६७८९", "Asia/Kathmandu"), ("'", "-", "0123456789", "Pacific/Kiritimati") })
            {
                Environment.SetEnvironmentVariable("TZ", place);
                TimeZoneInfo.ClearCachedData();
                var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
                culture.NumberFormat.NumberDecimalSeparator = point;
                culture.NumberFormat.NegativeSign = minus;
                culture.NumberFormat.NativeDigits = [.. digits.Select(digit => digit.ToString())];
                culture.DateTimeFormat.DateSeparator = ".";
                culture.DateTimeFormat.TimeSeparator = ".";
                CultureInfo.CurrentCulture = culture;

                Assert.Equal(expected, Sample().ToBytes());
                var shuffled = Sample();
                shuffled = shuffled with
                {
                    Missing = [.. shuffled.Missing.Reverse()],
                    Rated = shuffled.Rated with { Lines = [.. shuffled.Rated.Lines.Reverse()] },
                };
                Assert.Equal(expected, shuffled.ToBytes());
                Assert.Equal(inputs, InputsOf([.. Totals.Reverse()]));
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
            Environment.SetEnvironmentVariable("TZ", zone);
            TimeZoneInfo.ClearCachedData();
        }
    }

    [Fact]
    public void Its_inputs_are_known_by_all_that_can_change_it_and_by_nothing_else()
    {
        var inputs = InputsOf(Totals);
        Assert.Equal(inputs, InputsOf([Totals[1], Totals[0] with { Quantity = 40 }, Totals[0] with { Quantity = 60, Estimated = 0 }]));
        Assert.Equal(6, new[]
        {
            inputs, InputsOf([Totals[0]]), InputsOf([Totals[0] with { Estimated = 2 }, Totals[1]]), InputsOf([Totals[0], Totals[1] with { Use = Use.Trial }]),
            StatementDocument.Inputs(March, new VersionOf(One, 4), new VersionOf(Two, 7), Totals, Carry.None), StatementDocument.Inputs(March, new VersionOf(One, 3), new VersionOf(Two, 7), Totals, Carry.None with { Mark = 1 }),
        }.Distinct().Count());
    }

    [Fact]
    public void Whatever_is_rated_its_members_stand_in_the_order_of_their_names_and_its_sum_is_that_of_its_lines() => Prop.ForAll(Terms.All, term =>
    {
        foreach (var rated in Term.Rate(term))
        {
            var document = Sample() with { Rated = rated };
            using var json = JsonDocument.Parse(document.ToBytes());
            Ordered(json.RootElement);
            var amounts = json.RootElement.GetProperty("lines").EnumerateArray().Concat(json.RootElement.GetProperty("corrections").EnumerateArray());
            Assert.Equal(decimal.Parse(json.RootElement.GetProperty("totals").GetProperty("payable").GetString()!, CultureInfo.InvariantCulture), amounts.Sum(line => decimal.Parse(line.GetProperty("amount").GetString()!, CultureInfo.InvariantCulture)));
        }
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_amount_has_one_text_and_the_text_gives_it_back() => Prop.ForAll<long, int>((value, digits) =>
    {
        var (amount, scale) = ((value & long.MaxValue) / 10, Math.Abs(digits % 10));
        var text = Decimals.Text(amount, scale);
        Assert.True(Protocol.Documents.Quantity.TryParse(text, scale, out var read));
        Assert.Equal(amount, read);
        Assert.Equal(amount == 0 ? text : $"-{text}", Decimals.Text(-(Int128)amount, scale));
        Assert.DoesNotMatch(@"\.\d*0$", text);
    }).QuickCheckThrowOnFailure();

    private static readonly RatingPeriod February = new(492312 - 672, 492312, 492312 - 672, 492312);
    private static readonly RatingPeriod March = new(492312, 493056, 492312, 493056);

    private static readonly MeterTotal[] Totals = [new("m", Use.Production, 0, 100, 0), new("a", Use.Internal, 3, 5, 1)];

    private static string InputsOf(IReadOnlyList<MeterTotal> totals) => StatementDocument.Inputs(March, new VersionOf(One, 3), new VersionOf(Two, 7), totals, Carry.None);

    private static StatementDocument Sample()
    {
        var card = new RateCard("EUR", [new Rate("r", "Hosts \"é\"", "m", "host", 1, PriceModel.Flat, [new Tier(null, 12_345_679)])]);
        RatedPeriod Rate(RatingPeriod period, int hosts, long minimum) => Rater.Rate(
            card, RaterTests.Plain with { Commitment = new Commitment(CommitmentKind.MinimumPerPeriod, minimum) }, period, [new MeterTotal("m", Use.Production, 0, hosts), new MeterTotal("x", Use.Trial, 0, 1), new MeterTotal("b", Use.Trial, 0, 1), new MeterTotal("c", Use.Trial, 0, 0)], Carry.None);
        return new StatementDocument
        {
            Number = "S-2",
            Generation = 2,
            Supersedes = "S-0",
            Customer = Two,
            Contract = new VersionOf(One, 3),
            PriceBook = new VersionOf(Two, 7),
            Watermark = 9_007_199_254_740_993,
            Rated = Rate(March, 100, 10_000),
            Corrections = [.. Restatement.Diff(February, Rate(February, 104, 0).Lines, Rate(February, 100, 0).Lines).Select(line => new BookedCorrection("S-1", line))],
            Missing = [new MissingHours(Two, March.FromHour, March.FromHour, []), new MissingHours(One, March.FromHour + 5, March.FromHour + 7, ["m", "a"])],
            InputsSha256 = "sha256:00",
        };
    }

    private static void Ordered(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            Assert.All(element.EnumerateArray(), Ordered);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            var names = element.EnumerateObject().Select(member => member.Name).ToList();
            Assert.Equal(names.Order(StringComparer.Ordinal), names);
            Assert.All(element.EnumerateObject().Select(member => member.Value), Ordered);
        }
    }
}
