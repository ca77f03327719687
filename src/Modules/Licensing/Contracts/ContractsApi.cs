using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Plans;
using MissionControl.Licensing.Pricing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Contracts;

/// <summary>Reading <c>/api/v1/licensing/contracts</c>: a customer reads its own, with their prices.</summary>
internal static class ContractsApi
{
    private static readonly ListOrders<Contract> Orders = new ListOrders<Contract>("number").By("number", row => row.Number, row => row.Id).By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var contracts = api.MapGroup("/contracts");
        contracts.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListContracts").WithSummary("List contracts by number").Lists((ContractItem row) => row.Id.ToString()).Produces<Page<ContractItem>>().SortedBy(Orders);
        var one = contracts.MapGroup("/{id:guid}").Shows("contract", static (ControlPlaneDbContext db, Guid id) => db.Set<Contract>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId));
        one.MapGet("/", GetAsync).RequireScope("licensing:read").WithName("GetContract").WithSummary("One contract, with all its versions and its plan").Produces<ContractDetail>();
        one.MapGet("/rate-card", RateCardAsync).RequireScope("licensing:read").WithName("GetContractRateCard").WithSummary("The prices of a contract at an hour, or now").Produces<ContractRateCard>();
        ContractChanges.Map(one, contracts);
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, Guid? customer, Guid? account, string? state, string? q, CancellationToken cancellationToken)
    {
        if (state is not (null or "draft" or "active" or "ended"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is draft, active or ended.");
        }

        var now = time.GetUtcNow();
        var hour = UsageWindow.HourOf(now);
        var query = db.Set<Contract>().AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = account is null ? query : query.Where(row => row.AccountId == account);
        query = state switch
        {
            null => query,
            "draft" => query.Where(row => row.State == ContractState.Draft),
            "active" => query.Where(row => row.State == ContractState.Active && row.ToHour > hour),
            _ => query.Where(row => row.State == ContractState.Active && row.ToHour <= hour),
        };
        var hindrance = StaffOnly.Hindrance(reader, db);
        return await Orders.PageAsync(list, query.Holding(row => row.Number, q), row => row.ToItem(hindrance, now), cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken) =>
        await db.Set<Contract>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } contract
            ? TypedResults.Ok(await DetailAsync(contract, http, db, time, cancellationToken))
            : Problems.NotFound();

    /// <summary>A contract with all that was ever agreed in it, and its ETag.</summary>
    public static async Task<ContractDetail> DetailAsync(Contract contract, HttpContext http, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var versions = await VersionsAsync(contract.Id, db, cancellationToken);
        var newest = versions[0];
        http.Response.Headers.ETag = Etags.Of(contract.Version);
        return new ContractDetail(contract.ToItem(StaffOnly.Hindrance(http.User, db), time.GetUtcNow()), versions.ConvertAll(row => row.ToItem(contract.Currency)), (await PlansApi.FindAsync(db, newest.PlanId, newest.PlanVersion, cancellationToken))!);
    }

    /// <summary>All versions, the newest first.</summary>
    public static Task<List<ContractVersion>> VersionsAsync(Guid id, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        db.Set<ContractVersion>().AsNoTracking().Where(row => row.ContractId == id).OrderByDescending(row => row.Number).ToListAsync(cancellationToken);

    private static async Task<IResult> RateCardAsync(Guid id, ControlPlaneDbContext db, TimeProvider time, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        if (await db.Set<Contract>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } contract)
        {
            return Problems.NotFound();
        }

        // A contract that has not begun, or is over, has the prices of its first or last hour for whoever names none.
        var hour = at is { } asked ? UsageWindow.HourOf(asked) : Math.Clamp(UsageWindow.HourOf(time.GetUtcNow()), contract.FromHour, contract.ToHour - 1);
        if (Pins.At(await VersionsAsync(id, db, cancellationToken), hour) is not { } version)
        {
            return Problems.Of(ProblemCodes.NotFound, "The contract is not in force at that hour.");
        }

        var book = await db.Set<PriceBook>().AsNoTracking().SingleAsync(row => row.Id == version.PriceBookId, cancellationToken);
        var known = await db.Set<PriceBookVersion>().AsNoTracking().Where(row => row.BookId == book.Id && row.State == PriceBookVersionState.Published && row.FromHour <= hour).OrderByDescending(row => row.FromHour).Take(1).ToListAsync(cancellationToken);
        return Pins.At(known, hour) is { } prices
            ? TypedResults.Ok(new ContractRateCard(id, UsageWindow.StartOf(hour), version.Number, book.Name, prices.Number, [.. version.Read().Discounts.Select(ContractVersion.Item)], prices.Sheet().ToItem()))
            : Problems.Of(ProblemCodes.NotFound, "No prices are in force at that hour.");
    }
}
