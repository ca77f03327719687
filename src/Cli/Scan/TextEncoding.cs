using System.Text;

namespace MissionControl.Cli.Scan;

/// <summary>Tells text from binary files as git does, by zeros near the beginning, except that UTF-16 is text.</summary>
internal static class TextEncoding
{
    /// <summary>How much of the beginning is judged by.</summary>
    public const int Sample = 8000;

    /// <summary>The encoding of a text that begins so; null for what is none.</summary>
    /// <param name="start">The first <see cref="Sample"/> bytes, or all when there are fewer.</param>
    /// <param name="preamble">Bytes of the byte order mark.</param>
    public static Encoding? Of(ReadOnlySpan<byte> start, out int preamble)
    {
        // UTF-32 first: its mark begins with that of UTF-16.
        foreach (var encoding in (ReadOnlySpan<Encoding>)[Encoding.UTF8, Encoding.UTF32, Encoding.Unicode, Encoding.BigEndianUnicode])
        {
            if (start.StartsWith(encoding.Preamble))
            {
                preamble = encoding.Preamble.Length;
                return encoding;
            }
        }

        preamble = 0;
        start = start[..Math.Min(start.Length, Sample)];
        Span<int> zeros = [0, 0];
        for (var i = 0; i < start.Length; i++)
        {
            zeros[i & 1] += start[i] == 0 ? 1 : 0;
        }

        // Without a mark: in Western text one half of every pair is zero, always the same one.
        var many = start.Length / 4;
        return zeros switch
        {
            [0, 0] => Encoding.UTF8,
            [0, var odd] when odd >= many => Encoding.Unicode,
            [var even, 0] when even >= many => Encoding.BigEndianUnicode,
            _ => null,
        };
    }
}
