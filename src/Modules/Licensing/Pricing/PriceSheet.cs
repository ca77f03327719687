using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Rating;

namespace MissionControl.Licensing.Pricing;

/// <summary>The content of a version of a price book: prices, and from when on they are in force.</summary>
/// <param name="FromHour">First hour of a month.</param>
/// <param name="Card">The prices.</param>
internal sealed record PriceSheet(int FromHour, RateCard Card)
{
    private static readonly JsonSerializerOptions Stored = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) } };

    /// <summary>As it is kept: always the same text for the same prices.</summary>
    public string ToStored() => JsonSerializer.Serialize(this, Stored);

    /// <summary>What was kept.</summary>
    public static PriceSheet FromStored(string text) => JsonSerializer.Deserialize<PriceSheet>(text, Stored)!;

    public static string Digest(string stored) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stored)))}";

    public PriceSheetItem ToItem() => new(Card.Currency, Hours.Text(FromHour), [.. Card.Rates.Select(Item)]);

    private static RateItem Item(Rate rate) => new(
        rate.Sku, rate.Description, rate.Meter, rate.Unit, rate.Per.ToString(CultureInfo.InvariantCulture), Words.Of(rate.Model),
        rate.PackageUnits == 0 ? null : rate.PackageUnits.ToString(CultureInfo.InvariantCulture), Nano.Text(rate.MinimumUnits), Words.Of(rate.Rounding),
        [.. rate.Tiers.Select(tier => new TierItem(tier.UpTo is { } limit ? Nano.Text(limit) : null, Nano.Text(tier.UnitPrice), Nano.Text(tier.Fee)))]);
}

/// <summary>A place in a sheet and what stands there.</summary>
/// <param name="Text">Null: nothing.</param>
/// <param name="Pointer">JSON pointer, for a CSV file as for any other.</param>
/// <param name="Line">From 1; null in JSON.</param>
/// <param name="Column">From 1; null in JSON and CSV.</param>
internal sealed record Cell(string? Text, string Pointer, int? Line = null, int? Column = null);

/// <summary>A sheet as it was read from any of the formats, not yet understood.</summary>
/// <param name="At">Its beginning.</param>
/// <param name="Fields">currency and effectiveFrom.</param>
/// <param name="Rates">In the order of the file.</param>
internal sealed record RawSheet(Cell At, Dictionary<string, Cell> Fields, List<RawRate> Rates);

/// <summary>A rate of such a sheet.</summary>
internal sealed record RawRate(Cell At, Dictionary<string, Cell> Fields, List<RawTier> Tiers);

/// <summary>A tier of such a rate.</summary>
internal sealed record RawTier(Cell At, Dictionary<string, Cell> Fields);

/// <summary>Every error of a sheet, in the order of their finding, up to a bound.</summary>
internal sealed class SheetErrors
{
    private const int Most = 500;
    private readonly List<FieldError> all = [];

    public IReadOnlyList<FieldError> All => all;

    public void Add(Cell at, string code, string detail)
    {
        if (all.Count < Most)
        {
            all.Add(new FieldError(at.Pointer, code, detail) { Line = at.Line, Column = at.Column });
        }
    }
}
