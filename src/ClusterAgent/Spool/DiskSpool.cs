using System.Buffers.Binary;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Spool;

/// <summary>
/// A spool in one append-only file: each record is its length, its checksum and the item; a torn tail is cut off at start. Bodies stay
/// on disk, so that a year of waiting usage costs no memory. Numbers come from a reserve that is fsynced before any of it is used, so
/// that no crash gives a number twice.
/// </summary>
public sealed class DiskSpool : ISpool, IDisposable
{
    private const int ReserveSize = 1000;
    private const int MaxRecord = 4 * 1024 * 1024;
    private const int HeadBytes = 8;
    private const long MostBytes = 400_000_000;
    private const long CompactAbove = 8 * 1024 * 1024;
    private readonly string itemsFile;
    private readonly string reserveFile;
    private readonly SpoolIndex index = new(mostHealth: 5000);
    private FileStream log;
    private long reservedTo;

    /// <summary>Opens or begins the spool in a directory.</summary>
    public DiskSpool(string directory)
    {
        DurableFile.CreateDirectory(directory);
        itemsFile = Path.Combine(directory, "items.log");
        reserveFile = Path.Combine(directory, "reserve");
        log = DurableFile.OpenPrivate(itemsFile, FileMode.OpenOrCreate);

        // What follows the last whole record was never promised to anybody: Add had not returned.
        log.SetLength(Read(log, index));
        reservedTo = File.Exists(reserveFile) ? BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(reserveFile)) : 0;
        index.SkipTo(reservedTo + 1);
    }

    /// <inheritdoc />
    public long LowestKept => index.LowestKept;

    /// <inheritdoc />
    public int Count => index.Count;

    /// <inheritdoc />
    public int Usage => index.Usage;

    /// <inheritdoc />
    public long Bytes => index.Bytes;

    /// <inheritdoc />
    public long OldestAtMs => index.OldestAtMs;

    /// <inheritdoc />
    public IReadOnlyList<DroppedRange> Dropped => index.Dropped;

    /// <inheritdoc />
    public long Add(string type, long atMs, ReadOnlySpan<byte> body)
    {
        var seq = index.Next;
        if (seq > reservedTo)
        {
            Reserve(seq + ReserveSize);
        }

        // Used up even if the write fails: nobody can know how much of it reached the disk.
        index.SkipTo(seq + 1);
        var offset = log.Length;
        DurableFile.Append(log, Record(new Item { Seq = seq, Type = type, AtMs = atMs, Body = ByteString.CopyFrom(body) }));
        index.Put(seq, new SpoolEntry(type, atMs, body.Length, offset, null));
        if (type != "usage" && index.Bytes > MostBytes)
        {
            index.Drop(index.Health > 0 ? "health" : "event", Math.Max(index.Health, index.Events) / 2, "spool-limit");
        }

        return seq;
    }

    /// <inheritdoc />
    public IReadOnlyList<Item> Peek(int most, int mostBytes, IReadOnlySet<long> held) => [.. index.Choose(most, mostBytes, held).Select(entry => At(entry.Value))];

    /// <inheritdoc />
    public Item? Find(long seq) => index.Find(seq) is { } entry ? At(entry) : null;

    /// <inheritdoc />
    public void Acknowledge(long ack, IReadOnlyCollection<long> above)
    {
        index.Acknowledge(ack, above);
        Compact();
    }

    /// <inheritdoc />
    public void Drop(string type, int keep, string reason)
    {
        index.Drop(type, keep, reason);
        Compact();
    }

    /// <inheritdoc />
    public void Remove(long seq)
    {
        index.Remove(seq);
        Compact();
    }

    /// <inheritdoc />
    public void DroppedTold() => index.DroppedTold();

    /// <inheritdoc />
    public void BeginEpoch()
    {
        long number = 0;
        Rewrite(item => item.Seq = ++number);
        index.BeginAt(number + 1);
        Reserve(number + ReserveSize);
    }

    /// <summary>How many items wait, read beside a running agent without touching anything.</summary>
    public static int CountIn(string directory)
    {
        var path = Path.Combine(directory, "items.log");
        if (!File.Exists(path))
        {
            return 0;
        }

        using var log = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var index = new SpoolIndex(int.MaxValue);
        Read(log, index);
        return index.Count;
    }

    /// <summary>The items that wait, lowest number first, read beside a running agent without touching anything.</summary>
    public static IEnumerable<Item> ReadIn(string directory)
    {
        var path = Path.Combine(directory, "items.log");
        if (!File.Exists(path))
        {
            yield break;
        }

        using var log = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        foreach (var (item, _) in Records(log))
        {
            yield return item;
        }
    }

    /// <inheritdoc />
    public void Dispose() => log.Dispose();

    private void Reserve(long to)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, to);
        DurableFile.Write(reserveFile, bytes);
        reservedTo = to;
    }

    private static byte[] Record(Item item)
    {
        var record = new byte[HeadBytes + item.CalculateSize()];
        item.WriteTo(record.AsSpan(HeadBytes));
        BinaryPrimitives.WriteInt32LittleEndian(record, record.Length - HeadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), Checksum.Of(record.AsSpan(HeadBytes)));
        return record;
    }

    private Item At(SpoolEntry entry)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        log.Position = entry.Offset;
        log.ReadExactly(head);
        var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(head)];
        log.ReadExactly(body);
        return Item.Parser.ParseFrom(body);
    }

    /// <summary>Puts every whole record into the index; returns where the last one ends.</summary>
    private static long Read(FileStream log, SpoolIndex index)
    {
        long good = 0;
        foreach (var (item, end) in Records(log))
        {
            index.Put(item.Seq, new SpoolEntry(item.Type, item.AtMs, item.Body.Length, good, null));
            good = end;
        }

        return good;
    }

    private static IEnumerable<(Item Item, long End)> Records(FileStream log)
    {
        var head = new byte[HeadBytes];
        while (log.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) == HeadBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(head);
            if (length is <= 0 or > MaxRecord || log.Length - log.Position < length)
            {
                yield break;
            }

            var body = new byte[length];
            log.ReadExactly(body);
            if (Checksum.Of(body) != BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4)))
            {
                yield break;
            }

            yield return (Item.Parser.ParseFrom(body), log.Position);
        }
    }

    // An acknowledged item that comes back after a crash is sent again and acknowledged again; the file need not be exact.
    private void Compact()
    {
        if (index.Count == 0)
        {
            log.SetLength(0);
        }
        else if (log.Length > CompactAbove && index.Bytes < log.Length / 2)
        {
            try
            {
                Rewrite(_ => { });
            }
            catch (IOException full) when (DiskReserve.IsDiskFull(full))
            {
                // The long file is as good as the short one.
            }
        }
    }

    private void Rewrite(Action<Item> change)
    {
        var moved = new List<KeyValuePair<long, SpoolEntry>>();
        var fresh = DurableFile.OpenPrivate(itemsFile + ".tmp", FileMode.Create);
        try
        {
            foreach (var (_, entry) in index.All)
            {
                var item = At(entry);
                change(item);
                moved.Add(new(item.Seq, entry with { Offset = fresh.Length }));
                fresh.Write(Record(item));
            }

            fresh.Flush(flushToDisk: true);
            File.Move(itemsFile + ".tmp", itemsFile, overwrite: true);
        }
        catch (IOException)
        {
            fresh.Dispose();
            File.Delete(itemsFile + ".tmp");
            throw;
        }

        log.Dispose();
        log = fresh;
        index.Replace(moved);
    }
}
