using System.Buffers;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>
/// The tiles of a log, byte for byte as C2SP tlog-tiles has them; what is not full is put together from the rows below it. By whole
/// keys, in statements that are prepared once, or by one range of them.
/// </summary>
internal static class TileReader
{
    /// <summary>Reads a tile or a bundle; null when the log does not reach that far.</summary>
    public static async Task<byte[]?> ReadAsync(ControlPlaneDbContext db, Guid log, TileId id, CancellationToken cancellationToken)
    {
        var (from, to) = (id.Index * TileId.FullWidth, (id.Index * TileId.FullWidth) + id.Width);
        if (id.Level == TileId.Entries)
        {
            var entries = await LeavesAsync(db, log, from, to, ["content"], cancellationToken);
            if (entries.Contains(null))
            {
                return null;
            }

            var bundle = new ArrayBufferWriter<byte>(entries.Sum(entry => 2 + ((byte[])entry![0]!).Length));
            foreach (var entry in entries)
            {
                EntryBundle.Write(bundle, (byte[])entry![0]!);
            }

            return bundle.WrittenSpan.ToArray();
        }

        if (id.IsFull)
        {
            return (byte[]?)(await db.Dialect.ReadByKeyAsync(db, LogTile.Table, ["log_id", "level", "position"], [[log, id.Level, id.Index]], ["hashes"], cancellationToken))[0]?[0];
        }

        var hashes = await HashesAsync(db, log, id.Level, from, to, cancellationToken);
        return hashes.Count < id.Width ? null : [.. hashes.SelectMany(hash => hash)];
    }

    /// <summary>The hashes of a level from one place to before another; as many as there are without a hole.</summary>
    public static async Task<List<byte[]>> HashesAsync(ControlPlaneDbContext db, Guid log, int level, long from, long to, CancellationToken cancellationToken)
    {
        if (level == 0)
        {
            // One range for up to 255 rows: asked for one by one they are most of what a proof costs.
            var leaves = await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == log && row.Position >= from && row.Position < to).OrderBy(row => row.Position).Select(row => new { row.Position, row.Hash }).ToListAsync(cancellationToken);
            List<byte[]> hashes = [.. leaves.TakeWhile((leaf, i) => leaf.Position == from + i).Select(leaf => leaf.Hash)];

            // Of entries that were pruned the tile is left, and a part of it is what a tree of before had there.
            return hashes.Count == to - from ? hashes : await OfTileAsync(db, log, from, to, cancellationToken) ?? hashes;
        }

        var rows = await db.Dialect.ReadByKeyAsync(db, LogTile.Table, ["log_id", "level", "position"], [.. Places(from, to).Select(place => new object?[] { log, level - 1, place })], ["root"], cancellationToken);
        return [.. rows.TakeWhile(row => row is not null).Select(row => (byte[])row![0]!)];
    }

    private static async Task<List<byte[]>?> OfTileAsync(ControlPlaneDbContext db, Guid log, long from, long to, CancellationToken cancellationToken)
    {
        var first = from / TileId.FullWidth;
        return to <= (first + 1) * TileId.FullWidth && (await db.Dialect.ReadByKeyAsync(db, LogTile.Table, ["log_id", "level", "position"], [[log, 0, first]], ["hashes"], cancellationToken))[0]?[0] is byte[] { Length: TileId.FullWidth * TreeHash.Size } hashes
            ? [.. hashes.Chunk(TreeHash.Size).Skip((int)(from % TileId.FullWidth)).Take((int)(to - from))]
            : null;
    }

    /// <summary>Entries from one place to before another, in order; null where there is none.</summary>
    public static Task<IReadOnlyList<object?[]?>> LeavesAsync(ControlPlaneDbContext db, Guid log, long from, long to, IReadOnlyList<string> columns, CancellationToken cancellationToken) =>
        db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. Places(from, to).Select(place => new object?[] { log, place })], columns, cancellationToken);

    /// <summary>Puts a proof together.</summary>
    /// <exception cref="InvalidOperationException">A tile that the log must have is not there.</exception>
    public static async Task<TreeHash[]> ResolveAsync(ControlPlaneDbContext db, Guid log, ProofPlan plan, CancellationToken cancellationToken) =>
        (await ResolveAsync(db, log, [plan], cancellationToken))[0];

    /// <summary>Puts several proofs together, which share tiles.</summary>
    /// <exception cref="InvalidOperationException">A tile that the log must have is not there.</exception>
    public static async Task<IReadOnlyList<TreeHash[]>> ResolveAsync(ControlPlaneDbContext db, Guid log, IReadOnlyCollection<ProofPlan> plans, CancellationToken cancellationToken)
    {
        var tiles = new Dictionary<TileId, ReadOnlyMemory<byte>>();
        foreach (var id in plans.SelectMany(plan => plan.Tiles).Distinct())
        {
            tiles[id] = await ReadAsync(db, log, id, cancellationToken) ?? throw new InvalidOperationException($"{id} is not there.");
        }

        return [.. plans.Select(plan => plan.Resolve(id => tiles[id]))];
    }

    private static IEnumerable<long> Places(long from, long to)
    {
        for (var place = from; place < to; place++)
        {
            yield return place;
        }
    }
}
