using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Rating;

/// <summary>Hours of a cluster that a statement lacks, both ends included, and the meters that were estimated for them.</summary>
internal sealed record MissingHours(Guid Cluster, int First, int Last, IReadOnlyList<string> Estimated);

/// <summary>A correction as it is booked, with the statement that it corrects.</summary>
internal sealed record BookedCorrection(string Statement, CorrectionLine Line);

/// <summary>An amount that somebody decided on, in minor units; less than 0 is a credit.</summary>
internal sealed record BookedAdjustment(string Number, string Description, long Minor);

/// <summary>A version of something that is never changed.</summary>
internal sealed record VersionOf(Guid Id, int Version);

/// <summary>
/// A statement, and the bytes that it is: one JSON object, members in the order of their names, lists in the order of their keys, amounts
/// as decimal text, instants in UTC. The same facts give the same bytes on every machine, in every culture and time zone; their SHA-256
/// is what a statement is known by.
/// </summary>
internal sealed record StatementDocument
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public required string Number { get; init; }

    /// <summary>1, and one more with each restatement of the period.</summary>
    public required int Generation { get; init; }

    /// <summary>Number of the statement before it; null of the first generation.</summary>
    public string? Supersedes { get; init; }

    public required Guid Customer { get; init; }

    public required VersionOf Contract { get; init; }

    public required VersionOf PriceBook { get; init; }

    /// <summary>All that has a number up to this one is in it, and nothing else.</summary>
    public required long Watermark { get; init; }

    /// <summary>The period as it was rated.</summary>
    public required RatedPeriod Rated { get; init; }

    /// <summary>What is booked here for periods that were closed before.</summary>
    public required IReadOnlyList<BookedCorrection> Corrections { get; init; }

    /// <summary>What somebody decided, to be paid or credited with it.</summary>
    public IReadOnlyList<BookedAdjustment> Adjustments { get; init; } = [];

    /// <summary>What did not come.</summary>
    public required IReadOnlyList<MissingHours> Missing { get; init; }

    /// <summary>By <see cref="Inputs"/>.</summary>
    public required string InputsSha256 { get; init; }

    /// <summary>What is to be paid, in minor units: lines and corrections, each rounded for itself, and what was decided.</summary>
    public long PayableMinor => checked(Rated.TotalMinor + CorrectionsMinor + AdjustmentsMinor);

    private long AdjustmentsMinor => Adjustments.Aggregate(0L, (sum, one) => checked(sum + one.Minor));

    private long CorrectionsMinor => Corrections.Aggregate(0L, (sum, one) => checked(sum + one.Line.Minor));

    /// <summary><c>sha256:</c> of what a period was rated from: its totals and what earlier periods left to it.</summary>
    public static string Inputs(RatingPeriod period, VersionOf contract, VersionOf priceBook, IReadOnlyList<MeterTotal> totals, Carry carry) => UsageWindow.Digest(Write(json =>
    {
        json.WriteStartObject("carry");
        json.WriteString("mark", Decimals.Text(carry.Mark, Rounding.PriceScale));
        json.WriteNumber("per", carry.Per);
        json.WriteString("poolCharged", Decimals.Text(carry.PoolCharged, 0));
        json.WriteString("poolLeft", Decimals.Text(carry.PoolLeft, 0));
        json.WriteString("sku", carry.Sku);
        json.WriteEndObject();
        Write(json, "contract", contract);
        Write(json, period);
        Write(json, "priceBook", priceBook);
        json.WriteStartArray("totals");
        foreach (var ((meter, use), (firm, expected)) in MeterTotal.Together(totals).OrderBy(total => total.Key.Meter, StringComparer.Ordinal).ThenBy(total => total.Key.Use))
        {
            json.WriteStartObject();
            json.WriteString("estimated", Decimals.Text(expected - firm, Rounding.PriceScale));
            json.WriteString("meter", meter);
            json.WriteString("quantity", Decimals.Text(firm, Rounding.PriceScale));
            json.WriteString("use", Words.Of(use));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("v", 1);
    }));

    /// <summary>The bytes.</summary>
    public byte[] ToBytes() => Write(json =>
    {
        var exponent = Currencies.Exponent(Rated.Currency);
        json.WriteStartArray("adjustments");
        foreach (var one in Adjustments.OrderBy(one => one.Number, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("amount", Quantity.Format(one.Minor, exponent));
            json.WriteString("description", one.Description);
            json.WriteString("number", one.Number);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteBalance(json, exponent);
        Write(json, "contract", Contract);
        json.WriteStartArray("corrections");
        foreach (var (statement, line) in Corrections.OrderBy(one => one.Statement, StringComparer.Ordinal).ThenBy(one => one.Line.Key).ThenBy(one => one.Line.Kind))
        {
            json.WriteStartObject();
            json.WriteString("amount", Quantity.Format(line.Minor, exponent));
            json.WriteString("correction", Words.Of(line.Kind));
            Write(json, line.Key, line.Description, line.Exact, () => Instants(json, "forPeriod", line.FromHour, line.ToHour), line.ListExact, line.ListUnitPrice, line.Meter, line.PricingQuantity);
            json.WriteString("statement", statement);
            Write(json, line.Key, line.Unit, line.UnitPrice);
        }

        json.WriteEndArray();
        json.WriteString("currency", Rated.Currency);
        json.WriteString("customer", Customer.ToString("D"));
        json.WriteNumber("generation", Generation);
        json.WriteString("inputsSha256", InputsSha256);
        json.WriteStartArray("lines");
        foreach (var line in Rated.Lines.OrderBy(line => line.Key))
        {
            json.WriteStartObject();
            json.WriteString("amount", Quantity.Format(line.Minor, exponent));
            Write(json, line.Key, line.Description, line.Exact, null, line.ListExact, line.ListUnitPrice, line.Meter, line.PricingQuantity);
            Write(json, line.Key, line.Unit, line.UnitPrice);
        }

        json.WriteEndArray();
        WriteMissing(json);
        json.WriteString("number", Number);
        Write(json, Rated.Period);
        Write(json, "priceBook", PriceBook);
        json.WriteString("supersedes", Supersedes);
        WriteTotals(json, exponent);
        json.WriteStartArray("unpriced");
        foreach (var meter in Rated.Unpriced)
        {
            json.WriteStringValue(meter);
        }

        json.WriteEndArray();
        json.WriteNumber("v", 1);
        json.WriteString("watermark", Watermark.ToString(CultureInfo.InvariantCulture));
    });

    /// <summary>What its bytes are known by.</summary>
    public static string Sha256(ReadOnlySpan<byte> bytes) => UsageWindow.Digest(bytes);

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes, Options);
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string name, VersionOf version)
    {
        json.WriteStartObject(name);
        json.WriteString("id", version.Id.ToString("D"));
        json.WriteNumber("version", version.Version);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, RatingPeriod period)
    {
        json.WriteStartObject("period");
        json.WriteString("from", Instant(period.FromHour));
        json.WriteString("to", Instant(period.ToHour));
        json.WriteString("wholeFrom", Instant(period.WholeFrom));
        json.WriteString("wholeTo", Instant(period.WholeTo));
        json.WriteEndObject();
    }

    // The members of a line from "description" to "sku"; those of a correction that lie between them are its own.
    private static void Write(Utf8JsonWriter json, LineKey key, string description, Int128 exact, Action? forPeriod, Int128 listExact, long listUnitPrice, string? meter, Int128 quantity)
    {
        json.WriteString("description", description);
        json.WriteBoolean("estimated", key.Estimated);
        json.WriteString("exact", Decimals.Text(exact, Rounding.ExactScale));
        forPeriod?.Invoke();
        json.WriteString("kind", Words.Of(key.Kind));
        json.WriteString("listExact", Decimals.Text(listExact, Rounding.ExactScale));
        json.WriteString("listUnitPrice", Decimals.Text(listUnitPrice, Rounding.PriceScale));
        json.WriteString("meter", meter);
        json.WriteString("quantity", Decimals.Text(quantity, Rounding.PriceScale));
        json.WriteString("sku", key.Sku);
    }

    private static void Write(Utf8JsonWriter json, LineKey key, string unit, long unitPrice)
    {
        json.WriteNumber("tier", key.Tier);
        json.WriteString("unit", unit);
        json.WriteString("unitPrice", Decimals.Text(unitPrice, Rounding.PriceScale));
        json.WriteString("use", Words.Of(key.Use));
        json.WriteEndObject();
    }

    private void WriteBalance(Utf8JsonWriter json, int exponent)
    {
        if (Rated.Balance is not { } balance)
        {
            json.WriteNull("commitment");
            return;
        }

        var scale = balance.Kind == CommitmentKind.HighWaterMark ? Rounding.PriceScale : exponent;
        json.WriteStartObject("commitment");
        json.WriteString("committed", Quantity.Format(balance.Committed, scale));
        json.WriteString("kind", Words.Of(balance.Kind));
        json.WriteString("overage", Quantity.Format(balance.Overage, scale));
        json.WriteString("unused", Quantity.Format(balance.Unused, scale));
        json.WriteString("used", Quantity.Format(balance.Used, scale));
        json.WriteEndObject();
    }

    private void WriteMissing(Utf8JsonWriter json)
    {
        json.WriteStartArray("missing");
        foreach (var gap in Missing.OrderBy(gap => gap.Cluster.ToString("D"), StringComparer.Ordinal).ThenBy(gap => gap.First))
        {
            json.WriteStartObject();
            json.WriteString("cluster", gap.Cluster.ToString("D"));
            json.WriteStartArray("estimated");
            foreach (var meter in gap.Estimated.Order(StringComparer.Ordinal))
            {
                json.WriteStringValue(meter);
            }

            json.WriteEndArray();
            json.WriteString("from", Instant(gap.First));
            json.WriteString("to", Instant(gap.Last + 1));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteTotals(Utf8JsonWriter json, int exponent)
    {
        var exact = checked(Corrections.Aggregate(Rated.TotalExact, (sum, one) => checked(sum + one.Line.Exact)) + (AdjustmentsMinor * Rounding.Power(Rounding.ExactScale - exponent)));
        json.WriteStartObject("totals");
        json.WriteString("adjustments", Quantity.Format(AdjustmentsMinor, exponent));
        json.WriteString("corrections", Quantity.Format(CorrectionsMinor, exponent));
        json.WriteString("exact", Decimals.Text(exact, Rounding.ExactScale));
        json.WriteString("lines", Quantity.Format(Rated.TotalMinor, exponent));
        json.WriteString("payable", Quantity.Format(PayableMinor, exponent));
        json.WriteString("rounding", Decimals.Text(checked((PayableMinor * Rounding.Power(Rounding.ExactScale - exponent)) - exact), Rounding.ExactScale));
        json.WriteEndObject();
    }

    private static void Instants(Utf8JsonWriter json, string name, int from, int to)
    {
        json.WriteStartObject(name);
        json.WriteString("from", Instant(from));
        json.WriteString("to", Instant(to));
        json.WriteEndObject();
    }

    private static string Instant(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}
