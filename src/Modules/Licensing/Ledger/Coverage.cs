using System.Buffers;

namespace MissionControl.Licensing.Ledger;

/// <summary>
/// Which hours of a cluster have arrived since it enrolled: the newest one and the gaps before it. Pure; as many bytes as there
/// are gaps, so that a cluster that never misses costs next to nothing, however old it is.
/// </summary>
internal sealed class Coverage
{
    private readonly List<(int First, int Last)> gaps;

    private Coverage(int from, int newest, List<(int, int)> gaps)
    {
        From = from;
        Newest = newest;
        this.gaps = gaps;
    }

    /// <summary>The first hour that is expected: the first whole one after enrolment.</summary>
    public int From { get; }

    /// <summary>The newest hour that arrived; one less than <see cref="From"/> while none has.</summary>
    public int Newest { get; private set; }

    /// <summary>Missing hours before <see cref="Newest"/>, both ends included, oldest first.</summary>
    public IReadOnlyList<(int First, int Last)> Gaps => gaps;

    /// <summary>Every expected hour up to and including this one has arrived.</summary>
    public int CompleteThrough => gaps.Count == 0 ? Newest : gaps[0].First - 1;

    public static Coverage Begin(int from) => new(from, from - 1, []);

    /// <summary>An hour has arrived, in whatever order and however often. Hours before the first expected one are welcome and not counted.</summary>
    public void Add(int hour)
    {
        if (hour < From)
        {
            return;
        }

        if (hour > Newest)
        {
            if (hour > Newest + 1)
            {
                gaps.Add((Newest + 1, hour - 1));
            }

            Newest = hour;
            return;
        }

        var low = 0;
        var high = gaps.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var (first, last) = gaps[middle];
            if (hour < first)
            {
                high = middle - 1;
            }
            else if (hour > last)
            {
                low = middle + 1;
            }
            else
            {
                gaps.RemoveAt(middle);
                if (hour < last)
                {
                    gaps.Insert(middle, (hour + 1, last));
                }

                if (hour > first)
                {
                    gaps.Insert(middle, (first, hour - 1));
                }

                return;
            }
        }
    }

    /// <summary>Missing hours within [from, to): the gaps, and what should have come by <paramref name="due"/> (exclusive) but has not.</summary>
    public IEnumerable<(int First, int Last)> Missing(int from, int to, int due)
    {
        var tail = (First: Newest + 1, Last: due - 1);
        foreach (var (first, last) in tail.Last >= tail.First ? gaps.Append(tail) : gaps)
        {
            var start = Math.Max(first, from);
            var end = Math.Min(last, to - 1);
            if (start <= end)
            {
                yield return (start, end);
            }
        }
    }

    /// <summary>Differences as variable-length integers: two or three bytes a gap.</summary>
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(16 + (gaps.Count * 4));
        Write(buffer, From);
        Write(buffer, Newest - From + 1);
        var at = From;
        foreach (var (first, last) in gaps)
        {
            Write(buffer, first - at);
            Write(buffer, last - first);
            at = last;
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes were not written by <see cref="ToBytes"/>.</exception>
    public static Coverage FromBytes(ReadOnlySpan<byte> bytes)
    {
        var from = Read(ref bytes);
        var newest = from + Read(ref bytes) - 1;
        var gaps = new List<(int, int)>();
        var at = from;
        while (bytes.Length > 0)
        {
            var first = at + Read(ref bytes);
            at = first + Read(ref bytes);
            gaps.Add((first, at));
        }

        return new Coverage(from, newest, gaps);
    }

    private static void Write(ArrayBufferWriter<byte> buffer, int value)
    {
        var rest = (uint)value;
        do
        {
            buffer.GetSpan(1)[0] = (byte)((rest & 0x7f) | (rest > 0x7f ? 0x80u : 0));
            buffer.Advance(1);
            rest >>= 7;
        }
        while (rest != 0);
    }

    private static int Read(ref ReadOnlySpan<byte> bytes)
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (bytes.IsEmpty)
            {
                break;
            }

            var part = bytes[0];
            bytes = bytes[1..];
            value |= (uint)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return (int)value;
            }
        }

        throw new InvalidDataException("The stored coverage is damaged.");
    }
}
