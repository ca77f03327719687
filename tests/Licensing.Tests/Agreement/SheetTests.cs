using System.Text;
using FsCheck.Fluent;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Licensing.Tests.Agreement;

/// <summary>Price sheets in their three formats: what is wrong with them, all at once, and that nothing is lost on the way out and in.</summary>
public sealed class SheetTests
{
    private static readonly SheetContext Context = new("EUR", new HashSet<string> { "host_unit_seconds", "sessions", "log_bytes" }, null);

    [Fact]
    public void The_example_of_the_documentation_is_the_same_in_yaml_and_csv()
    {
        var page = File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "billing.md"));
        var (yaml, csv) = (Good(Block(page, "yaml"), SheetFormats.Yaml), Good(Block(page, "csv"), SheetFormats.Csv));

        Assert.Equal(4, yaml.Card.Rates.Count);
        Assert.Equal(yaml.ToStored(), csv.ToStored());
        var hosts = yaml.Card.Rates[0];
        Assert.Equal((3600, PriceModel.Graduated, 100 * Nano.One), (hosts.Per, hosts.Model, hosts.MinimumUnits));
        Assert.Equal([new Tier(10_000 * Nano.One, 45_000_000), new Tier(100_000 * Nano.One, 39_500_000, 10 * Nano.One), new Tier(null, 31_000_000)], hosts.Tiers);
        Assert.Equal("2026-12-01T00:00:00Z", Hours.Text(yaml.FromHour));

        static string Block(string page, string language)
        {
            var from = page.IndexOf($"```{language}\n", StringComparison.Ordinal) + language.Length + 4;
            return page[from..page.IndexOf("```", from, StringComparison.Ordinal)];
        }
    }

    [Fact]
    public void What_is_exported_in_any_format_is_imported_as_the_same()
    {
        string[] texts = ["a", "Host units, by \"the\" hour", "back\\slash: # no comment", "Größe ж 💣", "x; y | z & *", "~", "null", "true", "1.5"];
        var words = from i in Gen.Choose(0, texts.Length - 1) select texts[i];
        var prices = from digits in Gen.Choose(0, int.MaxValue) from shift in Gen.Choose(0, 6) select (long)(digits * Math.Pow(10, shift) % 900_000_000_000_000);
        var tiers = from count in Gen.Choose(1, 4) from steps in Gen.Choose(1, int.MaxValue).ListOf(count) from price in prices.ListOf(count) from fee in prices.ListOf(count)
                    select (IReadOnlyList<Tier>)[.. Enumerable.Range(0, count).Select(i => new Tier(i == count - 1 ? null : steps.Take(i + 1).Sum(step => (long)step), price[i], fee[i]))];
        var rates = from model in Gen.Choose(0, 4) from steps in tiers from per in Gen.Choose(1, 1_000_000) from minimum in prices from package in Gen.Choose(1, 1_000_000) from rounding in Gen.Choose(0, 3) from description in words from unit in words
                    let kind = (PriceModel)model
                    let isFee = kind == PriceModel.Fixed
                    select new Rate("", description, isFee ? null : "sessions", unit, isFee ? 1 : per, kind, kind is PriceModel.Graduated or PriceModel.Volume ? steps : [isFee ? steps[^1] with { Fee = 0 } : steps[^1]],
                        kind == PriceModel.Package ? package : 0, isFee ? 0 : minimum, isFee ? UnitRounding.None : (UnitRounding)rounding);
        foreach (var list in rates.ListOf(5).Sample(100))
        {
            var sheet = new PriceSheet(Hours.MonthOf(500_000), new RateCard("EUR", [.. list.Select((rate, i) => rate with { Sku = $"sku-{i}" })]));
            foreach (var (format, text) in new[] { (SheetFormats.Yaml, SheetTree.WriteYaml(sheet)), (SheetFormats.Csv, SheetCsv.Write(sheet)), (SheetFormats.Json, System.Text.Json.JsonSerializer.Serialize(sheet.ToItem(), System.Text.Json.JsonSerializerOptions.Web)) })
            {
                Assert.Equal(sheet.ToStored(), Good(text, format).ToStored());
            }

            Assert.Equal(sheet.ToStored(), PriceSheet.FromStored(sheet.ToStored()).ToStored());
        }
    }

    [Theory]
    [InlineData("sku: a b", "invalid-sku 4:10")]
    [InlineData("sku: '' ", "required 4:10")]
    [InlineData("skuu: x", "unknown-key 4:5", "required 4:5")]
    [InlineData("sku: x\n    sku: y", "duplicate-key 5:5")]
    [InlineData("sku: [x]", "wrong-kind 4:10", "required 4:5")]
    [InlineData("sku: x\n    description: =1+1", "invalid-text 5:18")]
    [InlineData("sku: x\n    description: \"a\\nb\"", "invalid-text 5:18")]
    [InlineData("sku: x\n    meter: bananas", "unknown-meter 5:12")]
    [InlineData("sku: x\n    meter:", "meter-missing 5:11")]
    [InlineData("sku: x\n    model: free", "unknown-model 5:12")]
    [InlineData("sku: x\n    rounding: bankers", "unknown-rounding 5:15")]
    [InlineData("sku: x\n    per: 0", "per-out-of-range 5:10")]
    [InlineData("sku: x\n    per: 1.5", "per-out-of-range 5:10")]
    [InlineData("sku: x\n    minimumUnits: -1", "negative 5:19")]
    [InlineData("sku: x\n    packageUnits: 5", "package-units-unexpected 5:19")]
    [InlineData("sku: x\n    model: package", "package-units-missing 4:5")]
    [InlineData("sku: x\n    model: package\n    packageUnits: 0", "package-units-out-of-range 6:19")]
    [InlineData("sku: x\n    model: fixed", "fixed-with-meter 7:12")]
    [InlineData("sku: x\n    model: fixed\n    meter: ~\n    per: 60", "fixed-with-units 4:5")]
    [InlineData("sku: x\n    model: fixed\n    meter: ~\n    tiers: [{ price: 1, fee: 2 }]", "fixed-with-fee 7:30")]
    [InlineData("sku: x\n    tiers: []", "tiers-missing 4:5")]
    [InlineData("sku: x\n    tiers: [{ price: 1, upTo: 5 }, { price: 2 }]", "several-tiers 5:36")]
    [InlineData("sku: x\n    tiers: [{ fee: 1 }]", "required 5:13")]
    [InlineData("sku: x\n    tiers: [{ price: -0.5 }]", "negative 5:22")]
    [InlineData("sku: x\n    tiers: [{ price: 0.0000000001 }]", "too-precise 5:22")]
    [InlineData("sku: x\n    tiers: [{ price: 9223372036.9 }]", "too-large 5:22")]
    [InlineData("sku: x\n    tiers: [{ price: 1234567.123456789 }]", "too-large 5:22")]
    [InlineData("sku: x\n    tiers: [{ price: 1e3 }]", "invalid-number 5:22")]
    [InlineData("sku: x\n    tiers: [{ price: 1, upTo: 10 }]", "last-tier-limited 5:31")]
    [InlineData("sku: x\n    model: volume\n    tiers: [{ price: 1 }, { price: 2 }]", "tier-without-limit 6:13")]
    [InlineData("sku: x\n    model: volume\n    tiers: [{ price: 1, upTo: 5 }, { price: 2, upTo: 5 }, { price: 3 }]", "tiers-not-rising 6:54")]
    [InlineData("sku: x\n    model: volume\n    tiers: [{ price: 1, upTo: 0 }, { price: 3 }]", "tiers-not-rising 6:31")]
    [InlineData("sku: x\n    model: volume\n    tiers: [{ price: 1, upTo: 5 }, { price: 2, from: 4 }]", "tiers-overlap 6:54")]
    [InlineData("sku: x\n    model: volume\n    tiers: [{ price: 1, upTo: 5 }, { price: 2, from: 6 }]", "tiers-hole 6:54")]
    [InlineData("sku: x\n  - sku: x\n    tiers: [{ price: 2 }]", "tiers-missing 4:5", "required 4:5", "required 4:5", "duplicate-sku 5:10")]
    [InlineData("sku: &a x", "anchor 4:10")]
    [InlineData("sku: *a", "anchor 4:10")]
    [InlineData("sku: !!str x", "tag 4:10")]
    [InlineData("sku: [[[[[[[[[[x]]]]]]]]]]", "too-deep 4:16")]
    [InlineData("sku: \"x", "malformed")]
    public void Every_error_of_a_rate_has_its_place_and_its_code(string rate, params string[] expected)
    {
        var given = rate.Split('\n').Select(line => line.Trim().Split(':')[0]).ToList();
        var rest = new[] { ("unit", "hour"), ("model", "flat"), ("meter", "sessions"), ("tiers", "[{ price: 1 }]") }.Where(member => !given.Contains(member.Item1)).Select(member => $"\n    {member.Item1}: {member.Item2}");
        var text = $"currency: EUR\neffectiveFrom: 2026-12-01T00:00:00Z\nrates:\n  - {rate}{string.Concat(rest)}\n";

        var errors = Errors(text, SheetFormats.Yaml);

        Assert.Equal(expected.Order(), errors.Select(error => expected.Any(one => !one.Contains(' ', StringComparison.Ordinal)) ? error.Code : $"{error.Code} {error.Line}:{error.Column}").Order());
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("- a", "wrong-kind", "required", "required", "rates-missing")]
    [InlineData("currency: EUR\n---\ncurrency: EUR", "several-documents")]
    [InlineData("currency: USD\neffectiveFrom: 2026-12-02T00:00:00Z\nrates: 5\n", "currency-mismatch", "effective-misaligned", "wrong-kind", "rates-missing")]
    [InlineData("currency: Euro\neffectiveFrom: tomorrow\nrates: []\nx: 1", "unknown-currency", "effective-misaligned", "rates-missing", "unknown-key")]
    [InlineData("currency: EUR\neffectiveFrom: 2026-11-01T00:00:00Z", "effective-overlap", "rates-missing")]
    [InlineData("currency: EUR\neffectiveFrom: 2026-10-01T00:00:00Z", "effective-overlap", "rates-missing")]
    public void Every_error_of_a_sheet_has_its_code(string text, params string[] expected)
    {
        var last = MissionControl.Protocol.Documents.UsageWindow.HourOf(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero));

        Assert.Equal(expected.Order(), Errors(text, SheetFormats.Yaml, Context with { LastFromHour = last }).Select(error => error.Code).Order());
    }

    [Theory]
    [InlineData("", "empty 1")]
    [InlineData("sku,price,prize,price", "unknown-key 1", "duplicate-key 1", "required 1", "required 1", "required 1", "required 1")]
    [InlineData("H\nEUR,2026-12-01T00:00:00Z,x,sessions,hour,flat,1\n,,y,sessions,hour,flat,-1\n,,z,sessions,hour,flat", "malformed 4", "negative 3")]
    [InlineData("H\nEUR,2026-12-01T00:00:00Z,x,sessions,hour,flat,1\nUSD,,y,sessions,hour,flat,1\n,,x,sessions,hour,flat,1", "contradiction 3", "duplicate-sku 4")]
    [InlineData("H\nEUR,2026-12-01T00:00:00Z,x,sessions,\"ho\nur\",flat,1\n,,x,log_bytes,,,", "invalid-text 2", "contradiction 4", "several-tiers 4", "required 4", "tier-without-limit 2")]
    [InlineData("H\nEUR,2026-12-01T00:00:00Z,x,sessions,\"hour,flat,1", "malformed 2")]
    [InlineData("H\nEUR,2026-12-01T00:00:00Z,x,sessions,ho\"ur,flat,1", "malformed 2")]
    [InlineData("H\nEUR,2026-12-01T00:00:00Z,,sessions,hour,flat,1", "required 2")]
    public void Every_error_of_a_csv_file_has_its_line(string text, params string[] expected)
    {
        text = text.Replace("H\n", "currency,effectiveFrom,sku,meter,unit,model,price\n", StringComparison.Ordinal);

        Assert.Equal(expected.Order(), Errors(text, SheetFormats.Csv).Select(error => $"{error.Code} {error.Line}").Order());
    }

    [Fact]
    public void What_is_no_text_or_no_json_or_too_much_is_refused_with_words()
    {
        Assert.Equal("malformed", Assert.Single(Errors("{\"currency\":\"EUR\",\"currency\":\"EUR\"}", SheetFormats.Json)).Code);
        Assert.Equal(3, Assert.Single(Errors("{\n\n  nonsense}", SheetFormats.Json)).Line);
        Assert.Equal("malformed", Assert.Single(Errors(new string('[', 5000), SheetFormats.Json)).Code);
        Assert.Equal("too-deep", Assert.Single(Errors(new string('[', 5000), SheetFormats.Yaml)).Code);
        var errors = new SheetErrors();
        Assert.Null(SheetFormats.Read(new byte[] { 0x63, 0xc3, 0x28 }, SheetFormats.Yaml, errors));
        Assert.Equal("not-utf8", Assert.Single(errors.All).Code);

        var many = "currency,effectiveFrom,sku,meter,unit,model,price\nEUR,2026-12-01T00:00:00Z,s0,sessions,hour,flat,-1\n" + string.Concat(Enumerable.Range(1, SheetCheck.MostRates).Select(i => $",,s{i},sessions,hour,flat,-1\n"));
        var found = Errors(many, SheetFormats.Csv);
        Assert.Equal((500, "too-many-rates"), (found.Count, found[0].Code));
        var tiers = "currency,effectiveFrom,sku,meter,unit,model,upTo,price\nEUR,2026-12-01T00:00:00Z,x,sessions,hour,volume,1,1\n" + string.Concat(Enumerable.Range(2, SheetCheck.MostTiers).Select(i => $",,x,,,,{i},1\n"));
        Assert.Equal("too-many-tiers", Assert.Single(Errors(tiers, SheetFormats.Csv)).Code);
    }

    [Fact]
    public void A_diff_names_what_came_what_went_and_what_changed()
    {
        var before = new PriceSheet(0, new RateCard("EUR", [Flat("a", 1), Flat("b", 2), Flat("c", 3)]));
        var after = new PriceSheet(0, new RateCard("EUR", [Flat("d", 4), Flat("b", 5), Flat("c", 3)]));

        var changes = SheetDiff.Of(before, after);

        Assert.Equal(["a removed", "b changed", "d added"], changes.Select(change => $"{change.Sku} {change.Change}"));
        Assert.Equal(new MissionControl.Contracts.Api.Licensing.RateFieldChange("/tiers/0/price", "2", "5"), Assert.Single(changes[1].Fields));
        Assert.Empty(SheetDiff.Of(after, after));

        static Rate Flat(string sku, long price) => new(sku, "", "sessions", "hour", 1, PriceModel.Flat, [new Tier(null, price * Nano.One)]);
    }

    private static PriceSheet Good(string text, string format)
    {
        var errors = new SheetErrors();
        var sheet = SheetFormats.Read(Encoding.UTF8.GetBytes(text), format, errors) is { } raw ? SheetCheck.Read(raw, Context, errors) : null;
        Assert.True(sheet is not null, $"{string.Join('\n', errors.All)}\n{text}");
        return sheet;
    }

    private static IReadOnlyList<MissionControl.Contracts.Api.FieldError> Errors(string text, string format, SheetContext? context = null)
    {
        var errors = new SheetErrors();
        var sheet = SheetFormats.Read(Encoding.UTF8.GetBytes(text), format, errors) is { } raw ? SheetCheck.Read(raw, context ?? Context, errors) : null;
        Assert.Null(sheet);
        return errors.All;
    }
}
