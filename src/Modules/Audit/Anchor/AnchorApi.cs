using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Anchor;

/// <summary>The anchor for everybody, and for whoever may read a log the proof that an epoch binds it.</summary>
internal static class AnchorApi
{
    private const string Why = "it binds the logs and names nobody: whoever verifies it need not be known";

    public static void Map(RouteGroupBuilder logs, RouteGroupBuilder one)
    {
        var anchor = logs.MapGroup("/anchor");
        anchor.MapGet("/checkpoint", static (bool? witnessed, ControlPlaneDbContext db, IOptions<AuditOptions> options, HttpContext http, CancellationToken cancellationToken) => LogsApi.CheckpointAsync(AnchorLog.Id, witnessed, db, options, http, cancellationToken))
            .OpenToAll(Why).WithName("GetAuditAnchorCheckpoint").WithSummary("What the anchor of all audit logs says of itself, signed (C2SP tlog-checkpoint)").Produces<string>(contentType: LogsApi.PlainText);
        anchor.MapGet("/policy", static (ControlPlaneDbContext db, LogKey key, IOptions<AuditOptions> options, HttpContext http, CancellationToken cancellationToken) => LogsApi.PolicyAsync(AnchorLog.Id, db, key, options, http, cancellationToken))
            .OpenToAll(Why).WithName("GetAuditAnchorPolicy").WithSummary("By what the anchor is verified: its keys, its witnesses, and how many of them are enough (C2SP tlog-policy)").Produces<string>(contentType: LogsApi.PlainText);
        anchor.MapGet("/tile/{**path}", static (string path, ControlPlaneDbContext db, TileCache cache, HttpContext http, CancellationToken cancellationToken) => LogsApi.TileAsync(AnchorLog.Id, path, db, cache, http, cancellationToken))
            .OpenToAll(Why).WithName("GetAuditAnchorTile").WithSummary("Hashes or entries of the anchor (C2SP tlog-tiles)").Produces(StatusCodes.Status200OK, contentType: LogsApi.Binary);
        one.MapGet("/anchor", ProveAsync).RequireScope("audit:read").WithName("GetAuditLogAnchor").WithSummary("The proof that an epoch of the anchor binds a log, with the log's checkpoint").Produces<string>(contentType: LogsApi.PlainText);
    }

    /// <summary>The proof that an epoch binds a log; null: it does not, it is not the caller's, or the epoch is not kept any more.</summary>
    /// <param name="id">The log.</param>
    /// <param name="db">The database.</param>
    /// <param name="blinding">The keys that blind slots.</param>
    /// <param name="trees">The slot trees.</param>
    /// <param name="epoch">Which epoch; null: the newest that the anchor has signed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<SlotProof?> ProofAsync(Guid id, ControlPlaneDbContext db, BlindingKey blinding, SlotTrees trees, long? epoch, CancellationToken cancellationToken)
    {
        // What the anchor has not signed yet binds nobody.
        var signed = await AnchorLog.SignedAsync(db, cancellationToken);
        var number = epoch ?? signed;
        if (number < 1 || number > signed || await LogsApi.Seen(db).Where(row => row.Id == id).Join(db.Set<LogSlot>(), log => log.Id, slot => slot.LogId, (log, slot) => new { log.Origin, slot.Slot }).SingleOrDefaultAsync(cancellationToken) is not { } log
            || await trees.OfAsync(db, number, cancellationToken) is not { } made || log.Slot >= made.Tree.Size || made.Sizes[(int)log.Slot] == 0)
        {
            return null;
        }

        var (tree, sizes) = (made.Tree, made.Sizes);
        var note = SignedNote.Parse(Encoding.UTF8.GetBytes((string)(await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [[id, sizes[(int)log.Slot]]], ["note"], cancellationToken))[0]![0]!));
        var closed = await AnchorLog.EpochAsync(db, number, cancellationToken);
        var proof = new SlotProof(number, log.Slot, tree.Size, BlindingKey.Blind(blinding.At(DateTimeOffset.FromUnixTimeSeconds(closed.Time)), log.Origin, number), tree.Path((int)log.Slot), note);
        proof.Verify(closed);
        return proof;
    }

    private static async Task<IResult> ProveAsync(Guid id, ControlPlaneDbContext db, BlindingKey blinding, SlotTrees trees, HttpContext http, long? epoch, CancellationToken cancellationToken)
    {
        if (await ProofAsync(id, db, blinding, trees, epoch, cancellationToken) is not { } proof)
        {
            return Problems.NotFound();
        }

        http.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Text(proof.ToString(), LogsApi.PlainText);
    }
}

/// <summary>The slot tree that was asked for last: at its time every customer asks for that of the newest epoch.</summary>
internal sealed class SlotTrees
{
    private volatile EpochTree? last;

    /// <summary>That of an epoch; null: it is not kept any more.</summary>
    public async Task<EpochTree?> OfAsync(ControlPlaneDbContext db, long epoch, CancellationToken cancellationToken)
    {
        if (last is { } known && known.Epoch == epoch)
        {
            return known;
        }

        if ((await db.Dialect.ReadByKeyAsync(db, EpochSlots.Table, ["epoch"], [[epoch]], ["content"], cancellationToken))[0] is not [byte[] content])
        {
            return null;
        }

        var (tree, sizes) = CloseEpochs.Unpack(content);
        return last = new EpochTree(epoch, tree, sizes);
    }

    /// <summary>The tree of an epoch, with the sizes that were bound.</summary>
    internal sealed record EpochTree(long Epoch, SlotTree Tree, IReadOnlyList<long> Sizes);
}
