using System.Globalization;
using System.Text.Json;
using MissionControl.Contracts.Api.Licensing;

namespace MissionControl.Portal.Pages.Billing;

/// <summary>How periods, checks and lines are said.</summary>
internal static class BillingWords
{
    /// <summary>The month of a period: October 2026.</summary>
    public static string Month(PeriodItem period) => Month(period.From);

    /// <summary>A month: October 2026.</summary>
    public static string Month(DateTimeOffset at) => at.UtcDateTime.ToString("MMMM yyyy", CultureInfo.InvariantCulture);

    /// <summary>Whether what was typed names the month of a period, as words or as 2026-10.</summary>
    public static bool IsMonth(string typed, PeriodItem period) => typed.Trim() is var name && (name == period.Name || name.Equals(Month(period), StringComparison.OrdinalIgnoreCase));

    /// <summary>What a check wants.</summary>
    public static string Check(string code) => code switch
    {
        "earlier-period-open" => "Earlier periods are closed",
        "grace" => "The time for late hours is over",
        "missing-hours" => "Every hour was received",
        "disputed-hours" => "No hour is disputed",
        "waiting-windows" => "No window waits to be judged",
        "incomplete-hours" => "Every hour was fully observed",
        "parked-hours" => "Every quantity has a meter",
        "lowered-hours" => "No revision lowered an hour by much",
        "unpriced-meters" => "Every meter has a price",
        _ => code,
    };

    /// <summary>ok, warn or bad.</summary>
    public static string Kind(PeriodCheck check) => check.Count == 0 ? "ok" : check.Blocks ? "bad" : "warn";

    /// <summary>A word of the wire for people.</summary>
    public static string Plain(string word) => word.Replace('_', ' ').Replace('-', ' ');

    /// <summary>A span of a statement, to the day where it is whole days.</summary>
    public static string Span(DateTimeOffset from, DateTimeOffset to) => from.Day == 1 && from.Hour == 0 && to == from.AddMonths(1) ? Month(from) : $"{Instant(from)} to {Instant(to)} UTC";

    /// <summary>The steps of a price, in words.</summary>
    public static string Tiers(RateItem rate) => string.Join("; ", rate.Tiers.Select((tier, i) =>
        $"{(tier.UpTo is { } last ? $"to {last}: " : i > 0 ? "above: " : "")}{tier.Price}{(tier.Fee == "0" ? "" : $" and {tier.Fee} once")}"));

    /// <summary>A decimal text with its sign, for differences.</summary>
    public static string Signed(decimal value) => value.ToString("+0.##########;-0.##########;0", CultureInfo.InvariantCulture);

    /// <summary>A decimal text of the API as a number; 0 when it is none.</summary>
    public static decimal Number(string? text) => decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}

/// <summary>A statement's document, as far as pages show it.</summary>
internal sealed record DocumentView(
    IReadOnlyList<DocumentLine> Lines, IReadOnlyList<DocumentLine> Corrections, IReadOnlyList<DocumentAdjustment> Adjustments, DocumentCommitment? Commitment, string Currency, IReadOnlyList<DocumentGap> Missing,
    string Number, string? Supersedes, DocumentTotals Totals, IReadOnlyList<string> Unpriced)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public static DocumentView Of(JsonElement document) => document.Deserialize<DocumentView>(Options)!;

    public static DocumentView Of(byte[] document) => JsonSerializer.Deserialize<DocumentView>(document, Options)!;

    /// <summary>All that is added up, for a later look to be compared with.</summary>
    public IReadOnlyList<SeenLine> Seen =>
    [
        .. Lines.Select(line => new SeenLine($"{line.Sku} {line.Tier} {line.Kind} {line.Use} {line.Estimated}", line.Description, line.Quantity, line.Amount)),
        .. Corrections.Select(line => new SeenLine($"{line.Statement} {line.Sku} {line.Tier} {line.Kind} {line.Use} {line.Estimated} {line.Correction}", $"{line.Description}, correction of {line.Statement}", line.Quantity, line.Amount)),
        .. Adjustments.Select(one => new SeenLine(one.Number, one.Description, null, one.Amount)),
    ];
}

/// <summary>A line of a statement or a correction.</summary>
internal sealed record DocumentLine(
    string Amount, string Description, bool Estimated, string Kind, string? Meter, string? Quantity, string? Sku, int Tier, string? Unit, string? UnitPrice, string Use, string? Statement = null, string? Correction = null);

/// <summary>What somebody decided.</summary>
internal sealed record DocumentAdjustment(string Amount, string Description, string Number);

/// <summary>How a commitment stands.</summary>
internal sealed record DocumentCommitment(string Committed, string Kind, string Overage, string Unused, string Used);

/// <summary>Hours that did not come.</summary>
/// <param name="Cluster">Whose.</param>
/// <param name="Estimated">Meters that were estimated for them.</param>
/// <param name="From">First instant (UTC).</param>
/// <param name="To">End (UTC), not included.</param>
internal sealed record DocumentGap(Guid Cluster, IReadOnlyList<string> Estimated, DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>The same for a table: a parameter of a component is of a type that everybody can see.</summary>
    public (Guid Cluster, DateTimeOffset From, DateTimeOffset To, IReadOnlyList<string> Estimated) Row => (Cluster, From, To, Estimated);
}

/// <summary>The sums.</summary>
internal sealed record DocumentTotals(string Adjustments, string Corrections, string Lines, string Payable);

/// <summary>A line as somebody looked at it.</summary>
/// <param name="Key">The same for the same line later.</param>
/// <param name="What">Its description.</param>
/// <param name="Quantity">Decimal text.</param>
/// <param name="Amount">Decimal text.</param>
internal sealed record SeenLine(string Key, string What, string? Quantity, string Amount)
{
    /// <summary>As a field of a form.</summary>
    public static string Text(IReadOnlyList<SeenLine> lines) => JsonSerializer.Serialize(lines);

    /// <summary>The field read back; null when it is not what was written there.</summary>
    public static IReadOnlyList<SeenLine>? Read(string? text)
    {
        try
        {
            return text is null ? null : JsonSerializer.Deserialize<List<SeenLine>>(text) is { } lines && lines.TrueForAll(line => line is { Key: not null, What: not null, Amount: not null }) ? lines : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What differs between two looks.</summary>
    public static IReadOnlyList<(string What, SeenLine? Before, SeenLine? After)> Moved(IReadOnlyList<SeenLine> before, IReadOnlyList<SeenLine> after) =>
    [
        .. before.Select(line => line.Key).Concat(after.Select(line => line.Key)).Distinct(StringComparer.Ordinal)
            .Select(key => (Before: before.FirstOrDefault(line => line.Key == key), After: after.FirstOrDefault(line => line.Key == key)))
            .Where(pair => pair.Before != pair.After).Select(pair => ((pair.After ?? pair.Before)!.What, pair.Before, pair.After)),
    ];
}
