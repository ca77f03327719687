using System.Text;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Cli.Scan;

/// <summary>Looks through texts of any length as their bytes come, in memory that depends on nothing but the number of findings in a line.</summary>
internal sealed class TextScanner(ScanReport report)
{
    /// <summary>What on the same line says that a token may stand there.</summary>
    public const string AllowMarker = "mc-scan:allow";

    // What begins further from the end of what is here can be judged without knowing what comes.
    private const int Lookahead = TokenScanner.LongestToken + 1;

    private readonly char[] window = new char[65536 + Lookahead];
    private readonly List<Finding> onThisLine = [];
    private Place place = new("");
    private Decoder? decoder;
    private bool begun;
    private bool allowed;
    private int filled;
    private long line;
    private long column;

    public void Begin(Place next)
    {
        place = next;
        decoder = null;
        begun = allowed = false;
        filled = 0;
        line = column = 1;
    }

    /// <summary>Looks at the next bytes of the text; the first time these are <see cref="TextEncoding.Sample"/>, or all.</summary>
    /// <returns>False when it is no text: nothing more of it is wanted.</returns>
    public bool Add(ReadOnlySpan<byte> bytes)
    {
        if (!begun)
        {
            begun = true;
            decoder = TextEncoding.Of(bytes, out var preamble)?.GetDecoder();
            bytes = bytes[preamble..];
        }

        if (decoder is null)
        {
            return false;
        }

        while (!bytes.IsEmpty)
        {
            decoder.Convert(bytes, window.AsSpan(filled), flush: false, out var used, out var written, out _);
            bytes = bytes[used..];
            filled += written;
            Look(filled - Lookahead);
        }

        return true;
    }

    public void End()
    {
        Look(filled);
        EndLine();
        report.Scanned(isText: decoder is not null || !begun);
    }

    /// <summary>Judges what begins before <paramref name="end"/>, and keeps the rest for later.</summary>
    private void Look(int end)
    {
        if (end <= 0)
        {
            return;
        }

        var text = window.AsSpan(0, filled);
        var at = 0;
        while (at < end && TokenScanner.TryFind(text[at..], out var index, out _) && at + index < end)
        {
            Walk(text, at, at + index);
            at += index;
            onThisLine.Add(new Finding(place, line, column, TokenKind.Of(text[at + 2]), text.Slice(at, TokenScanner.LoggableLength).ToString()));
            Walk(text, at, at + TokenScanner.LoggableLength);
            at += TokenScanner.LoggableLength;
        }

        if (at < end)
        {
            Walk(text, at, end);
            at = end;
        }

        text[at..].CopyTo(window);
        filled -= at;
    }

    /// <summary>Counts lines and columns, and sees the marker, from one place to another.</summary>
    private void Walk(ReadOnlySpan<char> text, int from, int to)
    {
        while (true)
        {
            var feed = text[from..to].IndexOf('\n');
            var stop = feed < 0 ? to : from + feed;

            // The marker may reach over the stop, but not over the line's end, since it holds none. A line that ends without a finding needs none.
            allowed |= (feed < 0 || onThisLine.Count > 0)
                && text[from..Math.Min(stop + AllowMarker.Length - 1, text.Length)].Contains(AllowMarker, StringComparison.Ordinal);
            column += stop - from;
            if (feed < 0)
            {
                return;
            }

            EndLine();
            line++;
            column = 1;
            from = stop + 1;
        }
    }

    private void EndLine()
    {
        foreach (var finding in onThisLine)
        {
            report.Found(finding, allowed);
        }

        onThisLine.Clear();
        allowed = false;
    }
}
