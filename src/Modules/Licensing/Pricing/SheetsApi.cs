using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Pricing;

/// <summary>What can be asked about sheets without changing anything: is it right, what does it say, what differs.</summary>
internal static class SheetsApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var versions = api.MapGroup("/price-books/{id:guid}/versions").ForStaff();
        versions.MapPost("/check", CheckAsync).RequireScope(StaffOnly.Right).WithName("CheckPriceSheet").WithSummary("Check a price sheet (JSON, YAML or CSV) and keep nothing: every error at once, with its line").Accepts<PriceSheetItem>(SheetFormats.Json, SheetFormats.Yaml, SheetFormats.Csv).Produces<SheetCheckResult>();
        versions.MapGet("/{number:int}/content", ContentAsync).RequireScope("licensing:read").WithName("GetPriceSheet").WithSummary("The price sheet of a version, as JSON, YAML or CSV by Accept").Produces<PriceSheetItem>(StatusCodes.Status200OK, SheetFormats.Json, SheetFormats.Yaml, SheetFormats.Csv);
        versions.MapGet("/{number:int}/diff", DiffAsync).RequireScope("licensing:read").WithName("ComparePriceBookVersions").WithSummary("What a version changes; `against` is the number of another one, without it the one before").Produces<PriceBookDiff>();
    }

    private static async Task<IResult> CheckAsync(Guid id, HttpRequest request, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Set<PriceBook>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } book)
        {
            return Problems.NotFound();
        }

        var (sheet, errors, refusal) = await SheetFormats.CheckAsync(request, book, db, cancellationToken);
        return refusal ?? TypedResults.Ok(new SheetCheckResult(sheet is not null, sheet?.Card.Rates.Count ?? 0, errors));
    }

    private static async Task<IResult> ContentAsync(Guid id, int number, HttpRequest request, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await FindAsync(id, number, db, cancellationToken) is { } version ? SheetFormats.Write(request, $"price-book-{id}-{number}", version.Sheet()) : Problems.NotFound();

    private static async Task<IResult> DiffAsync(Guid id, int number, ControlPlaneDbContext db, int? against, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, number, db, cancellationToken) is not { } version)
        {
            return Problems.NotFound();
        }

        var other = against ?? await db.Set<PriceBookVersion>().Where(row => row.BookId == id && row.Number < number).MaxAsync(row => (int?)row.Number, cancellationToken);
        if (other is not { } chosen || await FindAsync(id, chosen, db, cancellationToken) is not { } before)
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "against is the number of a version of this price book.", [new FieldError("against", "unknown-version", "There is no such version of this price book.")]);
        }

        return TypedResults.Ok(new PriceBookDiff(chosen, number, SheetDiff.Of(before.Sheet(), version.Sheet())));
    }

    private static Task<PriceBookVersion?> FindAsync(Guid id, int number, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        db.Set<PriceBookVersion>().AsNoTracking().SingleOrDefaultAsync(row => row.BookId == id && row.Number == number, cancellationToken);
}

/// <summary>What differs between two sheets, rate by rate.</summary>
internal static class SheetDiff
{
    public static IReadOnlyList<RateChange> Of(PriceSheet before, PriceSheet after)
    {
        var (old, now) = (Fields(before), Fields(after));
        return
        [
            .. old.Keys.Union(now.Keys).Order(StringComparer.Ordinal).Select(sku => (sku, Old: old.GetValueOrDefault(sku), Now: now.GetValueOrDefault(sku)))
                .Select(rate => new RateChange(rate.sku, rate.Old is null ? "added" : rate.Now is null ? "removed" : "changed", Changes(rate.Old ?? [], rate.Now ?? [])))
                .Where(change => change.Fields.Count > 0),
        ];
    }

    private static List<RateFieldChange> Changes(Dictionary<string, string> old, Dictionary<string, string> now) =>
        [.. old.Keys.Union(now.Keys).Order(StringComparer.Ordinal).Select(pointer => new RateFieldChange(pointer, old.GetValueOrDefault(pointer), now.GetValueOrDefault(pointer))).Where(change => change.Before != change.After)];

    private static Dictionary<string, Dictionary<string, string>> Fields(PriceSheet sheet) => sheet.ToItem().Rates.ToDictionary(rate => rate.Sku, Fields, StringComparer.Ordinal);

    private static Dictionary<string, string> Fields(RateItem rate)
    {
        var fields = new Dictionary<string, string?>
        {
            ["/description"] = rate.Description, ["/meter"] = rate.Meter, ["/unit"] = rate.Unit, ["/per"] = rate.Per, ["/model"] = rate.Model, ["/packageUnits"] = rate.PackageUnits,
            ["/minimumUnits"] = rate.MinimumUnits, ["/rounding"] = rate.Rounding,
        };
        foreach (var (i, tier) in rate.Tiers.Index())
        {
            (fields[$"/tiers/{i}/upTo"], fields[$"/tiers/{i}/price"], fields[$"/tiers/{i}/fee"]) = (tier.UpTo, tier.Price, tier.Fee);
        }

        return fields.Where(field => field.Value is not null).ToDictionary(field => field.Key, field => field.Value!);
    }
}
