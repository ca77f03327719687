using System.Buffers;

namespace MissionControl.Protocol.Tokens;

/// <summary>
/// Finds tokens in a text. What a token looks like is said here and in <see cref="TokenKind"/> alone: the parser, the detector in
/// logs, the scanner of files and the rules for other scanners all come from it. Nothing need stand around a token, since an escaped
/// text has <c>\n</c> or <c>\u0022</c> before it and code may go on after it; the checksum keeps look-alikes out. The time is
/// linear in the length of the text: no run of characters is looked at twice, since what begins a token holds <c>_</c>, and a run does not.
/// </summary>
public static class TokenScanner
{
    /// <summary>Characters up to the loggable id's end: <c>mc{kind}_{id}</c>.</summary>
    public const int LoggableLength = 4 + TokenText.IdLength;

    /// <summary>Characters of the longest token there is.</summary>
    public const int LongestToken = SealedToken.MostLength;

    /// <summary>Fewer characters than this after the id hold no secret worth the name.</summary>
    internal const int ShortestTail = 20;

    /// <summary>Characters before the secret: <c>mc{kind}_{id}_</c>.</summary>
    internal const int HeadLength = LoggableLength + 1;

    private const string AllKinds = TokenText.Kinds + SealedToken.Kinds;

    private static readonly SearchValues<char> Digits = SearchValues.Create(TokenText.Alphabet);

    /// <summary>Finds the first token, by form and checksum.</summary>
    /// <param name="text">Where to look. Of a longer text, a part that goes on for <see cref="LongestToken"/> characters after the last wanted beginning, and one more.</param>
    /// <param name="index">Where it begins.</param>
    /// <param name="length">Its characters.</param>
    public static bool TryFind(ReadOnlySpan<char> text, out int index, out int length)
    {
        var from = 0;
        while (TryFindForm(text[from..], out index, out length))
        {
            index += from;
            if (length <= LongestToken && TokenText.ChecksumFits(text.Slice(index, length)))
            {
                return true;
            }

            // Its last three characters may begin the next one.
            from = index + HeadLength;
        }

        return false;
    }

    /// <summary>Finds the first text that has the form of a token, whatever its checksum: what scanners find that know a regular expression alone.</summary>
    public static bool TryFindForm(ReadOnlySpan<char> text, out int index, out int length)
    {
        var from = 0;
        while (TryFindHead(text[from..], out index, out var tail))
        {
            index += from;
            length = TokenKind.Of(text[index + 2]).LengthWith(tail);
            if (length > 0)
            {
                return true;
            }

            from = index + HeadLength;
        }

        length = 0;
        return false;
    }

    /// <summary>Finds the first beginning of a token, of whatever kind, with enough after it to be secret.</summary>
    internal static bool TryFindHead(ReadOnlySpan<char> text, out int index, out int tail)
    {
        var from = 0;
        while (text[from..].IndexOf("mc", StringComparison.Ordinal) is >= 0 and var hit)
        {
            index = from + hit;
            if (HasHead(text[index..]))
            {
                var rest = text[(index + HeadLength)..];
                tail = rest.IndexOfAnyExcept(Digits) is >= 0 and var end ? end : rest.Length;
                if (tail >= ShortestTail)
                {
                    return true;
                }
            }

            from = index + 2;
        }

        index = tail = 0;
        return false;
    }

    internal static bool HasHead(ReadOnlySpan<char> text) =>
        text.Length >= HeadLength && text[0] == 'm' && text[1] == 'c' && AllKinds.Contains(text[2], StringComparison.Ordinal) && text[3] == '_' && text[LoggableLength] == '_'
        && !text[4..LoggableLength].ContainsAnyExcept(Digits);
}
