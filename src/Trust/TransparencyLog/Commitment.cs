using System.Security.Cryptography;
using System.Text;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>
/// What stands in an entry in place of a name or an address: it can be shown to be that value as long as the salt is kept, and is
/// nothing once salt and value are erased. Without a salt a name could be guessed.
/// </summary>
public static class Commitment
{
    /// <summary>Length of a salt, in bytes.</summary>
    public const int SaltSize = 32;

    /// <summary>A new salt; each value has one of its own, so that equal values cannot be seen to be equal.</summary>
    public static byte[] NewSalt() => RandomNumberGenerator.GetBytes(SaltSize);

    /// <summary>HMAC-SHA-256 by the salt over <c>"mc-commit/v1" 0x00 field 0x00 value</c>.</summary>
    /// <param name="salt">32 bytes.</param>
    /// <param name="field">Name of the field, without a NUL.</param>
    /// <param name="value">Its value.</param>
    public static byte[] Of(ReadOnlySpan<byte> salt, string field, string value)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentOutOfRangeException.ThrowIfNotEqual(salt.Length, SaltSize, nameof(salt));
        return field.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("The name of a field has no NUL.", nameof(field))
            : HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes($"mc-commit/v1\0{field}\0{value}"));
    }

    /// <summary>Whether a commitment is to this value; in constant time.</summary>
    public static bool Verify(ReadOnlySpan<byte> commitment, ReadOnlySpan<byte> salt, string field, string value) =>
        salt.Length == SaltSize && CryptographicOperations.FixedTimeEquals(commitment, Of(salt, field, value));
}
