using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace MissionControl.Protocol.Tokens;

/// <summary>
/// The text of every secret this product gives out: <c>mc{kind}_{12 base62 id}_{43 base62 secret}{6 base62 CRC32}</c>, 66
/// characters. One definition for the parser, for the detector in logs and for published scanning rules.
/// </summary>
public static partial class TokenText
{
    /// <summary>Kinds: e enrolment, a API, u user, w webhook, s support session.</summary>
    public const string Kinds = "eauws";

    /// <summary>Characters of a token.</summary>
    public const int Length = 66;

    /// <summary>The published pattern; a match counts only when the CRC fits too.</summary>
    public const string Pattern = @"\bmc[eauws]_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b";

    private const int IdLength = 12;
    private const int SecretLength = 43;
    private const int CrcLength = 6;

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
        if (text is not { Length: Length } || !text.StartsWith("mc", StringComparison.Ordinal) || text[3] != '_' || text[4 + IdLength] != '_'
            || !Kinds.Contains(text[2], StringComparison.Ordinal) || !Base62.IsText(text.AsSpan(4, IdLength)) || !Base62.IsText(text.AsSpan(5 + IdLength)) || !ChecksumFits(text))
        {
            return false;
        }

        kind = text[2];
        id = text.Substring(4, IdLength);
        secretSha256 = SHA256.HashData(Encoding.ASCII.GetBytes(text.Substring(5 + IdLength, SecretLength)));
        return true;
    }

    /// <summary>
    /// Cuts every token in a text to its loggable id. Errs on the side of cutting: the checksum is not asked, so that a token with a
    /// typing error does not stay, and nothing need stand around it, since an escaped text has <c>\n</c> or <c>\u0022</c> before it.
    /// </summary>
    public static string Redact(string text) => Anywhere().Replace(text, static match => $"{match.Value[..(4 + IdLength)]}_…");

    internal const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    internal static string WithChecksum(string head) => string.Create(head.Length + CrcLength, head, static (chars, head) =>
    {
        head.CopyTo(chars);
        Base62.Write(Crc32.Of(head), chars[head.Length..]);
    });

    internal static bool ChecksumFits(string text)
    {
        Span<char> expected = stackalloc char[CrcLength];
        Base62.Write(Crc32.Of(text.AsSpan(0, text.Length - CrcLength)), expected);
        return text.AsSpan(text.Length - CrcLength).SequenceEqual(expected);
    }

    [GeneratedRegex(@"mc[eauwsc]_[0-9A-Za-z]{12}_[0-9A-Za-z]{20,}")]
    private static partial Regex Anywhere();
}

/// <summary>The sealed, self-contained form: <c>mc{kind}_{12 base62 id}_{base62 body}{6 base62 CRC32}</c>.</summary>
public static class SealedToken
{
    private const int HeadLength = 17;
    private const int CrcLength = 6;

    /// <summary>Writes a sealed token; the id is random and loggable.</summary>
    public static string Format(char kind, ReadOnlySpan<byte> body) =>
        TokenText.WithChecksum($"mc{kind}_{RandomNumberGenerator.GetString(TokenText.Alphabet, 12)}_{Base62.Encode(body)}");

    /// <summary>Reads a sealed token's body; false when form or checksum do not fit.</summary>
    public static bool TryParse(string? text, char kind, out byte[] body)
    {
        body = [];
        return text is { Length: > HeadLength + CrcLength and <= 2048 } && text[0] == 'm' && text[1] == 'c' && text[2] == kind && text[3] == '_' && text[16] == '_'
            && TokenText.ChecksumFits(text) && Base62.TryDecode(text.AsSpan(HeadLength, text.Length - HeadLength - CrcLength), out body);
    }
}
