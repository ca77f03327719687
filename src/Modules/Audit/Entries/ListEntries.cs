using System.Globalization;
using System.Text.Json;
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
    public static void Map(IEndpointRouteBuilder api) => api
        .MapGet("/entries", HandleAsync).RequireScope("audit:read").WithName("ListAuditEntries").WithSummary("Search the audit log, newest first").Produces<Page<AuditEntryItem>>();

    private static async Task<IResult> HandleAsync(
        ControlPlaneDbContext db, string? log, Guid? customer, Guid? cluster, string? type, string? actor, string? target, DateTimeOffset? from, DateTimeOffset? to,
        int? limit, string? cursor, string? count, CancellationToken cancellationToken)
    {
        var take = Math.Clamp(limit ?? 50, 1, 500);
        var all = db.Scope.IsAll;
        var own = db.Scope.CustomerId;
        var query = db.Set<AuditEntry>().AsNoTracking().Where(row => all || (row.CustomerId == own && row.Log == "customer"));
        query = log is null ? query : query.Where(row => row.Log == log);
        query = customer is null ? query : query.Where(row => row.CustomerId == customer);
        query = cluster is null ? query : query.Where(row => row.ClusterId == cluster);
        query = type is null ? query : query.Where(row => row.Type == type);
        query = actor is null ? query : query.Where(row => row.ActorId == actor);
        query = target is null ? query : query.Where(row => row.TargetId == target);
        query = from is null ? query : query.Where(row => row.OccurredAt >= from);
        query = to is null ? query : query.Where(row => row.OccurredAt < to);
        var total = count == "exact" ? await query.LongCountAsync(cancellationToken) : (long?)null;
        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || parts.Length != 2 || !Cursors.TryInstant(parts[0], out var at) || !Guid.TryParse(parts[1], out var after))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            query = query.Where(row => row.OccurredAt < at || (row.OccurredAt == at && row.Id < after));
        }

        var rows = await query.OrderByDescending(row => row.OccurredAt).ThenByDescending(row => row.Id).Take(take + 1).ToListAsync(cancellationToken);
        string? next = null;
        if (rows.Count > take)
        {
            var last = rows[take - 1];
            var filter = new QueryString().Add("limit", take.ToString(CultureInfo.InvariantCulture));
            foreach (var (name, value) in new (string, string?)[] { ("log", log), ("customer", customer?.ToString()), ("cluster", cluster?.ToString()), ("type", type), ("actor", actor), ("target", target), ("from", from?.ToString("O")), ("to", to?.ToString("O")) })
            {
                filter = value is null ? filter : filter.Add(name, value);
            }

            next = "/api/v1/audit/entries" + filter.Add("cursor", Cursors.Encode(last.OccurredAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture), last.Id.ToString()));
        }

        return TypedResults.Ok(new Page<AuditEntryItem>([.. rows.Take(take).Select(Item)], next, total));
    }

    private static AuditEntryItem Item(AuditEntry row)
    {
        using var body = JsonDocument.Parse(row.Body);
        var entry = body.RootElement.Clone();
        return new AuditEntryItem(
            row.Id, row.OccurredAt, row.RecordedAt, row.Log, row.CustomerId, row.ClusterId, row.Type, row.Outcome, row.ActorKind, row.ActorId, row.TargetType, row.TargetId,
            entry.TryGetProperty("reason", out var reason) ? reason.GetString() : null, row.Producer, row.ProducerSeq, entry);
    }
}
