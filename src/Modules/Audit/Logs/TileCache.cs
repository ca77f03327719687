using Microsoft.Extensions.Caching.Memory;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>
/// Full tiles of hashes that somebody asked for within the last ten minutes: such a tile never changes, and whoever verifies a log reads
/// all of them. Bundles of entries are not among them: these may be pruned. A tile that somebody changes in the database meanwhile is
/// found by the check of the rows, which reads no copy.
/// </summary>
internal sealed class TileCache : IDisposable
{
    // Those of a million entries.
    private const long MostBytes = 32 << 20;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);
    private readonly MemoryCache tiles = new(new MemoryCacheOptions { SizeLimit = MostBytes });

    /// <summary>A tile that the caller may read; null: it is not here, or is not the caller's.</summary>
    public byte[]? Find(CustomerScope scope, Guid log, TileId tile) => tiles.TryGetValue((log, tile), out Kept? kept) && LogsApi.IsSeen(scope, kept!.Kind, kept.Customer) ? kept.Content : null;

    /// <summary>Keeps a tile that a checkpoint covers, if it is one of those that never change.</summary>
    public void Keep(Guid log, string kind, Guid? customer, TileId tile, byte[] content)
    {
        if (tile.IsFull && tile.Level != TileId.Entries)
        {
            tiles.Set((log, tile), new Kept(kind, customer, content), new MemoryCacheEntryOptions { Size = content.Length, AbsoluteExpirationRelativeToNow = Longest });
        }
    }

    public void Dispose() => tiles.Dispose();

    private sealed record Kept(string Kind, Guid? Customer, byte[] Content);
}
