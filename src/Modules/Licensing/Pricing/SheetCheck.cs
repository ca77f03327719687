using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MissionControl.Licensing.Rating;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Pricing;

/// <summary>What a sheet is checked against.</summary>
/// <param name="Currency">That of the book.</param>
/// <param name="Meters">Keys of all meters.</param>
/// <param name="LastFromHour">From when on the newest published version is in force; null: there is none.</param>
internal sealed record SheetContext(string Currency, IReadOnlySet<string> Meters, int? LastFromHour);

/// <summary>All rules of price sheets. Every error is found at once, so that a sheet is corrected once.</summary>
internal static partial class SheetCheck
{
    public const int MostRates = 2_000;
    public const int MostTiers = 100;
    private const long MostPer = 1_000_000_000_000;
    private const long MostPackage = 1_000_000_000;

    /// <summary>The sheet, if nothing is wrong with it.</summary>
    public static PriceSheet? Read(RawSheet raw, SheetContext context, SheetErrors errors)
    {
        var currency = Required(raw.Fields, "currency", raw.At, errors);
        if (currency?.Text is { } code && code != context.Currency)
        {
            errors.Add(currency, Currencies.ExponentOf(code) is null ? "unknown-currency" : "currency-mismatch", $"The book is in {context.Currency}.");
        }

        var from = From(raw, context, errors);
        if (raw.Rates.Count is 0 or > MostRates)
        {
            errors.Add(raw.At, raw.Rates.Count == 0 ? "rates-missing" : "too-many-rates", $"A sheet has 1 to {MostRates} rates.");
        }

        var skus = new Dictionary<string, int?>(StringComparer.Ordinal);
        var rates = raw.Rates.Take(MostRates).Select(rate => Rate(rate, context, skus, errors)).ToList();
        return errors.All.Count == 0 ? new PriceSheet(from, new RateCard(context.Currency, rates)) : null;
    }

    private static int From(RawSheet raw, SheetContext context, SheetErrors errors)
    {
        var hour = 0;
        if (Required(raw.Fields, "effectiveFrom", raw.At, errors) is not { } from)
        {
            return hour;
        }

        if (!UsageWindow.TryHour(from.Text!, out hour) || !Hours.TryWhole(UsageWindow.StartOf(hour), out _) || Hours.MonthOf(hour) != hour)
        {
            errors.Add(from, "effective-misaligned", "Prices are in force from the first instant of a month (UTC), written as 2026-12-01T00:00:00Z.");
        }
        else if (context.LastFromHour is { } last && hour <= last)
        {
            errors.Add(from, "effective-overlap", $"The newest published version is in force from {Hours.Text(last)}; the next one begins later.");
        }

        return hour;
    }

    private static Rate Rate(RawRate raw, SheetContext context, Dictionary<string, int?> skus, SheetErrors errors)
    {
        var sku = Required(raw.Fields, "sku", raw.At, errors);
        if (sku?.Text is { } name && !Sku().IsMatch(name))
        {
            errors.Add(sku, "invalid-sku", "A sku has 1 to 63 letters, digits, '.', '_' and '-', and begins with a letter or a digit.");
        }
        else if (sku is not null && !skus.TryAdd(sku.Text!, sku.Line))
        {
            errors.Add(sku, "duplicate-sku", $"{sku.Text} stands there before{(skus[sku.Text!] is { } line ? string.Create(CultureInfo.InvariantCulture, $", in line {line}") : "")}.");
        }

        var description = Text(raw.Fields, "description", raw.At, 200, isRequired: false, errors);
        var unit = Text(raw.Fields, "unit", raw.At, 40, isRequired: true, errors);
        var model = Word<PriceModel>(raw.Fields, "model", raw.At, "unknown-model", isRequired: true, errors);
        var rounding = Word<UnitRounding>(raw.Fields, "rounding", raw.At, "unknown-rounding", isRequired: false, errors);
        var minimum = Number(raw.Fields, "minimumUnits", errors) ?? 0;
        var meter = Meter(raw, model, context, errors);
        var per = Whole(raw.Fields, "per", MostPer, "per-out-of-range", errors) ?? 1;
        var package = Whole(raw.Fields, "packageUnits", MostPackage, "package-units-out-of-range", errors);
        if (model is { } known && (known == PriceModel.Package) != Has(raw.Fields, "packageUnits"))
        {
            errors.Add(raw.Fields.GetValueOrDefault("packageUnits") ?? raw.At, known == PriceModel.Package ? "package-units-missing" : "package-units-unexpected",
                known == PriceModel.Package ? "A package says how many units it has: packageUnits." : "Only the model package has packageUnits.");
        }

        if (model == PriceModel.Fixed && (per != 1 || minimum != 0 || rounding is not (null or UnitRounding.None)))
        {
            errors.Add(raw.At, "fixed-with-units", "A fee is for the period, whatever was used: it has no per, minimumUnits or rounding.");
        }

        var tiers = Tiers(raw, model, errors);
        if (model == PriceModel.Fixed && tiers.Any(tier => tier.Fee != 0))
        {
            errors.Add(raw.Tiers[0].Fields.GetValueOrDefault("fee") ?? raw.At, "fixed-with-fee", "A fee for the period is its price: it has no other fee.");
        }

        return new Rate(sku?.Text ?? "", description ?? "", meter, unit ?? "", per, model ?? default, tiers, package ?? 0, minimum, rounding ?? UnitRounding.None);
    }

    private static string? Meter(RawRate raw, PriceModel? model, SheetContext context, SheetErrors errors)
    {
        var meter = raw.Fields.GetValueOrDefault("meter");
        if (model == PriceModel.Fixed && Has(raw.Fields, "meter"))
        {
            errors.Add(meter!, "fixed-with-meter", "A fee counts nothing: it has no meter.");
        }
        else if (model is not (null or PriceModel.Fixed) && !Has(raw.Fields, "meter"))
        {
            errors.Add(meter ?? raw.At, "meter-missing", "Say which meter is counted.");
        }
        else if (meter?.Text is { } key && !context.Meters.Contains(key))
        {
            errors.Add(meter, "unknown-meter", $"There is no meter '{(key.Length <= 63 ? key : key[..63] + "…")}'. Define it first.");
        }

        return meter?.Text;
    }

    private static List<Tier> Tiers(RawRate raw, PriceModel? model, SheetErrors errors)
    {
        var tiers = new List<Tier>();
        if (raw.Tiers.Count is 0 or > MostTiers)
        {
            errors.Add(raw.At, raw.Tiers.Count == 0 ? "tiers-missing" : "too-many-tiers", $"A rate has 1 to {MostTiers} tiers.");
            return tiers;
        }

        if (raw.Tiers.Count > 1 && model is PriceModel.Flat or PriceModel.Package or PriceModel.Fixed)
        {
            errors.Add(raw.Tiers[1].At, "several-tiers", "Only the models graduated and volume have several tiers.");
        }

        long? before = 0;
        for (var i = 0; i < raw.Tiers.Count; i++)
        {
            var (at, fields) = raw.Tiers[i];
            var (from, upTo) = (Number(fields, "from", errors), Number(fields, "upTo", errors));
            if (before is { } end && from is { } begin && begin != end)
            {
                errors.Add(fields["from"], begin < end ? "tiers-overlap" : "tiers-hole", $"The tier before holds units up to {Nano.Text(end)}, and this one begins behind {Nano.Text(begin)}.");
            }

            var isLast = i == raw.Tiers.Count - 1;
            if (isLast && Has(fields, "upTo"))
            {
                errors.Add(fields["upTo"], "last-tier-limited", "The last tier has no upTo, so that every unit has a price.");
            }
            else if (!isLast && !Has(fields, "upTo"))
            {
                errors.Add(at, "tier-without-limit", "Every tier but the last one has an upTo.");
            }
            else if (!isLast && before is { } last && upTo is { } limit && limit <= last)
            {
                errors.Add(fields["upTo"], "tiers-not-rising", $"The limit {Nano.Text(limit)} is not above {Nano.Text(last)}.");
            }

            _ = Required(fields, "price", at, errors);
            tiers.Add(new Tier(isLast ? null : upTo ?? 0, Number(fields, "price", errors) ?? 0, Number(fields, "fee", errors) ?? 0));
            before = upTo;
        }

        return tiers;
    }

    private static bool Has(Dictionary<string, Cell> fields, string name) => fields.GetValueOrDefault(name)?.Text is not null;

    private static Cell? Required(Dictionary<string, Cell> fields, string name, Cell at, SheetErrors errors)
    {
        if (Has(fields, name))
        {
            return fields[name];
        }

        errors.Add(fields.GetValueOrDefault(name) ?? at, "required", $"{name} is missing.");
        return null;
    }

    private static long? Number(Dictionary<string, Cell> fields, string name, SheetErrors errors)
    {
        if (fields.GetValueOrDefault(name) is not { Text: { } text } cell)
        {
            return null;
        }

        if (Nano.TryRead(text, out var value, out var mistake))
        {
            return value;
        }

        errors.Add(cell, mistake.Code, mistake.Detail);
        return null;
    }

    private static long? Whole(Dictionary<string, Cell> fields, string name, long most, string code, SheetErrors errors)
    {
        if (fields.GetValueOrDefault(name) is not { Text: { } text } cell)
        {
            return null;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= most)
        {
            return value;
        }

        errors.Add(cell, code, string.Create(CultureInfo.InvariantCulture, $"{name} is a whole number from 1 to {most}."));
        return null;
    }

    private static T? Word<T>(Dictionary<string, Cell> fields, string name, Cell at, string code, bool isRequired, SheetErrors errors)
        where T : struct, Enum
    {
        if (!isRequired && !Has(fields, name))
        {
            return null;
        }

        if (Required(fields, name, at, errors) is { } cell && Words.Read<T>(cell.Text) is var value)
        {
            if (value is null)
            {
                errors.Add(cell, code, $"{name} is one of {Words.All<T>()}.");
            }

            return value;
        }

        return null;
    }

    private static string? Text(Dictionary<string, Cell> fields, string name, Cell at, int most, bool isRequired, SheetErrors errors)
    {
        if (!isRequired && !Has(fields, name))
        {
            return null;
        }

        if (Required(fields, name, at, errors) is not { } cell)
        {
            return null;
        }

        // A spreadsheet would take what begins so for a formula, and an apostrophe before it would come back as a part of the text.
        if (cell.Text!.Length > most || "=+-@'".Contains(cell.Text[0], StringComparison.Ordinal) || cell.Text.EnumerateRunes().Any(IsUnfit))
        {
            errors.Add(cell, "invalid-text", $"{name} has at most {most} characters on one line, and begins with none of = + - @ '.");
        }

        return cell.Text;
    }

    private static bool IsUnfit(Rune rune) => rune == Rune.ReplacementChar || Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z")]
    private static partial Regex Sku();
}
