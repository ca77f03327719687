using System.Text;
using CsvHelper;

namespace MissionControl.Licensing.Pricing;

/// <summary>A sheet as CSV: a line for each tier. Lines of one rate follow each other; what its first one says, the others repeat or leave out.</summary>
internal static class SheetCsv
{
    private static readonly string[] OfSheet = ["currency", "effectiveFrom"];
    private static readonly string[] OfRate = ["sku", "description", "meter", "unit", "per", "model", "packageUnits", "minimumUnits", "rounding"];
    private static readonly string[] OfTier = ["from", "upTo", "price", "fee"];
    private static readonly string[] Columns = [.. OfSheet, .. OfRate, .. OfTier];
    private static readonly string[] Needed = ["currency", "effectiveFrom", "sku", "unit", "model", "price"];

    public static RawSheet? Read(string text, SheetErrors errors)
    {
        var sheet = new RawSheet(new Cell(null, "", 1), [], []);
        try
        {
            using var csv = CsvReader.Create(new StringReader(text), new CsvReaderOptions { HasHeader = false, TrackLineNumbers = true, MalformedData = CsvMalformedDataHandling.Throw });
            if (!csv.Read())
            {
                errors.Add(sheet.At, "empty", "There is nothing in it.");
                return null;
            }

            var header = Enumerable.Range(0, csv.FieldCount).Select(i => csv.GetString(i).Trim()).ToList();
            if (!Known(header, errors))
            {
                return null;
            }

            while (csv.Read())
            {
                var line = (int)csv.LineNumber;
                if (csv.FieldCount != header.Count)
                {
                    errors.Add(new Cell(null, "", line), "malformed", $"The line has {csv.FieldCount} fields, and the header {header.Count}.");
                    continue;
                }

                Add(sheet, header.Select((name, i) => (name, csv.GetString(i).Trim())).ToDictionary(field => field.name, field => field.Item2.Length == 0 ? null : field.Item2), line, errors);
            }
        }
        catch (CsvFormatException mistake)
        {
            errors.Add(new Cell(null, "", (int)Math.Max(1, mistake.LineNumber)), "malformed", "This is no CSV: a quote is not closed, or stands where none belongs.");

            // What lies behind it is anybody's guess, and what lies before it is looked at once it is mended.
            return null;
        }

        return sheet;
    }

    public static string Write(PriceSheet sheet)
    {
        var item = sheet.ToItem();
        var stream = new MemoryStream();
        using (var csv = CsvWriter.Create(stream, leaveOpen: true))
        {
            string[] columns = [.. Columns.Where(column => column != "from")];
            csv.WriteRecord(columns);
            foreach (var rate in item.Rates)
            {
                foreach (var tier in rate.Tiers)
                {
                    csv.WriteRecord([item.Currency, item.EffectiveFrom, rate.Sku, rate.Description, rate.Meter ?? "", rate.Unit, rate.Per, rate.Model, rate.PackageUnits ?? "", rate.MinimumUnits, rate.Rounding, tier.UpTo ?? "", tier.Price, tier.Fee]);
                }
            }
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static bool Known(List<string> header, SheetErrors errors)
    {
        var before = errors.All.Count;
        foreach (var name in header.Where(name => !Columns.Contains(name, StringComparer.Ordinal)))
        {
            errors.Add(new Cell(null, "", 1), "unknown-key", $"'{(name.Length <= 40 ? name : name[..40] + "…")}' is none of the columns {string.Join(", ", Columns)}.");
        }

        foreach (var name in header.GroupBy(name => name).Where(group => group.Count() > 1).Select(group => group.Key))
        {
            errors.Add(new Cell(null, "", 1), "duplicate-key", $"The column '{name}' is there twice.");
        }

        foreach (var name in Needed.Except(header))
        {
            errors.Add(new Cell(null, "", 1), "required", $"The column {name} is missing.");
        }

        return errors.All.Count == before;
    }

    private static void Add(RawSheet sheet, Dictionary<string, string?> row, int line, SheetErrors errors)
    {
        foreach (var name in OfSheet)
        {
            Same(sheet.Fields, name, new Cell(row[name], $"/{name}", line), errors);
        }

        // Of the rate before: no sku, or the same one.
        var last = sheet.Rates.Count == 0 ? null : sheet.Rates[^1];
        var isNew = last is null || (row["sku"] is { } sku && sku != last.Fields["sku"].Text);
        var pointer = $"/rates/{(isNew ? sheet.Rates.Count : sheet.Rates.Count - 1)}";
        if (isNew)
        {
            last = new RawRate(new Cell(null, pointer, line), [], []);
            sheet.Rates.Add(last);
        }

        foreach (var name in OfRate.Where(row.ContainsKey))
        {
            Same(last!.Fields, name, new Cell(row[name], $"{pointer}/{name}", line), errors);
        }

        var at = $"{pointer}/tiers/{last!.Tiers.Count}";
        last.Tiers.Add(new RawTier(new Cell(null, at, line), OfTier.Where(row.ContainsKey).ToDictionary(name => name, name => new Cell(row[name], $"{at}/{name}", line))));
    }

    private static void Same(Dictionary<string, Cell> fields, string name, Cell cell, SheetErrors errors)
    {
        if (!fields.TryGetValue(name, out var first))
        {
            fields[name] = cell;
        }
        else if (cell.Text is not null && cell.Text != first.Text)
        {
            errors.Add(cell, "contradiction", $"{name} was '{first.Text}' in line {first.Line}.");
        }
    }
}
