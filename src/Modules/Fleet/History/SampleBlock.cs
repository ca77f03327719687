using System.Buffers;
using System.IO.Compression;
using System.Text;

namespace MissionControl.Fleet.History;

/// <summary>One metric's value in a sample, in steps of 10^-<paramref name="Decimals"/>.</summary>
/// <param name="Name">The metric, with its node or disk behind a colon.</param>
/// <param name="Decimals">Digits kept behind the point: 0 to 3.</param>
/// <param name="Value">The value; null when it was not reported.</param>
internal readonly record struct SampleValue(string Name, byte Decimals, double? Value);

/// <summary>
/// Samples of one cluster, packed: names once, then each sample as the difference from the one before, in variable-length
/// integers. A sample of a quiet cluster costs about a byte a value; a block that goes to the history is deflated besides.
/// </summary>
internal sealed class SampleBlock
{
    private const int MaxColumns = 4000;
    private readonly List<string> names = [];
    private readonly List<byte> decimals = [];
    private readonly Dictionary<string, int> positions = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> samples = new(256);
    private long[] last = [];
    private long lastAt;

    /// <summary>Samples in the block.</summary>
    public int Count { get; private set; }

    /// <summary>About the bytes it takes, opened.</summary>
    public int Size => samples.WrittenCount + names.Sum(name => name.Length + 2);

    /// <summary>Names of the metrics.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>Opens a block; empty bytes are an empty block.</summary>
    public static SampleBlock Open(byte[] bytes)
    {
        var block = new SampleBlock();
        if (bytes.Length > 0)
        {
            block.Load(bytes, null);
        }

        return block;
    }

    /// <summary>Opens a block that was sealed.</summary>
    public static SampleBlock OpenSealed(byte[] bytes, Action<SampleBlock, DateTimeOffset, double?[]> each)
    {
        using var inflate = new DeflateStream(new MemoryStream(bytes, writable: false), CompressionMode.Decompress);
        using var buffer = new MemoryStream();
        inflate.CopyTo(buffer);
        var block = new SampleBlock();
        block.Load(buffer.ToArray(), each);
        return block;
    }

    /// <summary>Reads the samples of a block that is not sealed.</summary>
    public static void Read(byte[] bytes, Action<SampleBlock, DateTimeOffset, double?[]> each)
    {
        if (bytes.Length > 0)
        {
            new SampleBlock().Load(bytes, each);
        }
    }

    /// <summary>Adds a sample; false when it has a metric that this block does not know, and a new block must begin.</summary>
    public bool TryAdd(DateTimeOffset at, IReadOnlyList<SampleValue> values)
    {
        if (Count == 0 && names.Count == 0)
        {
            foreach (var value in values.Take(MaxColumns))
            {
                if (positions.TryAdd(value.Name, names.Count))
                {
                    names.Add(value.Name);
                    decimals.Add(value.Decimals);
                }
            }

            last = new long[names.Count];
        }

        var row = new long?[names.Count];
        foreach (var value in values)
        {
            if (!positions.TryGetValue(value.Name, out var position))
            {
                if (names.Count < MaxColumns)
                {
                    return false;
                }

                continue;
            }

            row[position] = value.Value is { } known && double.IsFinite(known) ? (long)Math.Round(Math.Clamp(known * Scale(position), -1e15, 1e15)) : null;
        }

        var seconds = at.ToUnixTimeSeconds();
        WriteCode(samples, ZigZag(seconds - lastAt));
        lastAt = seconds;
        for (var i = 0; i < row.Length; i++)
        {
            WriteCode(samples, row[i] is { } known ? ZigZag(known - last[i]) + 1 : 0);
            last[i] = row[i] ?? last[i];
        }

        Count++;
        return true;
    }

    /// <summary>The block as bytes, to be gone on with.</summary>
    public byte[] ToBytes()
    {
        using var buffer = new MemoryStream(samples.WrittenCount + (names.Count * 24) + 8);
        using (var writer = new BinaryWriter(buffer, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write7BitEncodedInt(names.Count);
            for (var i = 0; i < names.Count; i++)
            {
                writer.Write(names[i]);
                writer.Write(decimals[i]);
            }
        }

        buffer.Write(samples.WrittenSpan);
        return buffer.ToArray();
    }

    /// <summary>The block as it goes to the history.</summary>
    public byte[] Seal()
    {
        using var buffer = new MemoryStream();
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(ToBytes());
        }

        return buffer.ToArray();
    }

    private void Load(byte[] bytes, Action<SampleBlock, DateTimeOffset, double?[]>? each)
    {
        using var buffer = new MemoryStream(bytes, writable: false);
        using var reader = new BinaryReader(buffer, Encoding.UTF8);
        var columns = reader.Read7BitEncodedInt();
        for (var i = 0; i < columns; i++)
        {
            names.Add(reader.ReadString());
            decimals.Add(reader.ReadByte());
            positions[names[i]] = i;
        }

        last = new long[columns];
        samples.Write(bytes.AsSpan((int)buffer.Position));
        var position = (int)buffer.Position;
        var row = each is null ? [] : new double?[columns];
        while (position < bytes.Length)
        {
            lastAt += UnZigZag(ReadCode(bytes, ref position));
            for (var i = 0; i < columns; i++)
            {
                var code = ReadCode(bytes, ref position);
                if (code > 0)
                {
                    last[i] += UnZigZag(code - 1);
                }

                if (each is not null)
                {
                    row[i] = code > 0 ? last[i] / Scale(i) : null;
                }
            }

            Count++;
            each?.Invoke(this, DateTimeOffset.FromUnixTimeSeconds(lastAt), row);
        }
    }

    private double Scale(int column) => decimals[column] switch { 0 => 1, 1 => 10, 2 => 100, _ => 1000 };

    private static void WriteCode(ArrayBufferWriter<byte> to, ulong value)
    {
        var span = to.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            span[length++] = (byte)(value | 0x80);
        }

        span[length++] = (byte)value;
        to.Advance(length);
    }

    private static ulong ReadCode(byte[] bytes, ref int position)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var read = bytes[position++];
            value |= (ulong)(read & 0x7F) << shift;
            if (read < 0x80)
            {
                return value;
            }
        }
    }

    private static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    private static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);
}
