using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary>Reading <c>/api/v1/licensing/periods</c>: what can be closed, and what it would come to.</summary>
internal static class PeriodsApi
{
    private static readonly ListOrders<ListedPeriod> Orders = new ListOrders<ListedPeriod>("-from")
        .By("from", row => row.Period.FromHour, row => row.Period.Id).By("contract", row => row.Number, row => row.Period.FromHour);

    public static void Map(IEndpointRouteBuilder api)
    {
        var periods = api.MapGroup("/periods");
        periods.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListPeriods").WithSummary("Billing periods, the newest first").Lists((PeriodItem row) => row.Id.ToString()).Produces<Page<PeriodItem>>().SortedBy(Orders);
        var one = periods.MapGroup("/{id:guid}").Shows("period", static (ControlPlaneDbContext db, Guid id) => db.Set<Period>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId));
        one.MapGet("/", GetAsync).RequireScope("licensing:read").WithName("GetPeriod").WithSummary("One billing period").Produces<PeriodItem>();
        one.MapGet("/preview", PreviewAsync).RequireScope("licensing:read").WithName("PreviewPeriod").WithSummary("What a period comes to, and what closing it would write").Produces<PeriodPreview>();
        ClosePeriod.Map(one);
    }

    /// <summary>Why somebody may close no period, in words; null: they may.</summary>
    public static string? Hindrance(ClaimsPrincipal reader, ControlPlaneDbContext db) => Scopes.Lacking(reader, ClosePeriod.Right) ?? (db.Scope.IsAll ? null : "Only staff of the vendor closes periods.");

    private static async Task<IResult> ListAsync(
        ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, Guid? contract, string? state, DateTimeOffset? from, DateTimeOffset? to, string? count, CancellationToken cancellationToken)
    {
        if (state is not (null or "open" or "closing" or "closed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is open, closing or closed.");
        }

        var now = time.GetUtcNow();
        var hour = UsageWindow.HourOf(now);
        var rows = from period in db.Set<Period>().AsNoTracking() join of in db.Set<Contract>().AsNoTracking() on period.ContractId equals of.Id
                   // A contract that was ended at the first hour of a month has none in it.
                   where period.FromHour < of.ToHour || period.State == PeriodState.Closed
                   select new ListedPeriod { Period = period, Number = of.Number };
        rows = customer is null ? rows : rows.Where(row => row.Period.CustomerId == customer);
        rows = contract is null ? rows : rows.Where(row => row.Period.ContractId == contract);
        rows = state switch
        {
            null => rows,
            "closed" => rows.Where(row => row.Period.State == PeriodState.Closed),
            "open" => rows.Where(row => row.Period.State == PeriodState.Open && row.Period.ToHour > hour),
            _ => rows.Where(row => row.Period.State == PeriodState.Open && row.Period.ToHour <= hour),
        };
        if (from is { } begin && UsageWindow.HourOf(begin) is var first)
        {
            rows = rows.Where(row => row.Period.ToHour > first);
        }

        if (to is { } end && UsageWindow.HourOf(end) is var last)
        {
            rows = rows.Where(row => row.Period.FromHour < last);
        }

        var hindrance = Hindrance(reader, db);
        return await Orders.PageAsync(list, rows, row => row.Period.ToItem(row.Number, hindrance, now), cancellationToken, count == "exact" ? await rows.LongCountAsync(cancellationToken) : null);
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await db.Set<Period>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } period)
        {
            return Problems.NotFound();
        }

        var number = await db.Set<Contract>().Where(row => row.Id == period.ContractId).Select(row => row.Number).SingleAsync(cancellationToken);
        http.Response.Headers.ETag = Etags.Of(period.Version);
        return TypedResults.Ok(period.ToItem(number, Hindrance(http.User, db), time.GetUtcNow()));
    }

    private static async Task<IResult> PreviewAsync(Guid id, HttpContext http, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await db.Set<Period>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } period)
        {
            return Problems.NotFound();
        }

        if (period.State == PeriodState.Closed)
        {
            return Problems.Of(ProblemCodes.PeriodClosed, $"Its statement is {period.StatementId}.");
        }

        var now = time.GetUtcNow();
        var (draft, refusal) = await DraftAsync(db, period, now, cancellationToken);
        if (draft is null)
        {
            return refusal!;
        }

        var before = await db.Set<Statement>().AsNoTracking().Where(row => row.ContractId == period.ContractId && row.Generation == 1 && row.FromHour < period.FromHour).OrderByDescending(row => row.FromHour).FirstOrDefaultAsync(cancellationToken);
        http.Response.Headers.ETag = $"\"{draft.Tag}\"";
        return TypedResults.Ok(new PeriodPreview(
            period.ToItem(draft.Contract.Number, Hindrance(http.User, db), now), draft.Watermark, Money.Item(draft.Document.PayableMinor, draft.Contract.Currency), Json(draft.Document.ToBytes()),
            [.. draft.Restated.Select(one => new RestatedPeriodItem(Period.Month(one.Last.FromHour), one.Last.Id, Money.Item(one.Minor, draft.Contract.Currency), Json(one.Document.ToBytes())))],
            [.. draft.Checks.Select(check => new PeriodCheck(check.Code, check.Count, check.Blocks, check.Waivable, check.Detail))], before is null ? null : Money.Item(before.PayableMinor, before.Currency)));
    }

    /// <summary>The draft of a period, or the answer to whoever asked for it.</summary>
    public static async Task<(PeriodDraft? Draft, IResult? Refusal)> DraftAsync(ControlPlaneDbContext db, Period period, DateTimeOffset now, CancellationToken cancellationToken)
    {
        try
        {
            var (draft, hindrance) = await PeriodDraft.MakeAsync(db, period, now, cancellationToken);
            return (draft, draft is null ? Problems.Of(ProblemCodes.NotRatable, hindrance) : null);
        }
        catch (RatingException exception)
        {
            return (null, Problems.Of(ProblemCodes.NotRatable, exception.Message));
        }
        catch (OverflowException)
        {
            return (null, Problems.Of(ProblemCodes.NotRatable, "What is to be paid is larger than 64 bits hold in minor units."));
        }
    }

    private static JsonElement Json(byte[] document) => JsonSerializer.Deserialize<JsonElement>(document);

    private sealed class ListedPeriod
    {
        public required Period Period { get; init; }

        public required string Number { get; init; }
    }
}
