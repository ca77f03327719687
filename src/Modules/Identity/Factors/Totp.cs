using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace MissionControl.Identity.Factors;

/// <summary>
/// Time-based one-time passwords (RFC 6238: HMAC-SHA-1, six digits, steps of 30 seconds). A code of the step before or after counts,
/// since clocks differ; that a step counts once is the row's to know.
/// </summary>
internal static class Totp
{
    private const int StepSeconds = 30;
    private const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>A new secret: as long as the hash, as RFC 4226 wants it.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(20);

    /// <summary>The step that a code is of; null: of none that counts now. Authenticators show it in two groups, and people type it so.</summary>
    public static long? StepOf(ReadOnlySpan<byte> secret, string code, DateTimeOffset now)
    {
        var current = now.ToUnixTimeSeconds() / StepSeconds;
        var typed = System.Text.Encoding.UTF8.GetBytes(code.Replace(" ", "", StringComparison.Ordinal));
        long? found = null;

        // All three are computed, whichever it is.
        for (var step = current - 1; step <= current + 1; step++)
        {
            if (CryptographicOperations.FixedTimeEquals(System.Text.Encoding.UTF8.GetBytes(CodeAt(secret, step)), typed))
            {
                found = step;
            }
        }

        return found;
    }

    /// <summary>The code of a step.</summary>
    public static string CodeAt(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 6238 says so, and every authenticator does; HMAC does not rest on what SHA-1 has lost.
        HMACSHA1.HashData(secret, counter, hash);
#pragma warning restore CA5350
        var number = BinaryPrimitives.ReadUInt32BigEndian(hash.Slice(hash[^1] & 0x0f, 4)) & 0x7fff_ffff;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>A secret as people type it (RFC 4648 base32, no padding).</summary>
    public static string Base32(ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder();
        int buffer = 0, bits = 0;
        foreach (var b in bytes)
        {
            buffer = (buffer << 8) | b;
            bits += 8;
            while (bits >= 5)
            {
                bits -= 5;
                text.Append(Digits[(buffer >> bits) & 31]);
            }
        }

        return bits > 0 ? text.Append(Digits[(buffer << (5 - bits)) & 31]).ToString() : text.ToString();
    }

    /// <summary>What an authenticator reads from a QR code.</summary>
    public static string UriOf(ReadOnlySpan<byte> secret, string account) =>
        $"otpauth://totp/{Uri.EscapeDataString("Mission Control")}:{Uri.EscapeDataString(account)}?secret={Base32(secret)}&issuer={Uri.EscapeDataString("Mission Control")}";
}
