using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Licensing.Customers;

/// <summary><c>/api/v1/licensing/customers/{id}/legal-hold</c>: while it stands, no role purges anything of the customer. The vendor's staff alone sees it.</summary>
internal static class LegalHoldApi
{
    public static void Map(IEndpointRouteBuilder api)
    {
        var hold = api.MapGroup("/customers/{id:guid}/legal-hold");
        hold.MapGet("/", GetAsync).RequireScope("licensing:read").Shows("customer", static (ControlPlaneDbContext db, Guid id) => db.Set<Customer>().Where(row => row.Id == id).Select(row => (Guid?)row.Id)).WithName("GetLegalHold").WithSummary("Whether a customer's records are under a legal hold").Produces<LegalHoldItem>();
        hold.MapPost("/", HoldAsync).RequireScope("licensing:write").WithName("HoldCustomer").WithSummary("Keep a customer's records whatever their age; needs If-Match").Produces<LegalHoldItem>();
        hold.MapPost("/release", ReleaseAsync).RequireScope("licensing:write").WithName("ReleaseCustomer").WithSummary("End a legal hold; needs If-Match").Produces<LegalHoldItem>();
    }

    private static async Task<IResult> GetAsync(Guid id, HttpContext http, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await FindAsync(id, db, cancellationToken) is { } customer ? Answer(customer, http) : Problems.NotFound();

    private static async Task<IResult> HoldAsync(Guid id, LegalHoldRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, db, cancellationToken) is not { } customer)
        {
            return Problems.NotFound();
        }

        if (Etags.Mismatch(http.Request, customer.Version) is { } mismatch)
        {
            return mismatch;
        }

        if (customer.HeldSince is not null)
        {
            return Problems.Of(ProblemCodes.Conflict, "The customer is under a legal hold already.");
        }

        customer.Hold(request.Reason!, time.GetUtcNow());
        await TellAsync(customer, "licensing.customer-held", request, db, events, cancellationToken);
        return Answer(customer, http);
    }

    private static async Task<IResult> ReleaseAsync(Guid id, LegalHoldRequest request, HttpContext http, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, db, cancellationToken) is not { } customer)
        {
            return Problems.NotFound();
        }

        if (Etags.Mismatch(http.Request, customer.Version) is { } mismatch)
        {
            return mismatch;
        }

        if (customer.HeldSince is null)
        {
            return Problems.Of(ProblemCodes.Conflict, "The customer is not under a legal hold.");
        }

        customer.Release();
        await TellAsync(customer, "licensing.customer-released", request, db, events, cancellationToken);
        return Answer(customer, http);
    }

    // A hold is the vendor's own affair: a customer's principal gets the answer of a stranger.
    private static Task<Customer?> FindAsync(Guid id, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        db.Scope.IsAll ? db.Set<Customer>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) : Task.FromResult<Customer?>(null);

    private static async Task TellAsync(Customer customer, string type, LegalHoldRequest request, ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        var held = customer.HeldSince is not null;
        events.Publish(new LegalHoldChanged(customer.Id, held, customer.Version));
        events.Audit(new AuditFact(type, AuditLog.Operator, "customer", customer.Id.ToString())
        {
            CustomerId = customer.Id,
            Reason = request.Reason,
            Ticket = request.Ticket,
            Changes = [Change.Replace("/legalHold", !held, held)],
        });
        await db.SaveChangesAsync(cancellationToken);
    }

    private static IResult Answer(Customer customer, HttpContext http)
    {
        http.Response.Headers.ETag = Etags.Of(customer.Version);
        return TypedResults.Ok(new LegalHoldItem(customer.Id, customer.HeldSince is not null, customer.HeldSince, customer.HoldReason, customer.Version));
    }
}
