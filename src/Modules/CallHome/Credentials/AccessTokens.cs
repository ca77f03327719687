using System.Buffers.Binary;
using System.Security.Cryptography;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Tokens;

namespace MissionControl.CallHome.Credentials;

/// <summary>Whom an access token speaks for.</summary>
/// <param name="ClusterId">The cluster.</param>
/// <param name="ExpiresAt">End of its ten minutes, Unix seconds.</param>
internal readonly record struct AccessToken(Guid ClusterId, long ExpiresAt);

/// <summary>
/// Seals and opens the ten-minute access token. Self-contained and authenticated by AES-256-GCM under a key that all replicas
/// share, so that any of them checks it without a look-up. A bearer: what its thief can do is in the threat model.
/// </summary>
internal sealed class AccessTokens : IDisposable
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int PlainSize = 24;

    // A cipher object is not safe for concurrent use: one for each thread.
    private readonly ThreadLocal<AesGcm> ciphers;
    private readonly TimeProvider time;

    public AccessTokens(DataDirectory data, CallHomeOptions options, TimeProvider time)
    {
        this.time = time;
        var key = SealingKey(options.SealingKeyFile ?? data.PathOf("keys/token-sealing.key"), options.SealingKeyFile is null);
        ciphers = new ThreadLocal<AesGcm>(() => new AesGcm(key, TagSize));
    }

    public string Seal(Guid clusterId)
    {
        Span<byte> plain = stackalloc byte[PlainSize];
        clusterId.TryWriteBytes(plain, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(plain[16..], (time.GetUtcNow() + Lifetime).ToUnixTimeSeconds());
        var body = new byte[NonceSize + PlainSize + TagSize];
        RandomNumberGenerator.Fill(body.AsSpan(0, NonceSize));
        ciphers.Value!.Encrypt(body.AsSpan(0, NonceSize), plain, body.AsSpan(NonceSize, PlainSize), body.AsSpan(NonceSize + PlainSize));
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
        try
        {
            ciphers.Value!.Decrypt(body.AsSpan(0, NonceSize), body.AsSpan(NonceSize, PlainSize), body.AsSpan(NonceSize + PlainSize), plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        token = new AccessToken(new Guid(plain[..16], bigEndian: true), BinaryPrimitives.ReadInt64BigEndian(plain[16..]));
        return token.ExpiresAt > time.GetUtcNow().ToUnixTimeSeconds();
    }

    public void Dispose() => ciphers.Dispose();

    private static byte[] SealingKey(string path, bool mayCreate)
    {
        if (!File.Exists(path) && mayCreate)
        {
            var key = RandomNumberGenerator.GetBytes(32);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using var file = new FileStream(path, options);
            file.Write(key);
            file.Flush(flushToDisk: true);
            return key;
        }

        var stored = File.ReadAllBytes(path);
        return stored.Length == 32 ? stored : throw new InvalidDataException($"{path} must hold exactly 32 bytes.");
    }
}
