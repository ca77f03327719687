using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Pricing;

/// <summary><c>/api/v1/licensing/price-books</c> and their versions: a draft is imported, replaced or discarded, and published once.</summary>
internal static class PriceBooksApi
{
    private static readonly ListOrders<PriceBook> Orders = new ListOrders<PriceBook>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var books = api.MapGroup("/price-books").ForStaff();
        books.MapPost("/", CreateAsync).RequireScope(StaffOnly.Right).WithName("CreatePriceBook").WithSummary("Create a price book").Produces<PriceBookItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        books.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListPriceBooks").WithSummary("List price books by name").Produces<Page<PriceBookItem>>().SortedBy(Orders);
        var book = books.MapGroup("/{id:guid}");
        book.MapGet("/", GetAsync).RequireScope("licensing:read").WithName("GetPriceBook").WithSummary("One price book").Produces<PriceBookItem>();
        var versions = book.MapGroup("/versions");
        versions.MapGet("/", VersionsAsync).RequireScope("licensing:read").WithName("ListPriceBookVersions").WithSummary("All versions of a price book, the newest first").Produces<Page<PriceBookVersionItem>>();
        versions.MapPost("/", ImportAsync).RequireScope(StaffOnly.Right).WithName("ImportPriceSheet").WithSummary("Import a price sheet (JSON, YAML or CSV) as the draft of a new version").Accepts<PriceSheetItem>(SheetFormats.Json, SheetFormats.Yaml, SheetFormats.Csv).Produces<PriceBookVersionItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        var one = versions.MapGroup("/{number:int}");
        one.MapGet("/", GetVersionAsync).RequireScope("licensing:read").WithName("GetPriceBookVersion").WithSummary("One version of a price book").Produces<PriceBookVersionItem>();
        one.MapPut("/", ReplaceAsync).RequireScope(StaffOnly.Right).WithName("ReplacePriceSheet").WithSummary("Replace a draft by another price sheet (JSON, YAML or CSV); needs If-Match").Accepts<PriceSheetItem>(SheetFormats.Json, SheetFormats.Yaml, SheetFormats.Csv).Produces<PriceBookVersionItem>();
        one.MapDelete("/", DiscardAsync).RequireScope(StaffOnly.Right).WithName("DiscardPriceSheet").WithSummary("Discard a draft; needs If-Match").Produces(StatusCodes.Status204NoContent);
        one.MapPost("/publish", PublishAsync).RequireScope(StaffOnly.Right).WithName("PublishPriceBookVersion").WithSummary("Publish a draft: it never changes again; needs If-Match and Idempotency-Key").Produces<PriceBookVersionItem>().AcceptIdempotencyKey();
    }

    private static async Task<IResult> CreateAsync(CreatePriceBookRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Currencies.ExponentOf(request.Currency!) is null)
        {
            return Problems.Invalid([new FieldError("/currency", "unknown-currency", "A currency is a code of ISO 4217, such as EUR.")]);
        }

        var now = time.GetUtcNow();
        var book = new PriceBook { Id = Guid.CreateVersion7(now), Name = request.Name!.Trim(), Currency = request.Currency!, CreatedAt = now };
        db.Add(book);
        await book.SaveAsync(db, events, time, "licensing.price-book-created", null, [Change.Add("/name", book.Name), Change.Add("/currency", book.Currency)], null, cancellationToken);
        return TypedResults.Created($"/api/v1/licensing/price-books/{book.Id}", book.ToItem());
    }

    private static Task<IResult> ListAsync(ControlPlaneDbContext db, [AsParameters] ListQuery list, string? q, CancellationToken cancellationToken) =>
        Orders.PageAsync(list, db.Set<PriceBook>().AsNoTracking().Holding(row => row.Name, q), row => row.ToItem(), cancellationToken);

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await db.Set<PriceBook>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } book ? TypedResults.Ok(book.ToItem()) : Problems.NotFound();

    private static async Task<IResult> VersionsAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (!await db.Set<PriceBook>().AnyAsync(row => row.Id == id, cancellationToken))
        {
            return Problems.NotFound();
        }

        var hindrance = StaffOnly.Hindrance(reader, db);
        var versions = await db.Set<PriceBookVersion>().AsNoTracking().Where(row => row.BookId == id).OrderByDescending(row => row.Number).ToListAsync(cancellationToken);
        return TypedResults.Ok(new Page<PriceBookVersionItem>(versions.ConvertAll(row => row.ToItem(hindrance)), null));
    }

    private static async Task<IResult> GetVersionAsync(Guid id, int number, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await db.Set<PriceBookVersion>().AsNoTracking().SingleOrDefaultAsync(row => row.BookId == id && row.Number == number, cancellationToken) is not { } version)
        {
            return Problems.NotFound();
        }

        http.Response.Headers.ETag = Etags.Of(version.Version);
        return TypedResults.Ok(version.ToItem(StaffOnly.Hindrance(http.User, db)));
    }

    private static async Task<IResult> ImportAsync(Guid id, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await db.Set<PriceBook>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } book)
        {
            return Problems.NotFound();
        }

        if (await db.Set<PriceBookVersion>().Where(row => row.BookId == id && row.State == PriceBookVersionState.Draft).Select(row => (int?)row.Number).FirstOrDefaultAsync(cancellationToken) is { } draft)
        {
            return Problems.Of(ProblemCodes.DraftExists, $"Version {draft} is a draft: replace or discard it.");
        }

        var (sheet, refusal) = await SheetFormats.ReadAsync(http.Request, book, db, cancellationToken);
        if (sheet is null)
        {
            return refusal!;
        }

        var version = new PriceBookVersion { BookId = id, Number = ++book.LastNumber };
        version.Hold(sheet, time.GetUtcNow());
        book.Version++;
        db.Add(version);
        await book.SaveAsync(db, events, time, "licensing.price-book-version-drafted", version.Number, Told(version), null, cancellationToken);
        http.Response.Headers.ETag = Etags.Of(version.Version);
        return TypedResults.Created($"/api/v1/licensing/price-books/{id}/versions/{version.Number}", version.ToItem(null));
    }

    private static async Task<IResult> ReplaceAsync(Guid id, int number, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var (book, version, refusal) = await DraftAsync(id, number, http, db, cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        var (sheet, wrong) = await SheetFormats.ReadAsync(http.Request, book!, db, cancellationToken);
        if (sheet is null)
        {
            return wrong!;
        }

        var before = version!.Sha256;
        version.Hold(sheet, time.GetUtcNow());
        await book!.SaveAsync(db, events, time, "licensing.price-book-version-replaced", number, [Change.Replace("/sha256", before, version.Sha256), .. Told(version).Skip(1)], null, cancellationToken);
        http.Response.Headers.ETag = Etags.Of(version.Version);
        return TypedResults.Ok(version.ToItem(null));
    }

    private static async Task<IResult> DiscardAsync(Guid id, int number, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var (book, version, refusal) = await DraftAsync(id, number, http, db, cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        db.Remove(version!);
        await book!.SaveAsync(db, events, time, "licensing.price-book-version-discarded", number, [Change.Remove("/sha256", version!.Sha256)], null, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> PublishAsync(Guid id, int number, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (IdempotencyKeys.Missing(http.Request) is { } missing)
        {
            return missing;
        }

        var (book, version, refusal) = await DraftAsync(id, number, http, db, cancellationToken);
        if (refusal is not null)
        {
            return refusal;
        }

        if (await CommittedAsync(version!, db, cancellationToken) is { Count: > 0 } committed)
        {
            return Problems.Invalid(committed);
        }

        // Its date was checked when it was imported, and there is one draft at a time: nothing was published since.
        version!.Publish(time.GetUtcNow());
        book!.Version++;
        await book.SaveAsync(db, events, time, "licensing.price-book-version-published", number, [Change.Replace("/state", "draft", "published"), .. Told(version)], null, cancellationToken);
        http.Response.Headers.ETag = Etags.Of(version.Version);
        return TypedResults.Ok(version.ToItem(null));
    }

    /// <summary>Units that contracts promise while the version is in force, and that it has no price for.</summary>
    private static async Task<IReadOnlyList<FieldError>> CommittedAsync(PriceBookVersion version, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var contracts = await db.Set<Contract>().AsNoTracking().Where(row => row.State == ContractState.Active && row.ToHour > version.FromHour && db.Set<ContractVersion>().Any(agreed => agreed.ContractId == row.Id && agreed.PriceBookId == version.BookId))
            .ToDictionaryAsync(row => row.Id, row => row.Number, cancellationToken);
        var ids = contracts.Keys.ToList();
        var agreed = (await db.Set<ContractVersion>().AsNoTracking().Where(row => ids.Contains(row.ContractId)).ToListAsync(cancellationToken)).GroupBy(row => row.ContractId);
        var card = version.ToRateCard();
        return [.. agreed.SelectMany(rows => Pins.Spans([.. rows])).Where(span => span.To > version.FromHour && span.Version.PriceBookId == version.BookId)
            .Select(span => (Terms: span.Version.Read(), Number: contracts[span.Version.ContractId]))
            .Where(one => one.Terms is { Use: Use.Production, Commitment.Kind: CommitmentKind.HighWaterMark } && !card.HasUnitsOf(one.Terms.Commitment.Sku))
            .Select(one => new FieldError("/rates", "committed-sku", $"Contract {one.Number} promises units of {one.Terms.Commitment.Sku}, which these prices do not have. Keep the rate, or amend the contract first.")).Distinct().Take(500)];
    }

    private static async Task<(PriceBook? Book, PriceBookVersion? Version, IResult? Refusal)> DraftAsync(Guid id, int number, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var book = await db.Set<PriceBook>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        var version = book is null ? null : await db.Set<PriceBookVersion>().SingleOrDefaultAsync(row => row.BookId == id && row.Number == number, cancellationToken);
        return (book, version, version is null ? Problems.NotFound() : Etags.Mismatch(http.Request, version.Version)
            ?? (version.State == PriceBookVersionState.Published ? Problems.Of(ProblemCodes.VersionPublished, "Import the prices as a new version, which is in force from a later month.") : null));
    }

    private static AuditChange[] Told(PriceBookVersion version) => [Change.Add("/sha256", version.Sha256), Change.Add("/effectiveFrom", Hours.Text(version.FromHour)), Change.Add("/rates", version.Rates)];
}
