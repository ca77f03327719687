using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Customers;

/// <summary><c>/api/v1/licensing/customers</c>.</summary>
internal static class CustomersApi
{
    // Ids are made in the order of time.
    private static readonly ListOrders<Customer> Orders = new ListOrders<Customer>("name")
        .By("name", row => row.Name, row => row.Id).By("createdAt", row => row.Id).By("region", row => row.Region, row => row.Id);

    private const string Right = "licensing:write";

    public static void Map(IEndpointRouteBuilder api)
    {
        var customers = api.MapGroup("/customers");
        customers.MapPost("/", CreateAsync).RequireScope(Right).WithName("CreateCustomer").WithSummary("Create a customer").Produces<CustomerItem>(StatusCodes.Status201Created).AcceptIdempotencyKey();
        customers.MapGet("/", ListAsync).RequireScope("licensing:read").WithName("ListCustomers").WithSummary("List customers by name").Lists((CustomerItem row) => row.Id.ToString()).Produces<Page<CustomerItem>>().SortedBy(Orders);
        customers.MapGet("/{id:guid}", GetAsync).RequireScope("licensing:read").Shows("customer", static (ControlPlaneDbContext db, Guid id) => db.Set<Customer>().Where(row => row.Id == id).Select(row => (Guid?)row.Id)).WithName("GetCustomer").WithSummary("One customer").Produces<CustomerItem>();
        customers.MapPatch("/{id:guid}", ChangeAsync).RequireScope(Right).WithName("ChangeCustomer").WithSummary("Change a customer; needs If-Match").Produces<CustomerItem>();
    }

    private static async Task<IResult> CreateAsync(CreateCustomerRequest request, ClaimsPrincipal reader, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor creates customers.");
        }

        var now = time.GetUtcNow();
        var customer = new Customer { Id = Guid.CreateVersion7(now), Name = request.Name!.Trim(), Region = request.Region!.Trim(), CreatedAt = now };
        db.Add(customer);
        events.Publish(customer.ToEvent());
        events.Audit(new AuditFact("licensing.customer-created", AuditLog.Customer, "customer", customer.Id.ToString())
        {
            CustomerId = customer.Id,
            Changes = [Change.Add("/name", customer.Name), Change.Add("/region", customer.Region)],
        });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/v1/licensing/customers/{customer.Id}", customer.ToItem(NoChanging(reader, db)));
    }

    private static async Task<IResult> ListAsync(ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, string? q, string? state, string? count, CancellationToken cancellationToken)
    {
        if (state is not (null or "active" or "closed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is active or closed.");
        }

        var query = db.Set<Customer>().AsNoTracking();
        query = state is null ? query : query.Where(row => row.State == (state == "active" ? CustomerState.Active : CustomerState.Closed));
        query = query.Holding(row => row.Name, q);
        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        var hindrance = NoChanging(reader, db);
        return await Orders.PageAsync(list, query, row => row.ToItem(hindrance), cancellationToken, total);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, HttpResponse response, CancellationToken cancellationToken)
    {
        if (await db.Set<Customer>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } customer)
        {
            return Problems.NotFound();
        }

        response.Headers.ETag = Etags.Of(customer.Version);
        return TypedResults.Ok(customer.ToItem(NoChanging(reader, db)));
    }

    private static async Task<IResult> ChangeAsync(Guid id, ChangeCustomerRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (await db.Set<Customer>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } customer)
        {
            return Problems.NotFound();
        }

        if (NoChanging(http.User, db) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, hindrance);
        }

        if (Etags.Mismatch(http.Request, customer.Version) is { } mismatch)
        {
            return mismatch;
        }

        if (request.State is not (null or "active" or "closed"))
        {
            return Problems.Invalid([new FieldError("/state", "unknown-state", "A customer is active or closed.")]);
        }

        var changes = new List<AuditChange>();
        if (request.Name is { } name && name != customer.Name)
        {
            changes.Add(Change.Replace("/name", customer.Name, name));
            customer.Name = name;
        }

        if (request.Region is { } region && region != customer.Region)
        {
            changes.Add(Change.Replace("/region", customer.Region, region));
            customer.Region = region;
        }

        // Asked for what is so already: that is no change, and no mistake.
        if (request.State is { } word && (word == "active" ? CustomerState.Active : CustomerState.Closed) is var state && customer.NoEntering(state) is null)
        {
            changes.Add(Change.Replace("/state", Customer.Word(customer.State), word));
            customer.State = state;
        }

        if (changes.Count > 0)
        {
            customer.Version++;
            events.Publish(customer.ToEvent());
            events.Audit(new AuditFact("licensing.customer-changed", AuditLog.Customer, "customer", id.ToString()) { CustomerId = id, Changes = changes });
            await db.SaveChangesAsync(cancellationToken);
        }

        http.Response.Headers.ETag = Etags.Of(customer.Version);
        return TypedResults.Ok(customer.ToItem(null));
    }

    /// <summary>Why somebody may change no customer, in words; null: they may.</summary>
    private static string? NoChanging(ClaimsPrincipal reader, ControlPlaneDbContext db) => Scopes.Lacking(reader, Right) ?? (db.Scope.IsAll ? null : "Only staff of the vendor changes customers.");
}
