using System.Buffers.Binary;
using System.Security.Cryptography;
using MissionControl.Protocol.Tokens;

namespace MissionControl.CallHome.Credentials;

/// <summary>Whom an access token speaks for.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="ExpiresAt">End of its ten minutes, Unix seconds.</param>
/// <param name="Generation">The cluster's <see cref="Clusters.Cluster.AccessGeneration"/> when it was sealed: one from an earlier is worthless.</param>
internal readonly record struct AccessToken(Guid ClusterId, long ExpiresAt, long Generation);

/// <summary>
/// Seals and opens the ten-minute access token. Self-contained and authenticated by AES-256-GCM under a key that all replicas
/// share, so that any of them checks it without a look-up. A bearer: what its thief can do is in the threat model.
/// </summary>
internal sealed class AccessTokens(SealingKeys keys, TimeProvider time) : IDisposable
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>How far the clocks of replicas may be apart. A token that ends later than any could was sealed by a clock since put back, and would live on by the whole step.</summary>
    private const long MaxSkewSeconds = 120;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int PlainSize = 32;

    // A cipher object is not safe for concurrent use: one for each thread and key.
    private readonly ThreadLocal<Ciphers?> ciphers = new(trackAllValues: false);

    public string Seal(Guid clusterId, long generation = 1)
    {
        Span<byte> plain = stackalloc byte[PlainSize];
        clusterId.TryWriteBytes(plain, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(plain[16..], (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds());
        BinaryPrimitives.WriteInt64BigEndian(plain[24..], generation);
        var body = new byte[NonceSize + PlainSize + TagSize];
        RandomNumberGenerator.Fill(body.AsSpan(0, NonceSize));
        Mine()[0].Encrypt(body.AsSpan(0, NonceSize), plain, body.AsSpan(NonceSize, PlainSize), body.AsSpan(NonceSize + PlainSize));
        return SealedToken.Format('c', body);
    }

    public bool TryOpen(string text, out AccessToken token)
    {
        token = default;
        if (!SealedToken.TryParse(text, 'c', out var body) || body.Length != NonceSize + PlainSize + TagSize)
        {
            return false;
        }

        Span<byte> plain = stackalloc byte[PlainSize];
        if (!TryDecrypt(body, plain))
        {
            return false;
        }

        token = Read(plain);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        return token.ExpiresAt > now && token.ExpiresAt <= now + (long)Lifetime.TotalSeconds + MaxSkewSeconds;
    }

    /// <summary>
    /// Reads one that leaked, however old, from its body without the tag that makes it good, and the SHA-256 of the whole: so that no
    /// message need carry a bearer. Counter mode is its own inverse; sealing what comes out gives the body that was hashed, or it was
    /// never sealed here.
    /// </summary>
    public bool TryIdentify(ReadOnlySpan<byte> untagged, ReadOnlySpan<byte> sha256, out AccessToken token)
    {
        token = default;
        if (untagged.Length != NonceSize + PlainSize)
        {
            return false;
        }

        Span<byte> plain = stackalloc byte[PlainSize];
        Span<byte> body = stackalloc byte[NonceSize + PlainSize + TagSize];
        untagged.CopyTo(body);
        var nonce = body[..NonceSize];
        var cipherText = body.Slice(NonceSize, PlainSize);
        var tag = body[(NonceSize + PlainSize)..];
        foreach (var cipher in Mine())
        {
            cipher.Encrypt(nonce, untagged[NonceSize..], plain, tag);
            cipher.Encrypt(nonce, plain, cipherText, tag);
            if (CryptographicOperations.FixedTimeEquals(SHA256.HashData(body), sha256))
            {
                token = Read(plain);
                return true;
            }
        }

        return false;
    }

    public void Dispose() => ciphers.Dispose();

    private static AccessToken Read(ReadOnlySpan<byte> plain) => new(new Guid(plain[..16], bigEndian: true), BinaryPrimitives.ReadInt64BigEndian(plain[16..]), BinaryPrimitives.ReadInt64BigEndian(plain[24..]));

    private bool TryDecrypt(ReadOnlySpan<byte> body, Span<byte> plain)
    {
        foreach (var cipher in Mine())
        {
            try
            {
                cipher.Decrypt(body[..NonceSize], body.Slice(NonceSize, PlainSize), body[(NonceSize + PlainSize)..], plain);
                return true;
            }
            catch (AuthenticationTagMismatchException)
            {
                // Perhaps sealed before the last rotation.
            }
        }

        return false;
    }

    private AesGcm[] Mine()
    {
        var current = keys.Current;
        if (ciphers.Value is not { } mine || !ReferenceEquals(mine.Of, current))
        {
            ciphers.Value = mine = new Ciphers(current, [.. current.Select(key => new AesGcm(key, TagSize))]);
        }

        return mine.All;
    }

    private sealed record Ciphers(IReadOnlyList<byte[]> Of, AesGcm[] All);
}
