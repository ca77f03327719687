using System.Buffers;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>The tiles of a log, byte for byte as C2SP tlog-tiles has them; what is not full is put together from the rows below it.</summary>
internal static class TileReader
{
    /// <summary>Reads a tile or a bundle; null when the log does not reach that far.</summary>
    public static async Task<byte[]?> ReadAsync(ControlPlaneDbContext db, Guid log, TileId id, CancellationToken cancellationToken)
    {
        var (from, to) = (id.Index * TileId.FullWidth, (id.Index * TileId.FullWidth) + id.Width);
        if (id.Level == TileId.Entries)
        {
            var entries = await db.Set<LogLeaf>().Where(leaf => leaf.LogId == log && leaf.Position >= from && leaf.Position < to).OrderBy(leaf => leaf.Position).Select(leaf => leaf.Content).ToListAsync(cancellationToken);
            if (entries.Count < id.Width)
            {
                return null;
            }

            var bundle = new ArrayBufferWriter<byte>();
            entries.ForEach(entry => EntryBundle.Write(bundle, entry));
            return bundle.WrittenSpan.ToArray();
        }

        if (id.IsFull)
        {
            return await db.Set<LogTile>().Where(tile => tile.LogId == log && tile.Level == id.Level && tile.Position == id.Index).Select(tile => tile.Hashes).SingleOrDefaultAsync(cancellationToken);
        }

        var below = id.Level - 1;
        var hashes = id.Level == 0
            ? await db.Set<LogLeaf>().Where(leaf => leaf.LogId == log && leaf.Position >= from && leaf.Position < to).OrderBy(leaf => leaf.Position).Select(leaf => leaf.Hash).ToListAsync(cancellationToken)
            : await db.Set<LogTile>().Where(tile => tile.LogId == log && tile.Level == below && tile.Position >= from && tile.Position < to).OrderBy(tile => tile.Position).Select(tile => tile.Root).ToListAsync(cancellationToken);
        return hashes.Count < id.Width ? null : [.. hashes.SelectMany(hash => hash)];
    }

    /// <summary>Puts a proof together.</summary>
    /// <exception cref="InvalidOperationException">A tile that the log must have is not there.</exception>
    public static async Task<TreeHash[]> ResolveAsync(ControlPlaneDbContext db, Guid log, ProofPlan plan, CancellationToken cancellationToken)
    {
        var tiles = new Dictionary<TileId, ReadOnlyMemory<byte>>();
        foreach (var id in plan.Tiles)
        {
            tiles[id] = await ReadAsync(db, log, id, cancellationToken) ?? throw new InvalidOperationException($"{id} of log {log} is not there.");
        }

        return plan.Resolve(id => tiles[id]);
    }
}
