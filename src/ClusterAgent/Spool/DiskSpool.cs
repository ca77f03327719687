using System.Buffers.Binary;
using Google.Protobuf;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Spool;

/// <summary>
/// A spool in one append-only file: each record is its length, its CRC and the item; a torn tail is cut off at start. Numbers come
/// from a reserve that is fsynced before any of it is used, so that no crash gives a number twice.
/// </summary>
public sealed class DiskSpool : ISpool, IDisposable
{
    private const int ReserveSize = 1000;
    private const int MaxRecord = 4 * 1024 * 1024;
    private const long CompactAbove = 8 * 1024 * 1024;
    private readonly string itemsFile;
    private readonly string reserveFile;
    private readonly MemorySpool index = new();
    private FileStream log;
    private long reservedTo;

    /// <summary>Opens or begins the spool in a directory.</summary>
    public DiskSpool(string directory)
    {
        DurableFile.CreateDirectory(directory);
        itemsFile = Path.Combine(directory, "items.log");
        reserveFile = Path.Combine(directory, "reserve");
        log = DurableFile.OpenPrivate(itemsFile, FileMode.OpenOrCreate);
        Load();
        reservedTo = File.Exists(reserveFile) ? BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(reserveFile)) : 0;
        index.SkipTo(reservedTo + 1);
    }

    /// <inheritdoc />
    public long LowestKept => index.LowestKept;

    /// <inheritdoc />
    public int Count => index.Count;

    /// <inheritdoc />
    public long Add(string type, long atMs, ReadOnlySpan<byte> body)
    {
        var seq = index.Add(type, atMs, body);
        if (seq > reservedTo)
        {
            Reserve(seq + ReserveSize);
        }

        Append(new Item { Seq = seq, Type = type, AtMs = atMs, Body = ByteString.CopyFrom(body) });
        log.Flush(flushToDisk: true);
        return seq;
    }

    /// <inheritdoc />
    public IReadOnlyList<Item> Peek(int most, int mostBytes, IReadOnlySet<long> held) => index.Peek(most, mostBytes, held);

    /// <inheritdoc />
    public void Acknowledge(long ack, IReadOnlyCollection<long> above)
    {
        index.Acknowledge(ack, above);

        // An acknowledged item that comes back after a crash is sent again and acknowledged again; the file need not be exact.
        if (index.Count == 0 || log.Length > CompactAbove)
        {
            Rewrite();
        }
    }

    /// <inheritdoc />
    public void BeginEpoch()
    {
        index.BeginEpoch();
        Rewrite();
        Reserve(index.Count + ReserveSize);
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

    private void Append(Item item)
    {
        var body = item.ToByteArray();
        Span<byte> head = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(head, body.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], Checksum.Of(body));
        log.Write(head);
        log.Write(body);
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
        var index = new MemorySpool();
        Read(log, index);
        return index.Count;
    }

    private void Load()
    {
        // What follows the last whole record was never promised to anybody: Add had not returned.
        var good = Read(log, index);
        log.SetLength(good);
        log.Position = good;
    }

    /// <summary>Reads every whole record; returns where the last one ends.</summary>
    private static long Read(FileStream log, MemorySpool index)
    {
        Span<byte> head = stackalloc byte[8];
        long good = 0;
        while (log.ReadAtLeast(head, 8, throwOnEndOfStream: false) == 8)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(head);
            if (length is <= 0 or > MaxRecord || log.Length - log.Position < length)
            {
                break;
            }

            var body = new byte[length];
            log.ReadExactly(body);
            if (Checksum.Of(body) != BinaryPrimitives.ReadUInt32LittleEndian(head[4..]))
            {
                break;
            }

            index.Put(Item.Parser.ParseFrom(body));
            good = log.Position;
        }

        return good;
    }

    private void Rewrite()
    {
        log.Dispose();
        using (var fresh = DurableFile.OpenPrivate(itemsFile + ".new", FileMode.Create))
        {
            log = fresh;
            foreach (var item in index.All)
            {
                Append(item);
            }

            fresh.Flush(flushToDisk: true);
        }

        File.Move(itemsFile + ".new", itemsFile, overwrite: true);
        log = DurableFile.OpenPrivate(itemsFile, FileMode.Open);
        log.Position = log.Length;
    }
}
