using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Check;

/// <summary>
/// Reads a whole log from the database and makes everything anew: every hash from its entry, every tile from the hashes, the head, and
/// the root of every checkpoint that was ever signed, in bounded memory. Three say what an entry is, its content, its hash and, when it
/// is full, its tile; the checkpoint behind it says which of them is right.
/// </summary>
internal sealed class CheckLog
{
    private const int MostProblems = 20;
    private const int NotesAtOnce = 500;
    private const int MostUntold = 1000;
    private readonly ControlPlaneDbContext db;
    private readonly StoredLog log;
    private readonly KnownHead? known;
    private readonly Func<CancellationToken, Task> pause;
    private readonly CompactRange range = new();
    private readonly List<List<TreeHash>> levels = [];
    private readonly List<(long Entry, string Text)> problems = [];

    // Where tile and entry differ, until a checkpoint says who is right.
    private readonly List<(long Entry, string IfTree, string IfEntry)> open = [];

    // What is not there and what no entry says to have been erased, as far as the log had been told of when the check began.
    private readonly List<(long Entry, Concerned Concerned, string Field)> untold = [];
    private readonly Queue<(long Size, Checkpoint? Checkpoint)> notes = new();
    private long notesRead;
    private long good;
    private bool differs;
    private Erasures erasures;
    private long minimum;
    private long tiles;
    private long checkpoints;
    private long withheld;

    private CheckLog(ControlPlaneDbContext db, StoredLog log, KnownHead? known, Func<CancellationToken, Task> pause, Erasures erasures) => (this.db, this.log, this.known, this.pause, this.erasures) = (db, log, known, pause, erasures);

    /// <summary>Checks a log.</summary>
    /// <param name="db">The database.</param>
    /// <param name="log">The log, as far as it is read.</param>
    /// <param name="known">What is known of it outside the database; null: nothing.</param>
    /// <param name="key">The keys of the newest checkpoint.</param>
    /// <param name="pause">Lets others work, now and then.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<LogFinding> RunAsync(ControlPlaneDbContext db, StoredLog log, KnownHead? known, LogKey key, Func<CancellationToken, Task> pause, CancellationToken cancellationToken)
    {
        var check = new CheckLog(db, log, known, pause, await Erasures.ReadAsync(db, log.Id, cancellationToken));
        await check.WalkAsync(key, cancellationToken);
        if (await Pruned.UnsaidAsync(db, log.Id, cancellationToken) is { } unsaid)
        {
            check.Add(Math.Min(unsaid.Position, log.Size), $"The log is marked as pruned up to entry {unsaid.Minimum}, and no signed entry of it says so.");
        }

        return new LogFinding(log.Id, log.Origin, log.Size, check.tiles, check.checkpoints, check.withheld, [.. check.problems.OrderBy(problem => problem.Entry).Select(problem => problem.Text)]);
    }

    private async Task WalkAsync(LogKey key, CancellationToken cancellationToken)
    {
        // As it is now, before a single entry is read: what is appended meanwhile is the next check's.
        var head = (await db.Dialect.ReadByKeyAsync(db, LogHead.Table, ["log_id"], [[log.Id]], ["size", "root", "range"], cancellationToken))[0]!;
        var size = (long)head[0]!;
        minimum = await LogMinimum.OfAsync(db, log.Id, cancellationToken);
        await CompareAsync(cancellationToken);
        for (long tile = 0; range.Size < size; tile++)
        {
            if (!await TakeAsync(tile, (int)Math.Min(TileId.FullWidth, size - range.Size), cancellationToken))
            {
                return;
            }

            await pause(cancellationToken);
        }

        if (range.Root != new TreeHash((byte[])head[1]!))
        {
            Add(size, differs ? null : $"The head of {size} entries has another root than they have.");
            differs = true;
        }

        if (!range.ToArray().AsSpan().SequenceEqual((byte[])head[2]!))
        {
            Add(size, differs ? null : "The range of the head is not that of its entries: nothing can be appended.");
        }

        Settle(treeIsRight: !differs, size);
        await BehindAsync(size, cancellationToken);
        await NewestAsync(key, cancellationToken);
        await MissAsync(cancellationToken);
    }

    // That values were erased is told a moment after they are: what was erased meanwhile is looked for once more.
    private async Task MissAsync(CancellationToken cancellationToken)
    {
        if (untold.Count > 0)
        {
            erasures = await Erasures.ReadAsync(db, log.Id, cancellationToken);
            minimum = await LogMinimum.OfAsync(db, log.Id, cancellationToken);
            untold.RemoveAll(one => one.Entry < minimum || erasures.Explain(one.Entry, one.Concerned, one.Field));
        }

        if (untold.Count > 0)
        {
            Add(untold[0].Entry, $"The value {untold[0].Field} kept beside entry {untold[0].Entry} is not there, and no entry says that it was erased{(untold.Count == 1 ? "" : $"; of {untold.Count - 1}{(untold.Count == MostUntold ? " and more" : "")} others the same is true")}.");
        }
    }

    // A tile's worth of entries, the last of which may be no full one.
    private async Task<bool> TakeAsync(long tile, int width, CancellationToken cancellationToken)
    {
        var from = range.Size;
        if (from < minimum)
        {
            return await TakePrunedAsync(tile, cancellationToken);
        }

        var leaves = await TileReader.LeavesAsync(db, log.Id, from, from + width, ["hash", "content"], cancellationToken);
        if (leaves.Contains(null) && from < (minimum = await LogMinimum.OfAsync(db, log.Id, cancellationToken)))
        {
            // Pruned since the check began.
            return await TakePrunedAsync(tile, cancellationToken);
        }

        var stored = width == TileId.FullWidth ? await StoredAsync(0, tile, cancellationToken) : null;
        var personal = (await db.Set<PersonalValue>().AsNoTracking().Where(row => row.LogId == log.Id && row.Position >= from && row.Position < from + width).ToListAsync(cancellationToken)).ToLookup(row => row.Position);
        for (var i = 0; i < width; i++)
        {
            var index = from + i;
            var inTile = stored?.AsSpan(i * TreeHash.Size, TreeHash.Size).ToArray();
            if (leaves[i] is not [byte[] hash, byte[] content])
            {
                Add(index, $"Entry {index} is missing.");
                if (inTile is null)
                {
                    return false;
                }

                Grow(new TreeHash(inTile));
            }
            else
            {
                Judge(index, TileIdOf(0, tile), TreeHash.OfLeaf(content), hash, inTile);
                Reveal(index, content, personal[index]);
            }

            await CompareAsync(cancellationToken);
        }

        await CloseAsync(cancellationToken);
        return true;
    }

    // What was pruned is as its tile has it, and every root that was signed since says whether that is so. What is not deleted yet is nobody's any more.
    private async Task<bool> TakePrunedAsync(long tile, CancellationToken cancellationToken)
    {
        var hashes = await StoredAsync(0, tile, cancellationToken);
        Add(range.Size, hashes is null ? $"{TileIdOf(0, tile)} is missing, and its entries were pruned." : null);
        foreach (var hash in hashes?.Chunk(TreeHash.Size) ?? [])
        {
            Grow(new TreeHash(hash));
            await CompareAsync(cancellationToken);
        }

        await CloseAsync(cancellationToken);
        return hashes is not null;
    }

    private void Judge(long index, TileId tile, TreeHash made, byte[] hash, byte[]? inTile)
    {
        var (ofRow, ofTile) = (made.Span.SequenceEqual(hash), inTile is null || made.Span.SequenceEqual(inTile));
        if (ofRow && ofTile)
        {
            Grow(made);
        }
        else if (ofRow)
        {
            // Both were changed to fit each other, or the tile was.
            open.Add((index, $"{tile} was changed at entry {index}.", $"Entry {index} was changed, with its hash; {tile} still has the one of before."));
            Grow(made);
        }
        else if (inTile is not null && hash.AsSpan().SequenceEqual(inTile))
        {
            Add(index, $"The content of entry {index} was changed: its hash, also in {tile}, is another one.");
            Grow(new TreeHash(hash));
        }
        else if (ofTile && inTile is not null)
        {
            Add(index, $"The stored hash of entry {index} was changed: its content is as {tile} has it.");
            Grow(made);
        }
        else if (inTile is null)
        {
            open.Add((index, $"The stored hash of entry {index} was changed: its content is what was signed.", $"The content of entry {index} was changed: its hash is another one."));
            Grow(made);
        }
        else
        {
            Add(index, $"Entry {index} was changed, and its hash, too; {tile} has a third one.");
            Grow(new TreeHash(inTile));
        }
    }

    // Who may erase a value may not change it: what is there must be what the entry is committed to.
    private void Reveal(long index, byte[] content, IEnumerable<PersonalValue> values)
    {
        Dictionary<string, byte[]> commitments = [];
        Concerned? concerned = null;
        try
        {
            using var entry = JsonDocument.Parse(content);
            if (entry.RootElement.TryGetProperty("commitments", out var all))
            {
                commitments = all.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.GetBytesFromBase64(), StringComparer.Ordinal);
                concerned = commitments.Count > 0 ? Concerned.Of(entry.RootElement) : null;
            }
        }
        catch (Exception exception) when (exception is JsonException or FormatException or InvalidOperationException or ArgumentException or KeyNotFoundException)
        {
            // Its hash says already that it was changed, or it never was an entry of ours; what it is committed to nobody can say.
            return;
        }

        foreach (var value in values)
        {
            if (!commitments.Remove(value.Field, out var commitment) || !Commitment.Verify(commitment, value.Salt, value.Field, value.Value))
            {
                Add(index, $"The value {value.Field} kept beside entry {index} is not what the entry is committed to.");
            }
        }

        withheld += commitments.Count;
        untold.AddRange(commitments.Keys.Where(field => !erasures.Explain(index, concerned!, field)).Take(MostUntold - untold.Count).Select(field => (index, concerned!, field)));
    }

    private void Grow(in TreeHash leaf)
    {
        range.Append(leaf);
        At(0).Add(leaf);
    }

    // Every tile that is full now is compared when it is, and makes the next hash above.
    private async Task CloseAsync(CancellationToken cancellationToken)
    {
        for (var level = 0; At(level).Count == TileId.FullWidth; level++)
        {
            var subtree = new CompactRange();
            At(level).ForEach(hash => subtree.Append(hash));
            var id = TileIdOf(level, (range.Size >> (8 * (level + 1))) - 1);
            var row = (await db.Dialect.ReadByKeyAsync(db, LogTile.Table, ["log_id", "level", "position"], [[log.Id, level, id.Index]], ["hashes", "root"], cancellationToken))[0];
            if (row is not [byte[] hashes, byte[] root])
            {
                Add(range.Size - 1, $"{id} is missing.");
            }
            else
            {
                // Of level 0 each hash was looked at with its entry.
                Add(range.Size - 1, level > 0 && !hashes.AsSpan().SequenceEqual(At(level).SelectMany(hash => hash.Span.ToArray()).ToArray()) ? $"{id} is not what the tiles below make it." : null);
                Add(range.Size - 1, !subtree.Root.Span.SequenceEqual(root) && !open.Exists(one => one.Entry >= range.Size - TileId.FullWidth && level == 0) ? $"The root beside {id} is not that of its hashes." : null);
                tiles++;
            }

            At(level).Clear();
            At(level + 1).Add(subtree.Root);
        }
    }

    private async Task<byte[]?> StoredAsync(int level, long index, CancellationToken cancellationToken) =>
        (await db.Dialect.ReadByKeyAsync(db, LogTile.Table, ["log_id", "level", "position"], [[log.Id, level, index]], ["hashes"], cancellationToken))[0]?[0] is byte[] { Length: TileId.FullWidth * TreeHash.Size } hashes ? hashes : null;

    // Every root that was ever signed for the tree as it is so far, and the one that is remembered outside.
    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        for (var next = await NextAsync(cancellationToken); next is { } note && note.Size == range.Size; next = await NextAsync(cancellationToken))
        {
            notes.Dequeue();
            checkpoints++;
            if (note.Checkpoint is not { } checkpoint || checkpoint.Origin != log.Origin || checkpoint.Size != note.Size)
            {
                Add(range.Size, $"The checkpoint of {note.Size} entries is none of this log.");
                continue;
            }

            Signed(checkpoint.Root);
        }

        if (known is { } outside && outside.Size == range.Size && outside.Root != range.Root)
        {
            Add(range.Size, $"The first {range.Size} entries have another root than is remembered outside the database: they are not the ones that were signed.");
        }
    }

    private void Signed(TreeHash root)
    {
        if (root == range.Root)
        {
            Settle(treeIsRight: true, range.Size);
            good = range.Size;
        }
        else if (!differs)
        {
            // From here on every later one differs, too.
            Settle(treeIsRight: false, range.Size);
            Add(range.Size, string.Create(CultureInfo.InvariantCulture, $"The first {range.Size} entries have another root than the checkpoint of {range.Size} entries says: something from entry {good} on was changed, or it was."));
            differs = true;
        }
    }

    // Of what is open behind a root that was signed both explanations are left when nothing was.
    private void Settle(bool treeIsRight, long size)
    {
        foreach (var (entry, ifTree, ifEntry) in open.Where(one => one.Entry < size))
        {
            Add(entry, treeIsRight ? ifTree : ifEntry);
        }

        open.RemoveAll(one => one.Entry < size);
    }

    private async Task<(long Size, Checkpoint? Checkpoint)?> NextAsync(CancellationToken cancellationToken)
    {
        if (notes.Count == 0 && notesRead >= 0)
        {
            var after = notesRead;
            var rows = await db.Set<LogCheckpoint>().AsNoTracking().Where(row => row.LogId == log.Id && row.Size > after).OrderBy(row => row.Size).Take(NotesAtOnce).Select(row => new { row.Size, row.Note }).ToListAsync(cancellationToken);
            rows.ForEach(row => notes.Enqueue((row.Size, LogCheckpoint.Read(row.Note))));

            // None left: not asked again for each entry.
            notesRead = rows.Count < NotesAtOnce ? -1 : rows[^1].Size;
        }

        return notes.TryPeek(out var next) ? next : null;
    }

    private async Task BehindAsync(long size, CancellationToken cancellationToken)
    {
        // What is appended while this is read is no ghost: only what lies behind the head as it is now.
        if (await db.Set<LogLeaf>().AsNoTracking().AnyAsync(row => row.LogId == log.Id && row.Position >= size, cancellationToken)
            && await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == log.Id).MaxAsync(row => row.Position, cancellationToken) is var last
            && await db.Set<LogHead>().AsNoTracking().Where(row => row.LogId == log.Id).Select(row => row.Size).SingleAsync(cancellationToken) is var now && last >= now)
        {
            Add(size, $"There are entries behind the head, up to {last}.");
        }

        if (notes.TryPeek(out var beyond) && beyond.Size > await db.Set<LogHead>().AsNoTracking().Where(row => row.LogId == log.Id).Select(row => row.Size).SingleAsync(cancellationToken))
        {
            Add(size, $"A checkpoint says {beyond.Size} entries, and the log has {size}.");
        }
        else if (known is { } outside && outside.Size > size)
        {
            Add(size, $"{outside.Size} entries were signed, as is remembered outside the database, and the log has {size}.");
        }
    }

    // Only the newest: verifying all would take longer than reading the log.
    private async Task NewestAsync(LogKey key, CancellationToken cancellationToken)
    {
        if (await db.Set<LogCheckpoint>().AsNoTracking().Where(row => row.LogId == log.Id).OrderByDescending(row => row.Size).Select(row => row.Note).FirstOrDefaultAsync(cancellationToken) is { } text)
        {
            try
            {
                Add(log.Size, key.ProblemOf(log.Origin, SignedNote.Parse(Encoding.UTF8.GetBytes(text))) is { } problem ? $"The newest checkpoint: {problem}" : null);
            }
            catch (FormatException)
            {
                // Told where its root was compared.
            }
        }
    }

    private static TileId TileIdOf(int level, long index) => new(level, index, TileId.FullWidth);

    private List<TreeHash> At(int level)
    {
        while (levels.Count <= level)
        {
            levels.Add([]);
        }

        return levels[level];
    }

    private void Add(long entry, string? text)
    {
        if (text is not null && problems.Count < MostProblems)
        {
            problems.Add((entry, text));
        }
    }
}
