using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Notifications.Deliveries;

/// <summary><c>/api/v1/notifications/deliveries</c>: what was told to whom, and what could not be.</summary>
internal static class DeliveriesApi
{
    private const string Right = "notifications:write";

    private static readonly ListOrders<Delivery> Orders = new ListOrders<Delivery>("-createdAt").By("createdAt", row => row.CreatedAt, row => row.Id);

    public static void Map(IEndpointRouteBuilder api)
    {
        var deliveries = api.MapGroup("/deliveries");
        deliveries.MapGet("/", ListAsync).RequireScope("notifications:read").WithName("ListDeliveries").WithSummary("Mails and events and what became of them, newest first").Lists((DeliveryItem row) => row.Id.ToString()).Produces<Page<DeliveryItem>>().SortedBy(Orders);
        deliveries.MapGet("/{id:guid}", GetAsync).RequireScope("notifications:read").Shows("delivery", static (ControlPlaneDbContext db, Guid id) => db.Set<Delivery>().Where(row => row.Id == id).Select(row => row.CustomerId)).WithName("GetDelivery").WithSummary("One delivery").Produces<DeliveryItem>();
        deliveries.MapPost("/{id:guid}/redeliver", RedeliverAsync).RequireScope(Right).WithName("Redeliver").WithSummary("Try a failed delivery for another day").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ListAsync(
        ClaimsPrincipal reader, ControlPlaneDbContext db, [AsParameters] ListQuery list, Guid? customer, string? state, string? channel, string? recipient, string? count, CancellationToken cancellationToken)
    {
        if (state is not (null or "waiting" or "sent" or "failed"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "state is waiting, sent or failed.");
        }

        var query = Visible(db).AsNoTracking();
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = channel is null ? query : query.Where(row => row.Channel == channel);
        query = recipient is null ? query : query.Where(row => row.Recipient == recipient);
        if (state is not null)
        {
            var wanted = Enum.Parse<DeliveryState>(state, ignoreCase: true);
            query = query.Where(row => row.State == wanted);
        }

        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        var (hindrance, isStaff) = (Scopes.Lacking(reader, Right), db.Scope.IsAll);
        return await Orders.PageAsync(list, query.Select(Delivery.WithoutBody), row => row.ToItem(hindrance, isStaff), cancellationToken, total);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } delivery ? TypedResults.Ok(delivery.ToItem(Scopes.Lacking(reader, Right), db.Scope.IsAll)) : Problems.NotFound();

    private static async Task<IResult> RedeliverAsync(Guid id, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await Visible(db).AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } delivery)
        {
            return Problems.NotFound();
        }

        if (delivery.NoRedelivering is { } hindrance)
        {
            return Problems.Of(ProblemCodes.Conflict, hindrance);
        }

        var now = time.GetUtcNow();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);

        // Asked for by two at once, it may be sent and emptied by the time the second one is heard.
        if (await db.Set<Delivery>().Where(row => row.Id == id && row.State == DeliveryState.Failed).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.State, DeliveryState.Waiting).SetProperty(row => row.Attempts, 0).SetProperty(row => row.Since, now).SetProperty(row => row.NextAt, now).SetProperty(row => row.EndedAt, (DateTimeOffset?)null), cancellationToken) == 0)
        {
            return Problems.Of(ProblemCodes.Conflict, "Somebody else asked for it at the same moment.");
        }

        events.Audit(new AuditFact("notifications.redelivery-asked", delivery.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "delivery", id.ToString())
        {
            CustomerId = delivery.CustomerId,
            Changes = [Change.Replace("/state", "failed", "waiting")],
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return TypedResults.NoContent();
    }

    private static IQueryable<Delivery> Visible(ControlPlaneDbContext db)
    {
        var (all, customer) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<Delivery>().Where(row => all || row.CustomerId == customer);
    }
}
