using System.Text;

namespace MissionControl.Host;

/// <summary>
/// A Content-Length is digits and nothing else (RFC 9110 §8.6). Kestrel by itself takes "+5" for 5, and what takes a length that others on
/// the way refuse, or the other way round, lets a request be smuggled. With an encoding named for it, it takes digits only.
/// </summary>
internal sealed class StrictLength : Encoding
{
    private static readonly StrictLength Instance = new();

    private StrictLength()
        : base(0)
    {
    }

    /// <summary>Names the encoding of a header; null: the usual one.</summary>
    public static Func<string, Encoding?> Selector { get; } = static name => name.Length == 14 && name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase) ? Instance : null;

    /// <inheritdoc />
    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        // Longer than any length there is: something that is none, instead of an exception that ends the connection without an answer.
        var fits = bytes.Length <= chars.Length;
        for (var i = 0; i < (fits ? bytes.Length : 1); i++)
        {
            chars[i] = fits && char.IsAsciiDigit((char)bytes[i]) ? (char)bytes[i] : 'x';
        }

        return fits ? bytes.Length : 1;
    }

    /// <inheritdoc />
    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) => GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    /// <inheritdoc />
    public override int GetCharCount(byte[] bytes, int index, int count) => count;

    /// <inheritdoc />
    public override int GetMaxCharCount(int byteCount) => byteCount;

    /// <inheritdoc />
    public override int GetByteCount(char[] chars, int index, int count) => count;

    /// <inheritdoc />
    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    /// <inheritdoc />
    public override int GetMaxByteCount(int charCount) => charCount;
}
