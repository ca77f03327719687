using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Contracts;
using MissionControl.Licensing.Customers;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Accounts;

/// <summary><c>/api/v1/licensing/billing-accounts</c>. A customer reads its own; the vendor's staff changes them.</summary>
internal static class BillingAccountsApi
{
    private static readonly ListOrders<BillingAccount> Orders = new ListOrders<BillingAccount>("name").By("name", row => row.Name, row => row.Id).By("createdAt", row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var accounts = api.MapGroup("/billing-accounts");
        accounts.MapPost("/", CreateAsync).RequireScope(StaffOnly.Right).WithName("CreateBillingAccount").WithSummary("Create a billing account of a customer").Produces<BillingAccountItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        accounts.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListBillingAccounts").WithSummary("List billing accounts by name").Lists((BillingAccountItem row) => row.Id.ToString()).Produces<Page<BillingAccountItem>>().SortedBy(Orders);
        var one = accounts.MapGroup("/{id:guid}");
        one.MapGet("/", GetAsync).RequireScope("licensing:read").Shows("billing-account", static (ControlPlaneDbContext db, Guid id) => db.Set<BillingAccount>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId)).WithName("GetBillingAccount").WithSummary("One billing account").Produces<BillingAccountItem>();
        one.MapPatch("/", ChangeAsync).RequireScope(StaffOnly.Right).WithName("ChangeBillingAccount").WithSummary("Change a billing account; needs If-Match").Produces<BillingAccountItem>();
    }

    private static async Task<IResult> CreateAsync(CreateBillingAccountRequest request, ClaimsPrincipal caller, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (StaffOnly.Hindrance(caller, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        var errors = new List<FieldError>();
        var customer = await db.Set<Customer>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == request.CustomerId, cancellationToken);
        if (customer is not { State: CustomerState.Active })
        {
            errors.Add(customer is null ? new FieldError("/customerId", "unknown-customer", "There is no such customer.") : new FieldError("/customerId", "customer-closed", "The customer is closed."));
        }

        if (Currencies.ExponentOf(request.Currency!) is null)
        {
            errors.Add(new FieldError("/currency", "unknown-currency", "A currency is a code of ISO 4217, such as EUR."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var now = time.GetUtcNow();
        var account = new BillingAccount
        {
            Id = Guid.CreateVersion7(now), CustomerId = customer!.Id, Name = request.Name!.Trim(), Currency = request.Currency!, TaxRegion = request.TaxRegion!.Trim(), InvoiceReference = Told(request.InvoiceReference), CreatedAt = now,
        };
        db.Add(account);
        await account.SaveAsync(db, events, time, "licensing.billing-account-created",
            [Change.Add("/name", account.Name), Change.Add("/currency", account.Currency), Change.Add("/taxRegion", account.TaxRegion), Change.Add("/invoiceReference", account.InvoiceReference)], null, cancellationToken);
        return TypedResults.Created($"/api/v1/licensing/billing-accounts/{account.Id}", account.ToItem(null));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, Guid? customer, string? state, string? q, CancellationToken cancellationToken)
    {
        if (state is not (null or "active" or "closed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is active or closed.");
        }

        var query = db.Set<BillingAccount>().AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = state is null ? query : query.Where(row => row.State == (state == "active" ? AccountState.Active : AccountState.Closed));
        query = query.Holding(row => row.Name, q);
        var hindrance = StaffOnly.Hindrance(reader, db);
        return await Orders.PageAsync(list, query, row => row.ToItem(hindrance), cancellationToken);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await db.Set<BillingAccount>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } account)
        {
            return Problems.NotFound();
        }

        response.Headers.ETag = Etags.Of(account.Version);
        return TypedResults.Ok(account.ToItem(StaffOnly.Hindrance(reader, db)));
    }

    private static async Task<IResult> ChangeAsync(Guid id, ChangeBillingAccountRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await db.Set<BillingAccount>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } account)
        {
            return Problems.NotFound();
        }

        if (StaffOnly.Hindrance(http.User, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (Etags.Mismatch(http.Request, account.Version) is { } mismatch)
        {
            return mismatch;
        }

        var errors = new List<FieldError>();
        if (request.State is not (null or "active" or "closed"))
        {
            errors.Add(new FieldError("/state", "unknown-state", "A billing account is active or closed."));
        }

        if (request.Currency is { } currency && currency != account.Currency)
        {
            errors.Add(new FieldError("/currency", "currency-fixed", $"The currency stays {account.Currency}; another one is another account."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        if (request.State == "closed" && account.State == AccountState.Active)
        {
            var now = UsageWindow.HourOf(time.GetUtcNow());
            if (await db.Set<Contract>().AnyAsync(row => row.AccountId == id && row.State == ContractState.Active && row.ToHour > now, cancellationToken))
            {
                return Problems.Of(ProblemCodes.Conflict, "A contract of this account runs; an account is closed after its last one.");
            }
        }

        if (Apply(account, request) is { Count: > 0 } changes)
        {
            account.Version++;
            await account.SaveAsync(db, events, time, "licensing.billing-account-changed", changes, Told(request.Reason), cancellationToken);
        }

        http.Response.Headers.ETag = Etags.Of(account.Version);
        return TypedResults.Ok(account.ToItem(null));
    }

    private static List<AuditChange> Apply(BillingAccount account, ChangeBillingAccountRequest request)
    {
        var changes = new List<AuditChange>();
        if (request.Name?.Trim() is { } name && name != account.Name)
        {
            changes.Add(Change.Replace("/name", account.Name, name));
            account.Name = name;
        }

        if (request.TaxRegion?.Trim() is { } region && region != account.TaxRegion)
        {
            changes.Add(Change.Replace("/taxRegion", account.TaxRegion, region));
            account.TaxRegion = region;
        }

        if (request.InvoiceReference is not null && Told(request.InvoiceReference) is var reference && reference != account.InvoiceReference)
        {
            changes.Add(Change.Replace("/invoiceReference", account.InvoiceReference, reference));
            account.InvoiceReference = reference;
        }

        if (request.State is { } word && (word == "active" ? AccountState.Active : AccountState.Closed) is var state && state != account.State)
        {
            changes.Add(Change.Replace("/state", BillingAccount.Word(account.State), word));
            account.State = state;
        }

        return changes;
    }

    private static string? Told(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
