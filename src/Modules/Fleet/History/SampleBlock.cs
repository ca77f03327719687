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
/// integers. A sample of a quiet cluster costs about a byte a value; a block that goes to the history is deflated besides. While it is
/// open, it begins with what its last sample was, so that one more is added without reading those that are there.
/// </summary>
internal sealed class SampleBlock
{
    private const int MaxColumns = 4000;
    private readonly List<string> names = [];
    private readonly List<byte> decimals = [];
    private readonly ArrayBufferWriter<byte> samples = new(256);
    private Dictionary<string, int>? positions;
    private long[] last = [];
    private long lastAt;

    /// <summary>Samples in the block.</summary>
    public int Count { get; private set; }

    /// <summary>About the bytes it takes, opened.</summary>
    public int Size { get; private set; }

    /// <summary>Names of the metrics.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>Opens a block to go on with; empty bytes are an empty block.</summary>
    public static SampleBlock Open(byte[] bytes)
    {
        var block = new SampleBlock();
        if (bytes.Length > 0)
        {
            var position = block.LoadNames(bytes);
            block.LoadLast(bytes, ref position);
            block.samples.Write(bytes.AsSpan(position));
            block.Size = bytes.Length;
        }

        return block;
    }

    /// <summary>Reads the samples of a block that was sealed.</summary>
    public static void OpenSealed(byte[] bytes, Action<SampleBlock, DateTimeOffset, double?[]> each)
    {
        using var inflate = new DeflateStream(new MemoryStream(bytes, writable: false), CompressionMode.Decompress);
        using var buffer = new MemoryStream();
        inflate.CopyTo(buffer);
        var block = new SampleBlock();
        var all = buffer.ToArray();
        block.ReadSamples(all, block.LoadNames(all), each);
    }

    /// <summary>Reads the samples of a block that is open.</summary>
    public static void Read(byte[] bytes, Action<SampleBlock, DateTimeOffset, double?[]> each)
    {
        if (bytes.Length > 0)
        {
            var block = new SampleBlock();
            var position = block.LoadNames(bytes);
            block.LoadLast(bytes, ref position);
            (block.lastAt, block.Count) = (0, 0);
            Array.Clear(block.last);
            block.ReadSamples(bytes, position, each);
        }
    }

    /// <summary>Adds a sample; false when it has a metric that this block does not know, and a new block must begin.</summary>
    public bool TryAdd(DateTimeOffset at, IReadOnlyList<SampleValue> values)
    {
        if (Count == 0 && names.Count == 0)
        {
            Begin(values);
        }

        var row = new long?[names.Count];
        var next = 0;
        foreach (var value in values)
        {
            // Nearly always they come in the order of the last time.
            if (next >= names.Count || !string.Equals(names[next], value.Name, StringComparison.Ordinal))
            {
                if (!(positions ??= Positions()).TryGetValue(value.Name, out next))
                {
                    if (names.Count < MaxColumns)
                    {
                        return false;
                    }

                    next = 0;
                    continue;
                }
            }

            row[next] = value.Value is { } known && double.IsFinite(known) ? (long)Math.Round(Math.Clamp(known * Scale(next), -1e15, 1e15)) : null;
            next++;
        }

        var before = samples.WrittenCount;
        var seconds = at.ToUnixTimeSeconds();
        WriteCode(samples, ZigZag(seconds - lastAt));
        lastAt = seconds;
        for (var i = 0; i < row.Length; i++)
        {
            WriteCode(samples, row[i] is { } known ? ZigZag(known - last[i]) + 1 : 0);
            last[i] = row[i] ?? last[i];
        }

        Count++;
        Size += samples.WrittenCount - before;
        return true;
    }

    /// <summary>The block as bytes, to be gone on with.</summary>
    public byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>(Size + 64);
        WriteNames(bytes);
        WriteCode(bytes, (ulong)Count);
        WriteCode(bytes, ZigZag(lastAt));
        foreach (var value in last)
        {
            WriteCode(bytes, ZigZag(value));
        }

        bytes.Write(samples.WrittenSpan);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>The block as it goes to the history.</summary>
    public byte[] Seal()
    {
        using var buffer = new MemoryStream();
        using (var deflate = new DeflateStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
        {
            var start = new ArrayBufferWriter<byte>();
            WriteNames(start);
            deflate.Write(start.WrittenSpan);
            deflate.Write(samples.WrittenSpan);
        }

        return buffer.ToArray();
    }

    private void Begin(IReadOnlyList<SampleValue> values)
    {
        positions = new(StringComparer.Ordinal);
        foreach (var value in values.Take(MaxColumns))
        {
            if (positions.TryAdd(value.Name, names.Count))
            {
                names.Add(value.Name);
                decimals.Add(value.Decimals);
                Size += value.Name.Length + 4;
            }
        }

        last = new long[names.Count];
    }

    private Dictionary<string, int> Positions()
    {
        var all = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
        {
            all[names[i]] = i;
        }

        return all;
    }

    private void WriteNames(ArrayBufferWriter<byte> to)
    {
        WriteCode(to, (ulong)names.Count);
        for (var i = 0; i < names.Count; i++)
        {
            WriteCode(to, (ulong)Encoding.UTF8.GetByteCount(names[i]));
            Encoding.UTF8.GetBytes(names[i], to);
            to.Write([decimals[i]]);
        }
    }

    private int LoadNames(byte[] bytes)
    {
        var position = 0;
        var columns = (int)ReadCode(bytes, ref position);
        names.Capacity = decimals.Capacity = columns;
        for (var i = 0; i < columns; i++)
        {
            var length = (int)ReadCode(bytes, ref position);
            names.Add(Encoding.UTF8.GetString(bytes, position, length));
            position += length;
            decimals.Add(bytes[position++]);
        }

        last = new long[columns];
        return position;
    }

    private void LoadLast(byte[] bytes, ref int position)
    {
        Count = (int)ReadCode(bytes, ref position);
        lastAt = UnZigZag(ReadCode(bytes, ref position));
        for (var i = 0; i < last.Length; i++)
        {
            last[i] = UnZigZag(ReadCode(bytes, ref position));
        }
    }

    private void ReadSamples(byte[] bytes, int position, Action<SampleBlock, DateTimeOffset, double?[]> each)
    {
        var row = new double?[last.Length];
        while (position < bytes.Length)
        {
            lastAt += UnZigZag(ReadCode(bytes, ref position));
            for (var i = 0; i < last.Length; i++)
            {
                var code = ReadCode(bytes, ref position);
                if (code > 0)
                {
                    last[i] += UnZigZag(code - 1);
                }

                row[i] = code > 0 ? last[i] / Scale(i) : null;
            }

            Count++;
            each(this, DateTimeOffset.FromUnixTimeSeconds(lastAt), row);
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
