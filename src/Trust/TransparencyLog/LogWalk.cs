using System.Globalization;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>How a walk over a log ended.</summary>
public enum WalkResult
{
    /// <summary>Every entry is there, and together they are what the log has signed.</summary>
    Good,

    /// <summary>What the log holds is not what it has signed, now or before.</summary>
    Inconsistent,

    /// <summary>Something of it could not be had.</summary>
    Incomplete,
}

/// <summary>What a walk found.</summary>
/// <param name="Result">How it ended.</param>
/// <param name="Entries">Entries that were read and hashed.</param>
/// <param name="Tiles">Tiles and bundles that were read and are as they must be.</param>
/// <param name="Problem">What is wrong, in a sentence; null: nothing.</param>
/// <param name="Tile">The tile where it shows; null: at none.</param>
/// <param name="Index">The entry where it shows; null: at none in particular.</param>
/// <param name="Content">The tile as it was read, for whoever is to be shown it; null: there is none.</param>
/// <param name="Beside">The hashes that it was held against: of a bundle the tile of its hashes, of a tile above what the tiles below make it; null: there are none.</param>
public sealed record WalkFinding(
    WalkResult Result, long Entries, long Tiles, string? Problem = null, TileId? Tile = null, long? Index = null, ReadOnlyMemory<byte>? Content = null, ReadOnlyMemory<byte>? Beside = null);

/// <summary>Is told an entry that was read, before the whole of the log is known to be good.</summary>
/// <param name="index">Where it stands.</param>
/// <param name="entry">Its bytes.</param>
public delegate void EntryReader(long index, ReadOnlySpan<byte> entry);

/// <summary>
/// Reads a whole log, from the first entry to the last, and makes its tree anew, in bounded memory: every entry must hash to its place,
/// every tile must be what the tiles below make it, the tree must have had the root that was seen before when it was that large, and
/// must have the root that the log has signed. It believes nothing that it reads.
/// </summary>
public sealed class LogWalk
{
    // So many are asked for ahead: a log far away is not waited for once for each tile, and a bundle may have 16 MiB.
    private const int Ahead = 4;
    private readonly Func<TileId, CancellationToken, Task<ReadOnlyMemory<byte>?>> source;
    private readonly Checkpoint head;
    private readonly Checkpoint? pinned;
    private readonly EntryReader? each;
    private readonly long first;
    private readonly List<List<TreeHash>> levels = [];
    private CompactRange range = new();
    private long tiles;

    private LogWalk(Checkpoint head, Checkpoint? pinned, Func<TileId, CancellationToken, Task<ReadOnlyMemory<byte>?>> source, EntryReader? each, long first) => (this.head, this.pinned, this.source, this.each, this.first) = (head, pinned, source, each, first);

    private long Read => Math.Max(0, range.Size - first);

    /// <summary>Walks over a log.</summary>
    /// <param name="head">What the log has signed; the signature is the caller's to judge.</param>
    /// <param name="pinned">What it had signed when somebody looked before; null: nobody did.</param>
    /// <param name="source">Gives a tile or a bundle, or null when there is none. Called for a few at a time.</param>
    /// <param name="progress">Is told how many entries were read, now and then.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="each">Is told every entry, in order; null: nobody is.</param>
    /// <param name="first">The first entry that is read, a multiple of 256: of those before it the tree is taken from the tiles, which the root that was signed proves.</param>
    public static async Task<WalkFinding> RunAsync(Checkpoint head, Checkpoint? pinned, Func<TileId, CancellationToken, Task<ReadOnlyMemory<byte>?>> source, Action<long>? progress, CancellationToken cancellationToken, EntryReader? each = null, long first = 0)
    {
        ArgumentNullException.ThrowIfNull(head);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNotEqual(first % TileId.FullWidth, 0, nameof(first));
        var walk = new LogWalk(head, pinned, source, each, first);
        try
        {
            await walk.WalkAsync(progress, cancellationToken);
            return new WalkFinding(WalkResult.Good, walk.Read, walk.tiles);
        }
        catch (Stop stop)
        {
            return new WalkFinding(stop.Result, walk.Read, walk.tiles, stop.Message, stop.Tile, stop.Index, stop.Content, stop.Beside);
        }
    }

    /// <summary>The tiles that a walk from an entry on reads: those of the entries, and above them whatever the tree of all is made of.</summary>
    public static IEnumerable<TileId> TilesOf(long first, long size) => TileId.AllOf(size).Where(id => id.Index >= Start(id.Level, first) / TileId.FullWidth);

    /// <summary>
    /// Reads a tile as wide as it is asked for. One that has been filled meanwhile may stand for the one that was not full (C2SP
    /// tlog-tiles, "Partial Tiles").
    /// </summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(TileId id, Func<TileId, CancellationToken, Task<ReadOnlyMemory<byte>?>> source, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        var content = await source(id, cancellationToken);
        if (content is not null || id.IsFull || await source(id with { Width = TileId.FullWidth }, cancellationToken) is not { } full)
        {
            return content;
        }

        return id.Level == TileId.Entries ? FirstOf(full, id.Width) : full.Length < id.Width * TreeHash.Size ? full : full[..(id.Width * TreeHash.Size)];
    }

    private async Task WalkAsync(Action<long>? progress, CancellationToken cancellationToken)
    {
        if (pinned is not null && pinned.Origin != head.Origin)
        {
            throw new Stop(WalkResult.Inconsistent, $"The log that was seen before is {pinned.Origin}, and this one says it is {head.Origin}.");
        }

        if (pinned?.Size > head.Size)
        {
            throw new Stop(WalkResult.Inconsistent, string.Create(CultureInfo.InvariantCulture, $"The log had {pinned.Size} entries and has {head.Size} now: entries that were there are gone."));
        }

        if (pinned?.Size == head.Size && pinned.Root != head.Root)
        {
            throw new Stop(WalkResult.Inconsistent, string.Create(CultureInfo.InvariantCulture, $"The log has signed two roots for its first {head.Size} entries: {pinned.Root} before, and {head.Root} now."));
        }

        if (first > head.Size)
        {
            throw new Stop(WalkResult.Incomplete, string.Create(CultureInfo.InvariantCulture, $"It begins at entry {first}, and the log has {head.Size}."));
        }

        if (pinned?.Size < first)
        {
            throw new Stop(WalkResult.Incomplete, string.Create(CultureInfo.InvariantCulture, $"It begins at entry {first}, and what was seen before ends at {pinned.Size}: whether that is still so shows a part from {pinned.Size / TileId.FullWidth * TileId.FullWidth} on."));
        }

        await BeginAsync(cancellationToken);
        ComparePinned();
        var asked = new Queue<(TileId Id, Task<ReadOnlyMemory<byte>?> Bundle, Task<ReadOnlyMemory<byte>?> Hashes)>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            var next = first / TileId.FullWidth;
            while (range.Size < head.Size)
            {
                for (; asked.Count < Ahead && next * TileId.FullWidth < head.Size; next++)
                {
                    var id = TileId.At(TileId.Entries, next, head.Size);
                    asked.Enqueue((id, ReadAsync(id, source, end.Token), ReadAsync(id with { Level = 0 }, source, end.Token)));
                }

                // Taken off when both have come: whatever ends the walk, nothing that was asked for goes on behind it.
                var (bundle, entries, hashes) = asked.Peek();
                Take(bundle, await entries, await hashes);
                asked.Dequeue();
                await CloseFullAsync(0, cancellationToken);
                progress?.Invoke(Read);
            }

            for (var level = 1; level < levels.Count; level++)
            {
                await CompareAsync(level, cancellationToken);
            }
        }
        finally
        {
            await end.CancelAsync();
            foreach (var one in asked.SelectMany(one => new[] { one.Bundle, one.Hashes }))
            {
                await one.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }

        if (range.Root != head.Root)
        {
            throw new Stop(WalkResult.Inconsistent, string.Create(CultureInfo.InvariantCulture, $"All {head.Size} entries together have the root {range.Root}, and the log has signed {head.Root}."));
        }
    }

    // The tree of what is not read: of each level what stands in the tile that goes on, which together are the range up to there.
    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        var nodes = Array.Empty<byte>();
        At(0).Clear();
        for (var level = 1; Start(level, first) > 0; level++)
        {
            var count = (int)(Start(level, first) % TileId.FullWidth);
            if (count > 0)
            {
                var id = TileId.At(level, Start(level, first) / TileId.FullWidth, head.Size);
                var content = await ReadAsync(id, source, cancellationToken) ?? throw Missing(id);
                if (content.Length != id.Width * TreeHash.Size)
                {
                    throw new Stop(WalkResult.Inconsistent, $"{id} has another length than {id.Width} hashes.", id, null, content);
                }

                for (var i = 0; i < count; i++)
                {
                    At(level).Add(new TreeHash(content.Span.Slice(i * TreeHash.Size, TreeHash.Size)));
                }
            }

            var part = new CompactRange();
            At(level).ForEach(hash => part.Append(hash));
            nodes = [.. part.ToArray(), .. nodes];
        }

        range = new CompactRange(first, nodes);
    }

    // Where an entry's subtree stands in a level of tiles.
    private static long Start(int level, long entry) => level <= 0 ? entry : TileId.Height * level > 62 ? 0 : entry >> (TileId.Height * level);

    private static ReadOnlyMemory<byte> FirstOf(ReadOnlyMemory<byte> bundle, int count)
    {
        var rest = bundle.Span;
        while (count > 0 && EntryBundle.TryRead(ref rest, out _))
        {
            count--;
        }

        return bundle[..^rest.Length];
    }

    private void Take(TileId id, ReadOnlyMemory<byte>? bundle, ReadOnlyMemory<byte>? hashes)
    {
        var content = bundle ?? throw Missing(id);
        var beside = hashes ?? throw Missing(id with { Level = 0 });
        var rest = content.Span;
        var tile = beside.Span;
        if (tile.Length != id.Width * TreeHash.Size)
        {
            throw new Stop(WalkResult.Inconsistent, $"{id with { Level = 0 }} has another length than {id.Width} hashes.", id with { Level = 0 }, null, beside);
        }

        for (var i = 0; i < id.Width; i++)
        {
            var index = range.Size;
            if (!EntryBundle.TryRead(ref rest, out var entry))
            {
                throw new Stop(WalkResult.Inconsistent, string.Create(CultureInfo.InvariantCulture, $"{id} ends before entry {index}."), id, index, content, beside);
            }

            var leaf = TreeHash.OfLeaf(entry);
            if (!leaf.Span.SequenceEqual(tile.Slice(i * TreeHash.Size, TreeHash.Size)))
            {
                throw new Stop(WalkResult.Inconsistent, string.Create(CultureInfo.InvariantCulture, $"Entry {index} is not the one that the tree has at its place."), id, index, content, beside);
            }

            each?.Invoke(index, entry);
            range.Append(leaf);
            At(0).Add(leaf);
            ComparePinned();
        }

        if (!rest.IsEmpty)
        {
            throw new Stop(WalkResult.Inconsistent, $"{id} has more than {id.Width} entries.", id, null, content, beside);
        }

        tiles += 2;
    }

    private void ComparePinned()
    {
        if (pinned is not null && range.Size == pinned.Size && range.Root != pinned.Root)
        {
            throw new Stop(WalkResult.Inconsistent, string.Create(CultureInfo.InvariantCulture, $"The first {pinned.Size} entries have the root {range.Root}, and the log had signed {pinned.Root} for them: an entry among them was changed."));
        }
    }

    // Level 0 was compared entry by entry; whatever is full above it is compared when it is, and makes the next hash above.
    private async Task CloseFullAsync(int level, CancellationToken cancellationToken)
    {
        for (; At(level).Count == TileId.FullWidth; level++)
        {
            if (level > 0)
            {
                await CompareAsync(level, cancellationToken);
            }

            var subtree = new CompactRange();
            At(level).ForEach(hash => subtree.Append(hash));
            At(level).Clear();
            At(level + 1).Add(subtree.Root);
        }
    }

    private async Task CompareAsync(int level, CancellationToken cancellationToken)
    {
        if (At(level) is not { Count: > 0 } hashes)
        {
            return;
        }

        var above = range.Size >> (TileId.Height * level);
        var id = new TileId(level, (above - 1) / TileId.FullWidth, hashes.Count);
        var content = await ReadAsync(id, source, cancellationToken) ?? throw Missing(id);
        if (content.Length != hashes.Count * TreeHash.Size || hashes.Where((hash, i) => !hash.Span.SequenceEqual(content.Span.Slice(i * TreeHash.Size, TreeHash.Size))).Any())
        {
            throw new Stop(WalkResult.Inconsistent, $"{id} is not what the tiles below make it.", id, null, content, hashes.SelectMany(hash => hash.Span.ToArray()).ToArray());
        }

        tiles++;
    }

    private List<TreeHash> At(int level)
    {
        while (levels.Count <= level)
        {
            levels.Add([]);
        }

        return levels[level];
    }

    private static Stop Missing(TileId id) => new(WalkResult.Incomplete, $"{id} is not there.", id);

    private sealed class Stop(WalkResult result, string problem, TileId? tile = null, long? index = null, ReadOnlyMemory<byte>? content = null, ReadOnlyMemory<byte>? beside = null) : Exception(problem)
    {
        public WalkResult Result => result;

        public TileId? Tile => tile;

        public long? Index => index;

        public ReadOnlyMemory<byte>? Content => content;

        public ReadOnlyMemory<byte>? Beside => beside;
    }
}
