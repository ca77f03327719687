using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Entries;

/// <summary><c>GET /api/v1/audit/entries</c>: newest first; a customer sees its own log.</summary>
internal static class ListEntries
{
    private const int SearchDays = 92;

    private static readonly ListOrders<IndexedEntry> Orders = new ListOrders<IndexedEntry>("-occurredAt").By("occurredAt", row => row.OccurredAt, row => row.LogId, row => row.Position);

    public static void Map(IEndpointRouteBuilder api) => api
        .MapGet("/entries", HandleAsync).RequireScope("audit:read").ShowsClusterAskedFor(static (db, id) => db.Set<IndexedEntry>().Where(row => row.ClusterId == id && row.CustomerId != null).OrderByDescending(row => row.OccurredAt).Select(row => row.CustomerId)).WithName("ListAuditEntries").WithSummary("Search the audit log, newest first").Lists((AuditEntryItem row) => row.CustomerId?.ToString() ?? row.Log).Produces<Page<AuditEntryItem>>().SortedBy(Orders);

    private static async Task<IResult> HandleAsync(
        ControlPlaneDbContext db, TimeProvider time, [AsParameters] ListQuery list, string? q, string? log, Guid? customer, Guid? cluster, string? type, string? kind, string? actor, string? target, DateTimeOffset? from, DateTimeOffset? to,
        string? count, CancellationToken cancellationToken)
    {
        if (!string.IsNullOrWhiteSpace(q))
        {
            // No index serves a part of a text: without a bound one search would read the log of all years.
            var last = to ?? time.GetUtcNow();
            from ??= last - DateTimeOffset.MinValue < TimeSpan.FromDays(SearchDays) ? DateTimeOffset.MinValue : last.AddDays(-SearchDays);
            if (last - from > TimeSpan.FromDays(SearchDays))
            {
                return Problems.Of(ProblemCodes.UnknownParameter, $"q searches at most {SearchDays} days at once; name an earlier to, or a later from.");
            }
        }

        if (kind is not (null or "changes" or "reads"))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "kind is changes or reads.", [new FieldError("kind", "unknown-value", "kind is changes or reads.")]);
        }

        var all = db.Scope.IsAll;
        var own = db.Scope.CustomerId;
        var query = db.Set<IndexedEntry>().AsNoTracking().Where(row => all || (row.CustomerId == own && row.Log == "customer"));
        query = log is null ? query : query.Where(row => row.Log == log);
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = cluster is null ? query : query.Where(row => row.ClusterId == cluster);
        query = type is null ? query : query.Where(row => row.Type == type);
        query = kind is null ? query : query.Where(row => row.IsRead == (kind == "reads"));
        query = actor is null ? query : query.Where(row => row.ActorId == actor);
        query = target is null ? query : query.Where(row => row.TargetId == target);
        query = from is null ? query : query.Where(row => row.OccurredAt >= from);
        query = to is null ? query : query.Where(row => row.OccurredAt < to);

        // Pages say "cluster suspended" for cluster-suspended: both are found.
        query = query.Holding(row => row.Type + " " + row.Type.Replace("-", " ") + " " + row.ActorKind + " " + row.ActorId + " " + row.TargetType + " " + row.TargetId + " " + (row.Reason ?? ""), q);
        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        return await Orders.PageAsync<AuditEntryItem>(list, query, rows => EntryBodies.ReadAsync(db, rows, cancellationToken), cancellationToken, total);
    }
}
