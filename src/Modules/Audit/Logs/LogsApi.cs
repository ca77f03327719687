using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Bundle;
using MissionControl.Audit.Check;
using MissionControl.Audit.ClusterLogs;
using MissionControl.Audit.Export;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Prune;
using MissionControl.Audit.Witnesses;
using MissionControl.Contracts;
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
    public const string Binary = "application/octet-stream";
    public const string PlainText = "text/plain; charset=utf-8";
    private static readonly ListOrders<Log> Orders = new ListOrders<Log>("createdAt").By("createdAt", row => row.CreatedAt, row => row.Name);

    public static void Map(IEndpointRouteBuilder api)
    {
        var logs = api.MapGroup("/logs");
        logs.MapGet("/", ListAsync).RequireScope("audit:read").WithName("ListAuditLogs").WithSummary("The audit logs, with their keys").Lists((AuditLogItem row) => row.Id.ToString()).Produces<Page<AuditLogItem>>().SortedBy(Orders);
        var one = logs.MapGroup("/{id:guid}").Shows("log", static (ControlPlaneDbContext db, Guid id) => db.Set<Log>().Where(row => row.Id == id).Select(row => row.CustomerId));
        one.MapGet("/", GetAsync).RequireScope("audit:read").WithName("GetAuditLog").WithSummary("An audit log, with its keys").Produces<AuditLogItem>();
        one.MapGet("/checkpoint", CheckpointAsync).RequireScope("audit:read").WithName("GetAuditLogCheckpoint").WithSummary("What a log says of itself, signed (C2SP tlog-checkpoint)").Produces<string>(contentType: PlainText);
        one.MapGet("/policy", PolicyAsync).RequireScope("audit:read").WithName("GetAuditLogPolicy").WithSummary("By what a log is verified: its keys, its witnesses, and how many of them are enough (C2SP tlog-policy)").Produces<string>(contentType: PlainText);
        one.MapGet("/tile/{**path}", TileAsync).RequireScope("audit:read").WithName("GetAuditLogTile").WithSummary("Hashes or entries of a log (C2SP tlog-tiles)").Produces(StatusCodes.Status200OK, contentType: Binary);
        one.MapGet("/proofs/{eventId:guid}", ProofAsync).RequireScope("audit:read").WithName("GetAuditLogProof").WithSummary("The proof that an entry stands in a log (C2SP tlog-proof), with the entry").Produces<string>(contentType: PlainText);
        AnchorApi.Map(logs, one);
        BundleApi.Map(one);
        ExportApi.Map(one);
    }

    private static Task<IResult> ListAsync(ControlPlaneDbContext db, LogKey key, [AsParameters] ListQuery list, CancellationToken cancellationToken) =>
        Orders.PageAsync<AuditLogItem>(list, Seen(db), rows => ItemsAsync(db, key, rows, cancellationToken), cancellationToken);

    private static async Task<IResult> GetAsync(Guid id, ControlPlaneDbContext db, LogKey key, CancellationToken cancellationToken) =>
        await Seen(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is { } log ? TypedResults.Ok((await ItemsAsync(db, key, [log], cancellationToken))[0]) : Problems.NotFound();

    private static async Task<IReadOnlyList<AuditLogItem>> ItemsAsync(ControlPlaneDbContext db, LogKey key, IReadOnlyList<Log> rows, CancellationToken cancellationToken)
    {
        var ids = rows.Select(row => row.Id).ToList();
        var sizes = await db.Set<LogHead>().AsNoTracking().Where(row => ids.Contains(row.LogId)).Select(row => new { row.LogId, row.Size, Signed = db.Set<LogCheckpoint>().Where(note => note.LogId == row.LogId).Max(note => (long?)note.Size) ?? 0 }).ToDictionaryAsync(row => row.LogId, cancellationToken);

        // By their whole key: a log that is busy has as many checkpoints as the day has seconds.
        var newest = await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [.. rows.Select(row => new object?[] { row.Id, sizes.GetValueOrDefault(row.Id)?.Signed ?? 0 })], ["signed_at", "note"], cancellationToken);
        var held = (await HeldLogs.ReadAsync(db, cancellationToken)).ToLookup(one => one.Log, one => one.Problem);
        var minima = await db.Set<LogMinimum>().AsNoTracking().Where(row => ids.Contains(row.LogId)).GroupBy(row => row.LogId).Select(group => new { group.Key, Minimum = group.Max(row => row.Minimum) }).ToDictionaryAsync(row => row.Key, row => row.Minimum, cancellationToken);
        var last = await VerifyLogs.LastAsync(db, ids, cancellationToken);
        var reconciled = await ClusterLogCounts.ReadAsync(db, [.. rows.Select(row => row.CustomerId).OfType<Guid>()], cancellationToken);
        return [.. rows.Zip(newest, (row, note) => new AuditLogItem(
            row.Id, row.Origin, row.Kind, row.CustomerId, row.CreatedAt, sizes.GetValueOrDefault(row.Id)?.Size ?? 0, sizes.GetValueOrDefault(row.Id)?.Signed ?? 0, note is null ? null : DateTimeOffset.FromUnixTimeMilliseconds((long)note[0]!), key.KeysOf(row.Origin, note is null ? null : ParseIfNote((string)note[1]!)),
            last.GetValueOrDefault(row.Id)?.At, last.GetValueOrDefault(row.Id)?.Size, ProblemOf(db.Scope.IsAll, held[row.Id].Concat(held[HeldLogs.All]).FirstOrDefault(), last.GetValueOrDefault(row.Id)?.Problem), minima.GetValueOrDefault(row.Id), reconciled.GetValueOrDefault(row.CustomerId ?? Guid.Empty)))];
    }

    public static async Task<IResult> CheckpointAsync(Guid id, bool? witnessed, ControlPlaneDbContext db, IOptions<AuditOptions> options, HttpContext http, CancellationToken cancellationToken)
    {
        if ((witnessed == true ? await WitnessedAsync(db, id, options.Value, cancellationToken) : await NewestAsync(db, id, cancellationToken)) is not { } note)
        {
            return Problems.NotFound();
        }

        http.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Text(note, PlainText);
    }

    public static async Task<IResult> TileAsync(Guid id, string path, ControlPlaneDbContext db, TileCache cache, HttpContext http, CancellationToken cancellationToken)
    {
        if (!TileId.TryParse($"tile/{path}", out var tile))
        {
            return Problems.NotFound();
        }

        if (cache.Find(db.Scope, id, tile) is { } kept)
        {
            return Tile(kept, http);
        }

        // What is not signed yet may still be another one tomorrow, if this database should come back from a backup.
        var log = await Seen(db).Where(row => row.Id == id).Select(row => new { row.Kind, row.CustomerId, Signed = db.Set<LogCheckpoint>().Where(note => note.LogId == row.Id).Max(note => (long?)note.Size) }).SingleOrDefaultAsync(cancellationToken);
        if (log is null || !tile.IsWithin(log.Signed ?? 0))
        {
            return Problems.NotFound();
        }

        if (tile.Level == TileId.Entries && await PrunedAsync(db, id, tile.Index * TileId.FullWidth, cancellationToken) is { } pruned)
        {
            return pruned;
        }

        if (await TileReader.ReadAsync(db, id, tile, cancellationToken) is not { } content)
        {
            return Problems.NotFound();
        }

        cache.Keep(id, log.Kind, log.CustomerId, tile, content);
        return Tile(content, http);
    }

    // Neither a full tile nor one of a certain width ever changes.
    private static IResult Tile(byte[] content, HttpContext http)
    {
        http.Response.Headers.CacheControl = "private, max-age=604800, immutable";
        return TypedResults.Bytes(content, Binary);
    }

    /// <summary>That an entry was pruned; null: it was not. What the log says to be pruned is gone for everybody at once, however far that has come.</summary>
    public static async Task<IResult?> PrunedAsync(ControlPlaneDbContext db, Guid id, long index, CancellationToken cancellationToken) =>
        await LogMinimum.OfAsync(db, id, cancellationToken) is var minimum && index < minimum
            ? Problems.Of(ProblemCodes.AuditPruned, string.Create(CultureInfo.InvariantCulture, $"The log begins at entry {minimum}: those before it were pruned by the published term, as its entry audit.log-pruned says. Their hashes are still in its tree."))
            : null;

    public static async Task<IResult> PolicyAsync(Guid id, ControlPlaneDbContext db, LogKey key, IOptions<AuditOptions> options, HttpContext http, CancellationToken cancellationToken)
    {
        if (await Seen(db).SingleOrDefaultAsync(row => row.Id == id, cancellationToken) is not { } log)
        {
            return Problems.NotFound();
        }

        http.Response.Headers.CacheControl = "no-cache";
        var newest = await NewestAsync(db, id, cancellationToken);
        return TypedResults.Text(await Witnessed.PolicyAsync(db, log, key.KeysOf(log.Origin, newest is null ? null : ParseIfNote(newest)), options.Value, cancellationToken), PlainText);
    }

    private static async Task<IResult> ProofAsync(Guid id, Guid eventId, ControlPlaneDbContext db, IOptions<AuditOptions> options, CancellationToken cancellationToken)
    {
        if (await NewestAsync(db, id, cancellationToken) is not { } text || (await PrunedEvent.StandingAsync(db, [[id, eventId]], cancellationToken))[0] is not [long place, _])
        {
            return Problems.NotFound();
        }

        if (await PrunedAsync(db, id, place, cancellationToken) is { } pruned)
        {
            return pruned;
        }

        if (await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == id && row.Position == place).SingleOrDefaultAsync(cancellationToken) is not { } leaf)
        {
            return Problems.NotFound();
        }

        // What enough witnesses have seen, where that has the entry.
        var note = await WitnessedAsync(db, id, options.Value, cancellationToken) is { } seen && Checkpoint.Parse(Parse(seen).Text).Size > leaf.Position ? Parse(seen) : Parse(text);
        var size = Checkpoint.Parse(note.Text).Size;
        if (leaf.Position >= size)
        {
            // It is signed within a second.
            return Problems.NotFound();
        }

        var path = await TileReader.ResolveAsync(db, id, ProofPlan.Inclusion(leaf.Position, size), cancellationToken);
        return TypedResults.Text(new LogProof(leaf.Position, path, note) { Extra = leaf.Content }.ToString(), PlainText);
    }

    // How the server keeps its memory is nobody's business but the operators'.
    private static string? ProblemOf(bool isStaff, string? held, string? found) => held is null ? found : $"Not signed: {(isStaff ? held : "the database is not the one of which it was signed before.")}{(found is null ? "" : $" {found}")}";

    // One damaged row must not take the list of all away, which says that it is damaged.
    private static SignedNote? ParseIfNote(string note)
    {
        try
        {
            return Parse(note);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static SignedNote Parse(string note) => SignedNote.Parse(Encoding.UTF8.GetBytes(note));

    private static async Task<string?> NewestAsync(ControlPlaneDbContext db, Guid id, CancellationToken cancellationToken) =>
        await Seen(db).AnyAsync(row => row.Id == id, cancellationToken) ? await Witnessed.NewestAsync(db, id, cancellationToken) : null;

    private static async Task<string?> WitnessedAsync(ControlPlaneDbContext db, Guid id, AuditOptions options, CancellationToken cancellationToken) =>
        await Seen(db).AnyAsync(row => row.Id == id, cancellationToken) && await Witnessed.SizeAsync(db, id, await Witnessed.QuorumAsync(db, id, options, cancellationToken), cancellationToken) is > 0 and var size
            ? await Witnessed.OfSizeAsync(db, id, size, cancellationToken)
            : null;

    /// <summary>Whether the caller may read a log, as <see cref="Seen"/> has it.</summary>
    public static bool IsSeen(CustomerScope scope, string kind, Guid? customer) => scope.IsAll || kind is "fleet" or AnchorLog.Kind || (kind == "customer" && customer is not null && customer == scope.CustomerId);

    /// <summary>The logs that the caller may read.</summary>
    public static IQueryable<Log> Seen(ControlPlaneDbContext db)
    {
        var (all, own) = (db.Scope.IsAll, db.Scope.CustomerId);
        return db.Set<Log>().AsNoTracking().Where(row => all || row.Kind == "fleet" || row.Kind == AnchorLog.Kind || (row.CustomerId == own && row.Kind == "customer"));
    }
}
