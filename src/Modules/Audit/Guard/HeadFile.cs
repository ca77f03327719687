using System.Buffers.Binary;
using System.Security.Cryptography;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Guard;

/// <summary>What is known of a log outside the database.</summary>
/// <param name="Size">How many entries were signed.</param>
/// <param name="Root">Root of the tree over them.</param>
internal readonly record struct KnownHead(long Size, TreeHash Root);

/// <summary>A file of heads is not what a holder of its key has written.</summary>
internal sealed class DamagedHeadsException(string message) : Exception(message);

/// <summary>
/// The bytes of the file of heads: a header, and behind it frames that are only ever appended, the last head of a log being the one
/// that counts. Each frame bears an HMAC over itself and over the one before, so that whoever has no key can change none, take none
/// out, and put none between; what is left to them is an older copy of the whole. A frame that was cut off on its way to the disk is
/// no frame: nothing that it would have said was told to anybody yet.
/// </summary>
internal sealed class HeadFile
{
    /// <summary>Heads of a frame.</summary>
    public const int Most = 200;

    private const int Mac = 32;
    private const int Record = 16 + 8 + TreeHash.Size;
    private const int HeaderSize = 16 + 16 + 8 + 16 + Mac;
    private static readonly byte[] Magic = "mc-audit-heads/1"u8.ToArray();
    private readonly byte[] key;
    private readonly byte[] header;
    private byte[] last;

    private HeadFile(byte[] key, byte[] header)
    {
        (this.key, this.header) = (key, header);
        last = header[^Mac..];
    }

    /// <summary>What it says, log by log.</summary>
    public Dictionary<Guid, KnownHead> Heads { get; } = [];

    /// <summary>Whose memory it is; the same when it is written anew.</summary>
    public Guid Id => new(header.AsSpan(16, 16), bigEndian: true);

    /// <summary>How often it was written anew; it only ever rises.</summary>
    public long Generation => BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(32));

    /// <summary>How far it was read, and where the next frame belongs.</summary>
    public long End { get; private set; } = HeaderSize;

    /// <summary>Whether it has grown to much more than what it says, and is worth writing anew.</summary>
    public bool IsLong => End > 1 << 20 && End > 4L * Record * Heads.Count;

    /// <summary>A new file, and its bytes.</summary>
    public static HeadFile Make(byte[] key, Guid id, long generation, IReadOnlyCollection<KeyValuePair<Guid, KnownHead>> heads, out byte[] bytes)
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header, 0);
        id.TryWriteBytes(header.AsSpan(16), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(32), generation);
        IdOf(key).CopyTo(header, 40);
        HMACSHA256.HashData(key, header.AsSpan(0, HeaderSize - Mac)).CopyTo(header, HeaderSize - Mac);
        var file = new HeadFile(key, header);
        bytes = [.. header, .. file.Append(heads)];
        return file;
    }

    /// <summary>Reads a file's header.</summary>
    /// <exception cref="DamagedHeadsException">It is none, or of no key that is here.</exception>
    public static HeadFile Open(Stream stream, IReadOnlyList<byte[]> keys)
    {
        var header = new byte[HeaderSize];
        if (stream.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize || !header.AsSpan(0, Magic.Length).SequenceEqual(Magic))
        {
            throw new DamagedHeadsException("it is no such file");
        }

        var key = keys.FirstOrDefault(key => header.AsSpan(40, 16).SequenceEqual(IdOf(key))) ?? throw new DamagedHeadsException("it was written by a key that is not here");
        return CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, header.AsSpan(0, HeaderSize - Mac)), header.AsSpan(HeaderSize - Mac))
            ? new HeadFile(key, header)
            : throw new DamagedHeadsException("its header was changed");
    }

    /// <summary>Whether a file begins as this one does, so that only what was appended has to be read.</summary>
    public bool IsSame(Stream stream)
    {
        var other = new byte[HeaderSize];
        return stream.ReadAtLeast(other, HeaderSize, throwOnEndOfStream: false) == HeaderSize && other.AsSpan().SequenceEqual(header);
    }

    /// <summary>Whether it is of this key.</summary>
    public bool IsOf(byte[] other) => CryptographicOperations.FixedTimeEquals(key, other);

    /// <summary>Reads what was appended since.</summary>
    /// <exception cref="DamagedHeadsException">A frame is not what a holder of the key wrote.</exception>
    public void ReadOn(Stream stream)
    {
        if (stream.Length < End)
        {
            throw new DamagedHeadsException("it is shorter than it was: somebody put an older copy in its place");
        }

        stream.Position = End;
        var bytes = new byte[stream.Length - End];
        stream.ReadExactly(bytes);
        for (var rest = bytes.AsSpan(); FrameOf(rest) is var length and > 0; rest = rest[length..])
        {
            var frame = rest[..(length - Mac)];
            var mac = MacOf(frame);
            if (!CryptographicOperations.FixedTimeEquals(mac, rest[(length - Mac)..length]))
            {
                throw new DamagedHeadsException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"it was changed at byte {End}"));
            }

            for (var record = frame[4..]; !record.IsEmpty; record = record[Record..])
            {
                Take(new Guid(record[..16], bigEndian: true), new KnownHead(BinaryPrimitives.ReadInt64BigEndian(record[16..]), new TreeHash(record[24..Record])));
            }

            (last, End) = (mac, End + length);
        }
    }

    /// <summary>Takes up further heads.</summary>
    /// <returns>What is to be appended to the file.</returns>
    public byte[] Append(IReadOnlyCollection<KeyValuePair<Guid, KnownHead>> heads)
    {
        var bytes = new List<byte>(heads.Count * Record);
        foreach (var chunk in heads.Chunk(Most))
        {
            var frame = new byte[4 + (chunk.Length * Record)];
            BinaryPrimitives.WriteInt32BigEndian(frame, chunk.Length);
            var record = frame.AsSpan(4);
            foreach (var (log, head) in chunk)
            {
                log.TryWriteBytes(record, bigEndian: true, out _);
                BinaryPrimitives.WriteInt64BigEndian(record[16..], head.Size);
                head.Root.Span.CopyTo(record[24..]);
                record = record[Record..];
                Take(log, head);
            }

            last = MacOf(frame);
            bytes.AddRange(frame);
            bytes.AddRange(last);
        }

        End += bytes.Count;
        return [.. bytes];
    }

    // Nothing was signed for a log of size 0: it is forgotten.
    private void Take(Guid log, KnownHead head)
    {
        if (head.Size > 0)
        {
            Heads[log] = head;
        }
        else
        {
            Heads.Remove(log);
        }
    }

    // 0: there is none, or one that was cut off, which a disk may also have left as zeros.
    private static int FrameOf(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 4 || !rest.ContainsAnyExcept((byte)0))
        {
            return 0;
        }

        var count = BinaryPrimitives.ReadInt32BigEndian(rest);
        var length = 4 + (count * Record) + Mac;
        return count is < 1 or > Most ? throw new DamagedHeadsException("a frame of it has a length that none has") : length <= rest.Length ? length : 0;
    }

    private static byte[] IdOf(byte[] key) => SHA256.HashData(key)[..16];

    private byte[] MacOf(ReadOnlySpan<byte> frame)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(last);
        mac.AppendData(frame);
        return mac.GetHashAndReset();
    }
}
