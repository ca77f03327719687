using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Prune;
using MissionControl.Audit.Receipts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>
/// Gives events their places, in the transaction in which they are taken: all logs of a batch at once, each from the head that is
/// stored to the next. Events of one producer keep their order within a batch; one that stands in the log stays where it is.
/// </summary>
internal sealed class Sequencer(ControlPlaneDbContext db, LastEpoch epochs, WantedReceipts receipts, TimeProvider time)
{
    private const string OriginPrefix = "mission-control/";
    private static readonly string[] HeadColumns = ["log_id", "size", "root", "range", "recorded_at", "version"];

    /// <summary>Appends.</summary>
    /// <exception cref="DbUpdateConcurrencyException">Another replica was faster; the same batch again finds what it wrote.</exception>
    public async Task AppendAsync(IReadOnlyList<Told> batch, CancellationToken cancellationToken)
    {
        var byLog = (await OfCustomersThatAreAsync(batch, cancellationToken)).GroupBy(told => Log.NameOf(told.Event.Log, told.Event.CustomerId), StringComparer.Ordinal).ToDictionary(group => Log.IdOf(group.Key), group => (Name: group.Key, Told: InOrder(group)));

        // In one order, so that two replicas with the same logs take turns and never wait for each other.
        var keys = byLog.Keys.Order().Select(id => new object?[] { id }).ToList();
        await db.Dialect.LockRowsAsync(db, LogHead.Table, ["log_id"], keys, cancellationToken);
        var heads = await db.Dialect.ReadByKeyAsync(db, LogHead.Table, ["log_id"], keys, [.. HeadColumns.Skip(1)], cancellationToken);
        if (heads.Contains(null))
        {
            await MakeAsync([.. keys.Zip(heads).Where(pair => pair.Second is null).Select(pair => byLog[(Guid)pair.First[0]!]).Select(log => (log.Name, log.Told[0].Event.Log, log.Told[0].Event.Log == "customer" ? log.Told[0].Event.CustomerId : null))], cancellationToken);
            await db.Dialect.LockRowsAsync(db, LogHead.Table, ["log_id"], keys, cancellationToken);
            heads = await db.Dialect.ReadByKeyAsync(db, LogHead.Table, ["log_id"], keys, [.. HeadColumns.Skip(1)], cancellationToken);
        }

        var growing = keys.Zip(heads, (key, head) => new GrowingLog((Guid)key[0]!, head!)).ToList();
        await AppendAsync([.. growing.SelectMany(log => byLog[log.Id].Told.Select(told => (log, told)))], cancellationToken);
        await StoreAsync([.. growing.Where(log => log.Leaves.Count > 0)], cancellationToken);
    }

    /// <summary>Appends one entry that is no event, to a log that there is.</summary>
    /// <param name="id">The log.</param>
    /// <param name="size">How many entries it has: where the new one is to stand.</param>
    /// <param name="eventId">An id that no other entry of it has.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False when it has another size by now.</returns>
    public async Task<bool> AppendAsync(Guid id, long size, Guid eventId, byte[] content, CancellationToken cancellationToken)
    {
        object?[][] key = [[id]];
        await db.Dialect.LockRowsAsync(db, LogHead.Table, ["log_id"], key, cancellationToken);
        if ((await db.Dialect.ReadByKeyAsync(db, LogHead.Table, ["log_id"], key, [.. HeadColumns.Skip(1)], cancellationToken))[0] is not { } head || (long)head[0]! != size)
        {
            return false;
        }

        var log = new GrowingLog(id, head);
        log.Append(eventId, content, time.GetUtcNow());
        await StoreAsync([log], cancellationToken);
        return true;
    }

    /// <summary>Makes logs that are not there yet.</summary>
    public async Task MakeAsync(IReadOnlyList<(string Name, string Kind, Guid? Customer)> missing, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await db.Dialect.InsertIfAbsentAsync(
            db, new BulkRows(Log.Table, ["name", "id", "origin", "kind", "customer_id", "created_at"], ["name"], [.. missing.Select(one => new object?[]
            {
                one.Name, Log.IdOf(one.Name), $"{OriginPrefix}{RandomNumberGenerator.GetHexString(32, lowercase: true)}", one.Kind, one.Customer, now,
            })]), cancellationToken);
        await db.Dialect.InsertIfAbsentAsync(
            db, new BulkRows(LogHead.Table, HeadColumns, ["log_id"], [.. missing.Select(one => new object?[] { Log.IdOf(one.Name), 0L, TreeHash.Empty.Span.ToArray(), Array.Empty<byte>(), now, 0L })]), cancellationToken);
    }

    // A log, and its slot, are for good: looking for a customer that there is not makes none. That somebody did stands in the log of the operators.
    private async Task<IReadOnlyList<Told>> OfCustomersThatAreAsync(IReadOnlyList<Told> batch, CancellationToken cancellationToken)
    {
        var made = batch.Where(told => !IsLook(told)).Select(LogOf).ToHashSet();
        var looked = batch.Where(IsLook).Select(LogOf).Distinct().Where(log => !made.Contains(log)).ToList();
        if (looked.Count == 0)
        {
            return batch;
        }

        var heads = await db.Dialect.ReadByKeyAsync(db, LogHead.Table, ["log_id"], [.. looked.Select(log => new object?[] { log })], ["size"], cancellationToken);
        var none = looked.Zip(heads).Where(pair => pair.Second is null).Select(pair => pair.First).ToHashSet();
        return none.Count == 0 ? batch : [.. batch.Select(told => IsLook(told) && none.Contains(LogOf(told)) ? told with { Event = told.Event with { Log = "operator" } } : told)];

        static bool IsLook(Told told) => told.Imported is null && told.Event.Log == "customer" && told.Event.Type.EndsWith(StaffReads.Suffix, StringComparison.Ordinal);
        static Guid LogOf(Told told) => Log.IdOf(Log.NameOf(told.Event.Log, told.Event.CustomerId));
    }

    private async Task StoreAsync(IReadOnlyList<GrowingLog> grown, CancellationToken cancellationToken)
    {
        foreach (var log in grown)
        {
            await CloseTilesAsync(log, cancellationToken);
        }

        await InsertAsync(new BulkRows(LogLeaf.Table, ["log_id", "position", "hash", "event_id", "event_hash", "content"], ["log_id", "position"], [.. grown.SelectMany(log => log.Leaves)]), cancellationToken);
        await InsertAsync(new BulkRows(LogTile.Table, ["log_id", "level", "position", "hashes", "root"], ["log_id", "level", "position"], [.. grown.SelectMany(log => log.Tiles)]), cancellationToken);
        await InsertAsync(new BulkRows(PersonalValue.Table, ["log_id", "position", "field", "salt", "value"], ["log_id", "position", "field"], [.. grown.SelectMany(log => log.Personal)]), cancellationToken);
        await InsertAsync(IndexedEntry.Rows([.. grown.SelectMany(log => log.Indexed)]), cancellationToken);
        var moved = await db.Dialect.CompareAndSwapAsync(db, new BulkRows(LogHead.Table, HeadColumns, ["log_id"], [.. grown.Select(log => log.Head())]), "version", cancellationToken);
        if (moved.Contains(false))
        {
            throw new DbUpdateConcurrencyException("Another replica has appended to the same log.");
        }
    }

    private async Task AppendAsync(IReadOnlyList<(GrowingLog Log, Told Told)> all, CancellationToken cancellationToken)
    {
        var known = await PrunedEvent.StandingAsync(db, [.. all.Select(one => new object?[] { one.Log.Id, one.Told.Event.EventId })], cancellationToken);
        var numbers = await NumbersAsync(all.Zip(known).Where(pair => pair.Second is null).Select(pair => pair.First.Told), cancellationToken);
        var (now, after) = (time.GetUtcNow(), await epochs.ReadAsync(db, cancellationToken));
        var wanted = new List<WantedReceipt>();
        foreach (var ((log, told), stands) in all.Zip(known))
        {
            var earlier = stands is null ? log.Within(told.Event.EventId) : ((long)stands[0]!, (byte[])stands[1]!);

            // Also of one that stood there before: its first receipt may have been lost. Never for another event under the same id.
            if (told.Event.Receipt == AuditEntryRecorded.ReceiptRequired && told.Imported is null && (earlier is null || told.Is(earlier.Value.Hash)))
            {
                wanted.Add(new WantedReceipt(log.Id, earlier?.Index ?? log.Size, told.Event.EventId, told.Event.ClusterId));
            }

            if (earlier is null)
            {
                Append(log, told, told.Event.EventId, now, after);
                if (told.Imported is null && told.IsNumbered && !numbers.Add((told.Event.Producer, told.Event.ProducerSeq)))
                {
                    log.Append(Leaf.Repeated(told, now), null, told.Hash, now, after);
                }
            }
            else if (!told.Is(earlier.Value.Hash) && !await StandsAsync(log, Leaf.ConflictId(told), cancellationToken))
            {
                // What the log says itself stands in it, whoever took its id before.
                if (told.Imported is null && told.IsNumbered)
                {
                    log.Append(Leaf.Conflict(told, earlier.Value.Index, now), null, told.Hash, now, after);
                }
                else
                {
                    Append(log, told, Leaf.ConflictId(told), now, after);
                }
            }
        }

        if (wanted.Count > 0)
        {
            await receipts.AddAsync(db, wanted, now, cancellationToken);
        }
    }

    private static void Append(GrowingLog log, Told told, Guid id, DateTimeOffset now, AfterEpoch? after)
    {
        if (told.Imported is null)
        {
            log.Append(told.Event with { EventId = id }, null, told.Hash, now, after);
        }
        else
        {
            log.Append(Leaf.Imported(told, id, now), told, told.Hash, now, after);
        }
    }

    // What a producer says a second time goes to the same log, whose head is locked: so the index knows of the first.
    private async Task<HashSet<(string Producer, long Number)>> NumbersAsync(IEnumerable<Told> fresh, CancellationToken cancellationToken)
    {
        var numbers = fresh.Where(told => told.Imported is null && told.IsNumbered).Select(told => (told.Event.Producer, told.Event.ProducerSeq)).Distinct().ToList();
        var given = await db.Dialect.ReadByKeyAsync(db, IndexedEntry.Table, ["producer", "producer_seq"], [.. numbers.Select(number => new object?[] { number.Producer, number.ProducerSeq })], ["position"], cancellationToken);
        return [.. numbers.Zip(given).Where(pair => pair.Second is not null).Select(pair => pair.First)];
    }

    // As they were numbered, so that what one producer told keeps its order; what is imported has the order of before.
    private static List<Told> InOrder(IEnumerable<Told> told) => [.. told.OrderBy(one => one.Imported is null ? one.Event.ProducerSeq : 0)];

    private async Task<bool> StandsAsync(GrowingLog log, Guid eventId, CancellationToken cancellationToken) =>
        log.Within(eventId) is not null || (await PrunedEvent.StandingAsync(db, [[log.Id, eventId]], cancellationToken))[0] is not null;

    // A tile is stored when it is full, and never before: nothing of the tree is ever written twice.
    private async Task CloseTilesAsync(GrowingLog log, CancellationToken cancellationToken)
    {
        for (var level = 0; ; level++)
        {
            var span = 1L << (8 * (level + 1));
            var (first, last) = (log.Before / span, (log.Before + log.Leaves.Count) / span);
            if (first == last)
            {
                return;
            }

            for (var index = first; index < last; index++)
            {
                log.Close(level, index, await HashesAsync(log, level, index, cancellationToken));
            }
        }
    }

    private async Task<byte[]> HashesAsync(GrowingLog log, int level, long index, CancellationToken cancellationToken)
    {
        var (from, to) = (index * TileId.FullWidth, (index + 1) * TileId.FullWidth);
        var stored = await TileReader.HashesAsync(db, log.Id, level, from, level == 0 ? Math.Min(to, log.Before) : to, cancellationToken);
        byte[] hashes = [.. stored.Concat(log.HashesFrom(level, from + stored.Count, to)).SelectMany(hash => hash)];
        return hashes.Length == TileId.FullWidth * TreeHash.Size ? hashes : throw new InvalidOperationException($"Tile {level}/{index} of log {log.Id} lacks hashes.");
    }

    private async Task InsertAsync(BulkRows rows, CancellationToken cancellationToken)
    {
        if (rows.Rows.Count > 0 && await db.Dialect.InsertIfAbsentAsync(db, rows, cancellationToken) != rows.Rows.Count)
        {
            throw new DbUpdateConcurrencyException("Another replica has appended to the same log.");
        }
    }

    /// <summary>A log in the transaction that lets it grow.</summary>
    private sealed class GrowingLog
    {
        private readonly CompactRange range;
        private readonly long version;
        private readonly Dictionary<Guid, (long Index, byte[] Hash)> within = [];
        private long recordedAt;

        public GrowingLog(Guid id, object?[] head)
        {
            Id = id;
            Before = (long)head[0]!;
            range = new CompactRange(Before, (byte[])head[2]!);
            if (!range.Root.Span.SequenceEqual((byte[])head[1]!))
            {
                throw new InvalidOperationException($"The head of log {id} is damaged: its range and its root do not belong together.");
            }

            (recordedAt, version) = ((long)head[3]!, (long)head[4]!);
        }

        public Guid Id { get; }

        public long Before { get; }

        public long Size => range.Size;

        public List<object?[]> Leaves { get; } = [];

        public List<object?[]> Tiles { get; } = [];

        public List<object?[]> Personal { get; } = [];

        public List<object?[]> Indexed { get; } = [];

        public (long Index, byte[] Hash)? Within(Guid eventId) => within.TryGetValue(eventId, out var found) ? found : null;

        public void Append(AuditEntryRecorded message, Told? imported, byte[] eventHash, DateTimeOffset now, AfterEpoch? after)
        {
            var index = range.Size;
            var (content, values) = Leaf.Write(Id, index, message, imported, Follow(now), after);
            Append(message.EventId, eventHash, content);
            Personal.AddRange(values.Select(value => new object?[] { value.LogId, value.Position, value.Field, value.Salt, value.Value }));
            Indexed.Add(IndexedEntry.Row(Id, index, content));
        }

        /// <summary>Appends what is no event: it is neither searched nor committed to anybody.</summary>
        public void Append(Guid eventId, byte[] content, DateTimeOffset now)
        {
            Follow(now);
            Append(eventId, SHA256.HashData(content), content);
        }

        private void Append(Guid eventId, byte[] eventHash, byte[] content)
        {
            var (index, hash) = (range.Size, TreeHash.OfLeaf(content));
            range.Append(hash);
            within[eventId] = (index, eventHash);
            Leaves.Add([Id, index, hash.Span.ToArray(), eventId, eventHash, content]);
        }

        // A clock that was put back does not put an entry before the one that it follows.
        private DateTimeOffset Follow(DateTimeOffset now)
        {
            recordedAt = Math.Max(recordedAt, now.ToUnixTimeMilliseconds());
            return DateTimeOffset.FromUnixTimeMilliseconds(recordedAt);
        }

        public void Close(int level, long index, byte[] hashes)
        {
            var subtree = new CompactRange();
            for (var at = 0; at < hashes.Length; at += TreeHash.Size)
            {
                subtree.Append(new TreeHash(hashes.AsSpan(at, TreeHash.Size)));
            }

            Tiles.Add([Id, level, index, hashes, subtree.Root.Span.ToArray()]);
        }

        // What this transaction adds to a level, of which the database knows nothing yet.
        public IEnumerable<byte[]> HashesFrom(int level, long from, long to) => level == 0
            ? Leaves.Where(leaf => (long)leaf[1]! >= from && (long)leaf[1]! < to).Select(leaf => (byte[])leaf[2]!)
            : Tiles.Where(tile => (int)tile[1]! == level - 1 && (long)tile[2]! >= from && (long)tile[2]! < to).Select(tile => (byte[])tile[4]!);

        public object?[] Head() => [Id, range.Size, range.Root.Span.ToArray(), range.ToArray(), recordedAt, version + 1];
    }
}
