using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Protocol.Tokens;

/// <summary>
/// The text of every secret this product gives out: <c>mc{kind}_{12 base62 id}_{43 base62 secret}{6 base62 CRC32}</c>, 66
/// characters. Where such a text is looked for, in logs, in files, and by the rules of other scanners, is <see cref="TokenScanner"/>.
/// </summary>
public static class TokenText
{
    /// <summary>Kinds: e enrolment, a API, u user, w webhook, s support session.</summary>
    public const string Kinds = "eauws";

    /// <summary>Characters of a token.</summary>
    public const int Length = 66;

    internal const int IdLength = 12;
    internal const int CrcLength = 6;
    private const int SecretLength = 43;

    /// <summary>Makes a token with a secret of 256 random bits.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="id">The loggable part.</param>
    /// <param name="secretSha256">What is stored instead of the secret.</param>
    public static string New(char kind, out string id, out byte[] secretSha256)
    {
        if (!Kinds.Contains(kind, StringComparison.Ordinal))
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, $"One of {Kinds}.");
        }

        var secret = RandomNumberGenerator.GetString(Alphabet, SecretLength);
        id = RandomNumberGenerator.GetString(Alphabet, IdLength);
        secretSha256 = SHA256.HashData(Encoding.ASCII.GetBytes(secret));
        return WithChecksum($"mc{kind}_{id}_{secret}");
    }

    /// <summary>Reads a token; false when form or checksum do not fit. That says nothing of its being known or valid.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out char kind, out string id, out byte[] secretSha256)
    {
        kind = default;
        id = "";
        secretSha256 = [];
        if (text is not { Length: Length } || !TokenScanner.HasHead(text) || !Kinds.Contains(text[2], StringComparison.Ordinal)
            || !Base62.IsText(text.AsSpan(TokenScanner.HeadLength)) || !ChecksumFits(text))
        {
            return false;
        }

        kind = text[2];
        id = text.Substring(4, IdLength);
        secretSha256 = SHA256.HashData(Encoding.ASCII.GetBytes(text.Substring(TokenScanner.HeadLength, SecretLength)));
        return true;
    }

    /// <summary>
    /// Cuts every token in a text to its loggable id. Errs on the side of cutting: the checksum is not asked, so that a token with a
    /// typing error does not stay, and nothing need stand around it, since an escaped text has <c>\n</c> or <c>\u0022</c> before it.
    /// </summary>
    public static string Redact(string text)
    {
        ReadOnlySpan<char> rest = text;
        if (!TokenScanner.TryFindHead(rest, out var index, out var tail))
        {
            return text;
        }

        var cut = new StringBuilder(text.Length);
        do
        {
            cut.Append(rest[..(index + TokenScanner.HeadLength)]).Append('…');
            rest = rest[(index + TokenScanner.HeadLength + tail)..];
        }
        while (TokenScanner.TryFindHead(rest, out index, out tail));

        return cut.Append(rest).ToString();
    }

    internal const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    internal static string WithChecksum(string head) => string.Create(head.Length + CrcLength, head, static (chars, head) =>
    {
        head.CopyTo(chars);
        Base62.Write(Crc32.Of(head), chars[head.Length..]);
    });

    internal static bool ChecksumFits(ReadOnlySpan<char> text)
    {
        Span<char> expected = stackalloc char[CrcLength];
        Base62.Write(Crc32.Of(text[..^CrcLength]), expected);
        return text[^CrcLength..].SequenceEqual(expected);
    }
}

/// <summary>The sealed, self-contained form: <c>mc{kind}_{12 base62 id}_{base62 body}{6 base62 CRC32}</c>.</summary>
public static class SealedToken
{
    /// <summary>Kinds: c access of a cluster.</summary>
    public const string Kinds = "c";

    /// <summary>Bytes at the end of every body that authenticate the rest: without them nobody accepts it.</summary>
    public const int TagSize = 16;

    /// <summary>Characters of the longest that is read.</summary>
    public const int MostLength = 2048;

    /// <summary>Writes a sealed token; the id is random and loggable.</summary>
    public static string Format(char kind, ReadOnlySpan<byte> body) =>
        TokenText.WithChecksum($"mc{kind}_{RandomNumberGenerator.GetString(TokenText.Alphabet, TokenText.IdLength)}_{Base62.Encode(body)}");

    /// <summary>Reads a sealed token's body; false when form or checksum do not fit.</summary>
    public static bool TryParse(string? text, char kind, out byte[] body)
    {
        body = [];
        return text is { Length: > TokenScanner.HeadLength + TokenText.CrcLength and <= MostLength } && TokenScanner.HasHead(text) && text[2] == kind
            && TokenText.ChecksumFits(text) && Base62.TryDecode(text.AsSpan(TokenScanner.HeadLength, text.Length - TokenScanner.HeadLength - TokenText.CrcLength), out body);
    }
}
