using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.CallHome.Credentials;

/// <summary>A nonce that was used; it counts once.</summary>
internal sealed class UsedNonce
{
    public required string Nonce { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<UsedNonce>
    {
        public void Configure(EntityTypeBuilder<UsedNonce> builder)
        {
            builder.ToTable("callhome_used_nonce").HasKey(row => row.Nonce);
            builder.Property(row => row.Nonce).HasMaxLength(64);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}

/// <summary>
/// Server nonces, good for two minutes and once. Issuing stores nothing (the nonce is a MAC over its own time, under a key
/// that replicas share), so that asking for nonces costs no memory; using one is a row.
/// </summary>
internal sealed class Nonces(SealingKeys keys, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    /// <summary>How far the clocks of replicas may be apart.</summary>
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(2);
    private const int RandomSize = 12;
    private const int MacSize = 16;

    public string Issue()
    {
        Span<byte> nonce = stackalloc byte[8 + RandomSize + MacSize];
        BinaryPrimitives.WriteInt64BigEndian(nonce, (time.GetUtcNow() + Lifetime).ToUnixTimeMilliseconds());
        RandomNumberGenerator.Fill(nonce.Slice(8, RandomSize));
        Mac(keys.Current[0], nonce[..(8 + RandomSize)], nonce[(8 + RandomSize)..]);
        return Base64Url.EncodeToString(nonce);
    }

    /// <summary>Consumes a nonce inside the caller's write transaction.</summary>
    public async Task<bool> TryUseAsync(ControlPlaneDbContext db, string nonce, CancellationToken cancellationToken)
    {
        var bytes = new byte[8 + RandomSize + MacSize];
        if (Base64Url.DecodeFromChars(nonce, bytes, out _, out var length) != System.Buffers.OperationStatus.Done || length != bytes.Length)
        {
            return false;
        }

        var expires = BinaryPrimitives.ReadInt64BigEndian(bytes);
        var now = time.GetUtcNow();

        // One that ends later than any could was issued by a clock since put back; whether it was used may be forgotten.
        if (!keys.Current.Any(key => IsBy(key, bytes)) || expires < now.ToUnixTimeMilliseconds() || expires > (now + Lifetime + MaxSkew).ToUnixTimeMilliseconds())
        {
            return false;
        }

        return await db.Dialect.InsertIfAbsentAsync(db, new BulkRows("callhome_used_nonce", ["nonce", "expires_at"], ["nonce"], [[Base64Url.EncodeToString(bytes), expires]]), cancellationToken) == 1;
    }

    private static bool IsBy(byte[] key, byte[] nonce)
    {
        Span<byte> mac = stackalloc byte[MacSize];
        Mac(key, nonce.AsSpan(0, 8 + RandomSize), mac);
        return CryptographicOperations.FixedTimeEquals(mac, nonce.AsSpan(8 + RandomSize));
    }

    private static void Mac(byte[] sealing, ReadOnlySpan<byte> data, Span<byte> destination)
    {
        // The sealing key serves another purpose; a derived key keeps the two apart.
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, sealing, key, salt: default, info: "mc-nonce-v1"u8);
        Span<byte> full = stackalloc byte[32];
        HMACSHA256.HashData(key, data, full);
        full[..MacSize].CopyTo(destination);
    }
}
