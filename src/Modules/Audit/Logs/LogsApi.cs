using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary><c>/api/v1/audit/logs</c>: the logs themselves, for whoever verifies them; each of them a log of C2SP tlog-tiles. A customer reads its own and the fleet's.</summary>
internal static class LogsApi
{
    private const string Binary = "application/octet-stream";
    private const string Text = "text/plain; charset=utf-8";
    private static readonly ListOrders<Log> Orders = new ListOrders<Log>("createdAt").By("createdAt", row => row.CreatedAt, row => row.Name);

    public static void Map(IEndpointRouteBuilder api)
    {
        var logs = api.MapGroup("/logs");
        logs.MapGet("/", ListAsync).RequireScope("audit:read").WithName("ListAuditLogs").WithSummary("The audit logs, with their keys").Produces<Page<AuditLogItem>>().SortedBy(Orders);
        var one = logs.MapGroup("/{id:guid}").Shows("log", static (ControlPlaneDbContext db, Guid id) => db.Set<Log>().Where(row => row.Id == id).Select(row => row.CustomerId));
        one.MapGet("/checkpoint", CheckpointAsync).RequireScope("audit:read").WithName("GetAuditLogCheckpoint").WithSummary("What a log says of itself, signed (C2SP tlog-checkpoint)").Produces<string>(contentType: Text);
        one.MapGet("/tile/{**path}", TileAsync).RequireScope("audit:read").WithName("GetAuditLogTile").WithSummary("Hashes or entries of a log (C2SP tlog-tiles)").Produces(StatusCodes.Status200OK, contentType: Binary);
        one.MapGet("/proofs/{eventId:guid}", ProofAsync).RequireScope("audit:read").WithName("GetAuditLogProof").WithSummary("The proof that an entry stands in a log (C2SP tlog-proof), with the entry").Produces<string>(contentType: Text);
    }

    private static Task<IResult> ListAsync(ControlPlaneDbContext db, LogKey key, [AsParameters] ListQuery list, CancellationToken cancellationToken) => Orders.PageAsync<AuditLogItem>(list, Seen(db), async rows =>
    {
        var ids = rows.Select(row => row.Id).ToList();
        var heads = await db.Set<LogHead>().AsNoTracking().Where(row => ids.Contains(row.LogId)).ToDictionaryAsync(row => row.LogId, row => row.Size, cancellationToken);
        var signed = await db.Set<LogCheckpoint>().Where(row => ids.Contains(row.LogId)).GroupBy(row => row.LogId).Select(group => new { group.Key, Size = group.Max(row => row.Size), At = group.Max(row => row.SignedAt) }).ToDictionaryAsync(row => row.Key, cancellationToken);
        return [.. rows.Select(row => new AuditLogItem(row.Id, row.Origin, row.Kind, row.CustomerId, row.CreatedAt, heads.GetValueOrDefault(row.Id), signed.GetValueOrDefault(row.Id)?.Size ?? 0, signed.GetValueOrDefault(row.Id)?.At, key.KeysOf(row.Origin)))];
    }, cancellationToken);

    private static async Task<IResult> CheckpointAsync(Guid id, ControlPlaneDbContext db, HttpContext http, CancellationToken cancellationToken)
    {
        if (await NewestAsync(db, id, cancellationToken) is not { } note)
        {
            return Problems.NotFound();
        }

        http.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Text(note, Text);
    }

    private static async Task<IResult> TileAsync(Guid id, string path, ControlPlaneDbContext db, HttpContext http, CancellationToken cancellationToken)
    {
        if (!TileId.TryParse($"tile/{path}", out var tile) || !await Seen(db).AnyAsync(row => row.Id == id, cancellationToken) || await TileReader.ReadAsync(db, id, tile, cancellationToken) is not { } content)
        {
            return Problems.NotFound();
        }

        // Neither a full tile nor one of a certain width ever changes.
        http.Response.Headers.CacheControl = "private, max-age=604800, immutable";
        return TypedResults.Bytes(content, Binary);
    }

    private static async Task<IResult> ProofAsync(Guid id, Guid eventId, ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var leaf = await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == id && row.EventId == eventId).SingleOrDefaultAsync(cancellationToken);
        if (leaf is null || await NewestAsync(db, id, cancellationToken) is not { } text)
        {
            return Problems.NotFound();
        }

        var note = SignedNote.Parse(System.Text.Encoding.UTF8.GetBytes(text));
        var size = Checkpoint.Parse(note.Text).Size;
        if (leaf.Position >= size)
        {
            // It is signed within a second.
            return Problems.NotFound();
        }

        var path = await TileReader.ResolveAsync(db, id, ProofPlan.Inclusion(leaf.Position, size), cancellationToken);
        return TypedResults.Text(new LogProof(leaf.Position, path, note) { Extra = leaf.Content }.ToString(), Text);
    }

    private static async Task<string?> NewestAsync(ControlPlaneDbContext db, Guid id, CancellationToken cancellationToken) =>
        await Seen(db).AnyAsync(row => row.Id == id, cancellationToken)
            ? await db.Set<LogCheckpoint>().Where(row => row.LogId == id).OrderByDescending(row => row.Size).Select(row => row.Note).FirstOrDefaultAsync(cancellationToken)
            : null;

    private static IQueryable<Log> Seen(ControlPlaneDbContext db)
    {
        var (all, own) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<Log>().AsNoTracking().Where(row => all || row.Kind == "fleet" || (row.CustomerId == own && row.Kind == "customer"));
    }
}
