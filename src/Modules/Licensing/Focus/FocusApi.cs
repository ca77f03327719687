using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Billing;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Customers;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Focus;

/// <summary>
/// <c>/api/v1/licensing/focus</c>: what was billed, by the FinOps Open Cost and Usage Specification. Rows of bills only come; those of
/// open periods are asked for by themselves and take the place of the last ones.
/// </summary>
internal static class FocusApi
{
    public const string JsonLines = "application/jsonl";

    private const int ReadAtOnce = 64;

    /// <summary>What makes a field of CSV be put in quotes.</summary>
    public static readonly SearchValues<char> Special = SearchValues.Create(",\"\r\n");

    /// <summary>What is exported. Billing periods are those that have an hour within from and to.</summary>
    internal sealed record Query
    {
        [FromQuery]
        public string? Version { get; init; }

        [FromQuery]
        public Guid? Customer { get; init; }

        [FromQuery]
        public Guid? Account { get; init; }

        [FromQuery]
        public Guid? Contract { get; init; }

        [FromQuery]
        public DateTimeOffset? From { get; init; }

        [FromQuery]
        public DateTimeOffset? To { get; init; }

        public int FirstHour => From is { } from ? UsageWindow.HourOf(from) : int.MinValue;

        public int EndHour => To is { } to ? UsageWindow.HourOf(to) : int.MaxValue;
    }

    public static void Map(IEndpointRouteBuilder api)
    {
        var focus = api.MapGroup("/focus");
        focus.MapGet("/schema", Schema).RequireScope("licensing:read").WithName("GetFocusSchema").WithSummary("The tables of the FOCUS exports, and their columns").Produces<FocusSchema>();
        File(focus.MapGet("/cost-and-usage", CostAndUsageAsync)).WithName("ExportFocusCostAndUsage").WithSummary("FOCUS cost and usage: rows of closed periods, or with delivery=open what open ones come to; JSON lines, or CSV by Accept");
        File(focus.MapGet("/invoice-detail", InvoiceDetailAsync)).WithName("ExportFocusInvoiceDetail").WithSummary("FOCUS invoice details: what stands on statements, rounded; JSON lines, or CSV by Accept");
        File(focus.MapGet("/billing-periods", BillingPeriodsAsync)).WithName("ExportFocusBillingPeriods").WithSummary("FOCUS billing periods: which are open and which closed; JSON lines, or CSV by Accept");
        File(focus.MapGet("/contract-commitments", ContractCommitmentsAsync)).WithName("ExportFocusContractCommitments").WithSummary("FOCUS contract commitments: what contracts promise; JSON lines, or CSV by Accept");

        static RouteHandlerBuilder File(RouteHandlerBuilder endpoint) => endpoint.RequireScope("licensing:read").Lists((Guid customer) => customer.ToString()).Produces<string>(200, JsonLines, Csv.MediaType);
    }

    private static IResult Schema(FocusDatasets datasets, string? version) => version is null or FocusDatasets.Version
        ? TypedResults.Ok(new FocusSchema(FocusDatasets.Version,
        [
            datasets.CostAndUsage.ToItem("append", "overwrite"), datasets.ContractCommitments.ToItem("overwrite", null), datasets.BillingPeriods.ToItem("overwrite", null), datasets.InvoiceDetail.ToItem("append", null),
        ]))
        : OtherVersion();

    private static async Task<IResult> CostAndUsageAsync([AsParameters] Query query, string? delivery, FocusDatasets datasets, ControlPlaneDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await WrongAsync(query, db, cancellationToken) is { } wrong)
        {
            return wrong;
        }

        switch (delivery)
        {
            case null or "closed":
                var bills = Bills(db, query);
                return new FocusFile<Charge>(datasets.CostAndUsage, ChargesAsync(db, bills, cancellationToken), await CustomersAsync(db, bills.Select(row => row.Statement.CustomerId), cancellationToken));
            case "open":
                return await OpenAsync(query, datasets, db, time.GetUtcNow(), cancellationToken);
            default:
                return Problems.Of(ProblemCodes.UnknownParameter, "delivery is closed or open.", [new FieldError("delivery", "unknown-value", "closed or open.")]);
        }
    }

    private static async Task<IResult> InvoiceDetailAsync([AsParameters] Query query, FocusDatasets datasets, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await WrongAsync(query, db, cancellationToken) is { } wrong)
        {
            return wrong;
        }

        // What stands on a statement is rounded: there is no row for that.
        var bills = Bills(db, query);
        return new FocusFile<Charge>(datasets.InvoiceDetail, ChargesAsync(db, bills, cancellationToken).Where(row => row.Part != Charge.Rounding), await CustomersAsync(db, bills.Select(row => row.Statement.CustomerId), cancellationToken));
    }

    private static async Task<IResult> BillingPeriodsAsync([AsParameters] Query query, FocusDatasets datasets, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await WrongAsync(query, db, cancellationToken) is { } wrong)
        {
            return wrong;
        }

        var (months, first, end) = (Of(db, query), query.FirstHour, query.EndHour);
        var rows = from period in db.Set<Period>().AsNoTracking() join contract in months on period.ContractId equals contract.Id where period.ToHour > first && period.FromHour < end select new { period, contract.Number, contract.AccountId };
        var pages = PagesAsync(
            after => rows.Where(row => row.period.Id > after).OrderBy(row => row.period.Id).Take(ReadAtOnce).Select(row => new ListedMonth(row.period, row.Number, row.AccountId)).ToListAsync(cancellationToken), row => row.Period.Id);
        return new FocusFile<ListedMonth>(datasets.BillingPeriods, pages, await CustomersAsync(db, rows.Select(row => row.period.CustomerId), cancellationToken));
    }

    private static async Task<IResult> ContractCommitmentsAsync([AsParameters] Query query, FocusDatasets datasets, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (await WrongAsync(query, db, cancellationToken) is { } wrong)
        {
            return wrong;
        }

        var contracts = Of(db, query).Where(row => row.State == ContractState.Active);
        return new FocusFile<Commitment>(datasets.ContractCommitments, CommitmentsAsync(db, contracts, query, cancellationToken), await CustomersAsync(db, contracts.Select(row => row.CustomerId), cancellationToken));
    }

    /// <summary>What open periods come to. They are reckoned before the first row leaves, so that whatever cannot be rated is an answer and no broken file.</summary>
    private static async Task<IResult> OpenAsync(Query query, FocusDatasets datasets, ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (db.Scope.IsAll && (query.Customer ?? query.Account ?? query.Contract) is null)
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "Open periods are reckoned when they are asked for: name a customer, account or contract.", [new FieldError("customer", "required", "Or account, or contract.")]);
        }

        var (first, end) = (query.FirstHour, query.EndHour);
        var rows = await (from period in db.Set<Period>().AsNoTracking()
                          join contract in Of(db, query) on period.ContractId equals contract.Id
                          join account in db.Set<BillingAccount>().AsNoTracking() on contract.AccountId equals account.Id
                          where period.State == PeriodState.Open && period.ToHour > first && period.FromHour < end
                          orderby contract.Id, period.FromHour
                          select new
                          {
                              period,
                              contract,
                              account,
                              IsOldest = !db.Set<Period>().Any(other => other.ContractId == period.ContractId && other.State == PeriodState.Open && other.FromHour < period.FromHour),
                          }).ToListAsync(cancellationToken);
        var billed = new List<BilledPeriod>();
        foreach (var row in rows.Where(row => row.period.Within(row.contract.FromHour, row.contract.ToHour) is not null))
        {
            var (draft, refusal) = await PeriodsApi.DraftAsync(db, row.period, now, cancellationToken);
            if (draft is null)
            {
                return refusal!;
            }

            // What is to be corrected is booked once: in the oldest open period.
            var document = row.IsOldest ? draft.Document : draft.Document with { Corrections = [], Adjustments = [] };
            billed.Add(new BilledPeriod(
                document.Number, null, null, null, document.ToBytes(), row.period.FromHour, row.period.ToHour, row.contract.Currency, row.contract.CustomerId, row.account.Id, row.account.Name, row.account.InvoiceReference,
                row.contract.Id, row.contract.Number, draft.Agreed.Number, OnlyOf(draft.Agreed.Read()), null));
        }

        billed = await NamedAsync(db, billed, cancellationToken);
        List<string> customers = db.Scope.IsAll ? [.. billed.Select(one => one.CustomerId).Distinct()] : [];
        return new FocusFile<Charge>(datasets.CostAndUsage, billed.SelectMany(Charge.All).ToAsyncEnumerable(), customers);
    }

    private static IQueryable<Bill> Bills(ControlPlaneDbContext db, Query query)
    {
        var (first, end) = (query.FirstHour, query.EndHour);
        return from statement in db.Set<Statement>().AsNoTracking()
               join period in db.Set<Period>().AsNoTracking() on statement.PeriodId equals period.Id
               join contract in Of(db, query) on statement.ContractId equals contract.Id
               join account in db.Set<BillingAccount>().AsNoTracking() on contract.AccountId equals account.Id
               join version in db.Set<ContractVersion>().AsNoTracking() on new { statement.ContractId, Number = statement.ContractVersion } equals new { version.ContractId, version.Number }
               where statement.Generation == 1 && period.ToHour > first && period.FromHour < end
               select new Bill { Statement = statement, Period = period, Contract = contract, Account = account, Version = version };
    }

    private static async IAsyncEnumerable<Charge> ChargesAsync(ControlPlaneDbContext db, IQueryable<Bill> bills, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var after = Guid.Empty; ;)
        {
            // Without what a statement was rated from, which is larger than the statement.
            var page = await bills.Where(row => row.Statement.Id > after).OrderBy(row => row.Statement.Id).Take(ReadAtOnce).Select(row => new
            {
                row.Statement.Id,
                row.Statement.Number,
                row.Statement.ContentSha256,
                row.Statement.CreatedAt,
                row.Statement.Content,
                row.Period.FromHour,
                row.Period.ToHour,
                row.Contract,
                row.Account,
                row.Version,
            }).ToListAsync(cancellationToken);
            List<BilledPeriod> billed = [.. page.Select(row => new BilledPeriod(
                row.Number, row.Id, row.ContentSha256, row.CreatedAt, row.Content, row.FromHour, row.ToHour, row.Contract.Currency, row.Contract.CustomerId, row.Account.Id, row.Account.Name, row.Account.InvoiceReference,
                row.Contract.Id, row.Contract.Number, row.Version.Number, OnlyOf(row.Version.Read()), null))];
            foreach (var charge in (await NamedAsync(db, billed, cancellationToken)).SelectMany(Charge.All))
            {
                yield return charge;
            }

            if (page.Count < ReadAtOnce)
            {
                yield break;
            }

            after = page[^1].Id;
        }
    }

    private static async IAsyncEnumerable<Commitment> CommitmentsAsync(ControlPlaneDbContext db, IQueryable<Contract> contracts, Query query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var after = Guid.Empty; ;)
        {
            var page = await contracts.Where(row => row.Id > after).OrderBy(row => row.Id).Take(ReadAtOnce).ToListAsync(cancellationToken);
            var ids = page.ConvertAll(row => row.Id);
            var versions = (await db.Set<ContractVersion>().AsNoTracking().Where(row => ids.Contains(row.ContractId)).OrderBy(row => row.Number).ToListAsync(cancellationToken)).ToLookup(row => row.ContractId);
            foreach (var commitment in page.SelectMany(row => Commitment.All(row, [.. versions[row.Id]])).Where(row => row.ToHour > query.FirstHour && row.FromHour < query.EndHour))
            {
                yield return commitment;
            }

            if (page.Count < ReadAtOnce)
            {
                yield break;
            }

            after = page[^1].Id;
        }
    }

    private static async IAsyncEnumerable<T> PagesAsync<T>(Func<Guid, Task<List<T>>> read, Func<T, Guid> id)
    {
        var page = await read(Guid.Empty);
        while (true)
        {
            foreach (var row in page)
            {
                yield return row;
            }

            if (page.Count < ReadAtOnce)
            {
                yield break;
            }

            page = await read(id(page[^1]));
        }
    }

    private static IQueryable<Contract> Of(ControlPlaneDbContext db, Query query)
    {
        var rows = db.Set<Contract>().AsNoTracking();
        rows = query.Customer is { } customer ? rows.Where(row => row.CustomerId == customer) : rows;
        rows = query.Account is { } account ? rows.Where(row => row.AccountId == account) : rows;
        return query.Contract is { } contract ? rows.Where(row => row.Id == contract) : rows;
    }

    /// <summary>A misspelt filter shall be no empty file: nobody would notice what is missing from the books.</summary>
    private static async Task<IResult?> WrongAsync(Query query, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (query.Version is not (null or FocusDatasets.Version))
        {
            return OtherVersion();
        }

        var errors = new List<FieldError>();
        if (query.Customer is { } customer && !await db.Set<Customer>().AnyAsync(row => row.Id == customer, cancellationToken))
        {
            errors.Add(new FieldError("customer", "unknown-customer", "There is no such customer."));
        }

        if (query.Account is { } account && !await db.Set<BillingAccount>().AnyAsync(row => row.Id == account, cancellationToken))
        {
            errors.Add(new FieldError("account", "unknown-account", "There is no such billing account."));
        }

        if (query.Contract is { } contract && !await db.Set<Contract>().AnyAsync(row => row.Id == contract, cancellationToken))
        {
            errors.Add(new FieldError("contract", "unknown-contract", "There is no such contract."));
        }

        return errors.Count == 0 ? null : Problems.Invalid(errors);
    }

    private static IResult OtherVersion() => Problems.Of(ProblemCodes.UnknownParameter, $"version is {FocusDatasets.Version}.", [new FieldError("version", "unknown-value", FocusDatasets.Version)]);

    private static Guid? OnlyOf(StoredTerms terms) => terms.Clusters is [var only] ? only : null;

    /// <summary>With the names of their clusters, in one look.</summary>
    private static async Task<List<BilledPeriod>> NamedAsync(ControlPlaneDbContext db, List<BilledPeriod> billed, CancellationToken cancellationToken)
    {
        var ids = billed.Select(one => one.Cluster).OfType<Guid>().Distinct().ToList();
        if (ids.Count == 0)
        {
            return billed;
        }

        var names = await db.Set<LedgerCluster>().AsNoTracking().Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, row => row.Name, cancellationToken);
        return billed.ConvertAll(one => one.Cluster is { } id ? one with { ClusterName = names.GetValueOrDefault(id) } : one);
    }

    /// <summary>Whose rows staff reads: it is told before the first of them leaves.</summary>
    private static async Task<IReadOnlyList<string>> CustomersAsync(ControlPlaneDbContext db, IQueryable<Guid> customers, CancellationToken cancellationToken) =>
        db.Scope.IsAll ? (await customers.Distinct().ToListAsync(cancellationToken)).ConvertAll(id => id.ToString()) : [];

    private sealed class Bill
    {
        public required Statement Statement { get; init; }

        public required Period Period { get; init; }

        public required Contract Contract { get; init; }

        public required BillingAccount Account { get; init; }

        public required ContractVersion Version { get; init; }
    }
}
