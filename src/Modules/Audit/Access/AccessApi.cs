using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Entries;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Access;

/// <summary><c>/api/v1/audit/access</c>: who of the vendor looked at which customer, and changed what there; and that somebody reviewed it.</summary>
internal static class AccessApi
{
    private const int UsualDays = 30;
    private const int MostDays = 400;
    private const int MostRows = 500;

    public static void Map(IEndpointRouteBuilder api)
    {
        var access = api.MapGroup("/access");
        access.MapGet("/", ReviewAsync).RequireScope("audit:read").WithName("ReviewAccess").WithSummary("Who of the vendor read or changed something of which customer, the last first").Lists((AccessReview review) => review.Items.Select(item => item.CustomerId.ToString())).Produces<AccessReview>();
        access.MapPost("/reviews", SignAsync).RequireScope("audit:write").WithName("SignAccessReview").WithSummary("Say that the accesses of a period were reviewed").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> ReviewAsync(ControlPlaneDbContext db, TimeProvider time, Guid? customer, string? actor, DateTimeOffset? from, DateTimeOffset? to, int? limit, CancellationToken cancellationToken)
    {
        var end = to ?? time.GetUtcNow();
        var begin = from ?? (end - DateTimeOffset.MinValue < TimeSpan.FromDays(UsualDays) ? DateTimeOffset.MinValue : end.AddDays(-UsualDays));
        if (begin >= end || end - begin > TimeSpan.FromDays(MostDays))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, $"from is before to, and at most {MostDays} days.", [new FieldError("from", "invalid-value", $"Before to, and at most {MostDays} days.")]);
        }

        // Of service accounts, which a customer may have too, only what was read is surely the vendor's: a customer's own looks are noted nowhere.
        var (all, own) = (db.Scope.IsAll, db.Scope.CustomerId);
        var entries = db.Set<IndexedEntry>().AsNoTracking().Where(row => row.OccurredAt >= begin && row.OccurredAt < end && (row.ActorKind == "staff" || (row.ActorKind == "serviceAccount" && row.IsRead)) && row.CustomerId != null && row.Log == "customer");
        entries = all ? entries : entries.Where(row => row.CustomerId == own);
        entries = customer is null ? entries : entries.Where(row => row.CustomerId == customer);
        entries = actor is null ? entries : entries.Where(row => row.ActorId == actor);
        var groups = entries.GroupBy(row => new { row.ActorId, row.CustomerId }).Select(group => new
        {
            group.Key.ActorId,
            group.Key.CustomerId,
            Reads = group.Count(row => row.IsRead),
            Refused = group.Count(row => row.Outcome != "success"),
            All = group.Count(),
            First = group.Min(row => row.OccurredAt),
            Last = group.Max(row => row.OccurredAt),
        });
        var total = await groups.CountAsync(cancellationToken);
        var rows = await groups.OrderByDescending(row => row.Last).ThenBy(row => row.ActorId).Take(Math.Clamp(limit ?? MostRows, 1, MostRows)).ToListAsync(cancellationToken);
        return TypedResults.Ok(new AccessReview(begin, end, [.. rows.Select(row => new AccessItem(row.ActorId, row.CustomerId!.Value, row.Reads, row.All - row.Reads - row.Refused, row.Refused, row.First, row.Last))], total));
    }

    private static async Task<IResult> SignAsync(SignAccessReviewRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var errors = new List<FieldError>();
        if (Reasons.Mistake(request.Reason, out var reason) is { } mistake)
        {
            errors.Add(mistake);
        }

        if (request.From is not { } from || request.To is not { } to || from >= to || to > time.GetUtcNow())
        {
            errors.Add(new FieldError("/to", "invalid-value", "A period that has ended, after from."));
        }

        if (!db.Scope.IsAll && request.CustomerId is { } other && other != db.Scope.CustomerId)
        {
            errors.Add(new FieldError("/customerId", "unknown-customer", "There is no such customer, or it is not yours."));
        }

        if (errors.Count > 0)
        {
            return Problems.Invalid(errors);
        }

        var customer = db.Scope.IsAll ? request.CustomerId : db.Scope.CustomerId;
        var period = string.Create(CultureInfo.InvariantCulture, $"{request.From!.Value.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}/{request.To!.Value.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}");
        events.Audit(new AuditFact("audit.access-reviewed", customer is null ? AuditLog.Operator : AuditLog.Customer, "period", period) { CustomerId = customer, Reason = reason });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.NoContent();
    }
}
