using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.IdentityModel.Tokens;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Identity.Programs;

/// <summary>A public key that a service account signs its assertions with (RFC 7523). The algorithm is the key's, whatever an assertion says.</summary>
internal sealed class ClientKey
{
    /// <summary>Characters of a key as it is registered.</summary>
    public const int MostText = 4000;

    private const int LeastRsa = 2048;
    private const int MostRsa = 4096;
    private const string P256Oid = "1.2.840.10045.3.1.7";

    public required Guid Id { get; init; }

    public required Guid AccountId { get; init; }

    public required string Name { get; init; }

    /// <summary>What assertions name it by: the key's own name, or else what it is.</summary>
    public required string Kid { get; init; }

    /// <summary>ES256, RS256 or PS256.</summary>
    public required string Algorithm { get; init; }

    public required byte[] Spki { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    public DateTimeOffset? LastUsedAt { get; init; }

    public string? LastUsedFrom { get; init; }

    public bool IsLive(DateTimeOffset now) => RevokedAt is null && ExpiresAt > now;

    public ClientKeyItem ToItem(DateTimeOffset now) =>
        new(Id, Name, Kid, Algorithm, RevokedAt is not null ? "revoked" : ExpiresAt <= now ? "expired" : "active", CreatedAt, ExpiresAt, RevokedAt, LastUsedAt, LastUsedFrom);

    /// <summary>Reads a public key written as PEM or JWK (RFC 7517).</summary>
    /// <returns>What it is, or why it is not taken.</returns>
    public static (byte[] Spki, string Algorithm, string Kid, string? Mistake) Read(string text, string? algorithm)
    {
        try
        {
            var trimmed = text.Trim();
            if (trimmed.Contains("PRIVATE", StringComparison.Ordinal))
            {
                return Refused("This is a private key. Register the public one, and throw this pair away: it has been sent.");
            }

            return trimmed.StartsWith('{') ? OfJwk(trimmed, algorithm) : OfPem(trimmed, algorithm, null);
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException or FormatException or JsonException or PlatformNotSupportedException)
        {
            return Refused("This is no public key in PEM or JWK.");
        }
    }

    private static (byte[] Spki, string Algorithm, string Kid, string? Mistake) OfJwk(string text, string? algorithm)
    {
        var jwk = new JsonWebKey(text);
        if (jwk.D is not null || jwk.K is not null || jwk.P is not null)
        {
            return Refused("This holds a secret. Register the public key alone, and throw this pair away: it has been sent.");
        }

        if (jwk.Use is not (null or "" or "sig") || (jwk.Alg is { Length: > 0 } own && algorithm is not null && own != algorithm))
        {
            return Refused("The key is for another use or algorithm (use, alg).");
        }

        algorithm ??= jwk.Alg is { Length: > 0 } said ? said : null;
        if (jwk is { Kty: "EC", Crv: "P-256" })
        {
            using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Base64UrlEncoder.DecodeBytes(jwk.X), Y = Base64UrlEncoder.DecodeBytes(jwk.Y) } });
            return Of(key.ExportSubjectPublicKeyInfo(), "ES256", algorithm, jwk.Kid);
        }

        if (jwk.Kty == "RSA")
        {
            using var key = RSA.Create(new RSAParameters { Modulus = Base64UrlEncoder.DecodeBytes(jwk.N), Exponent = Base64UrlEncoder.DecodeBytes(jwk.E) });
            return OfRsa(key, algorithm, jwk.Kid);
        }

        return Refused("Keys are P-256, or RSA of 2048 to 4096 bits.");
    }

    private static (byte[] Spki, string Algorithm, string Kid, string? Mistake) OfPem(string text, string? algorithm, string? kid)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(text);
            return key.ExportParameters(false).Curve.Oid.Value == P256Oid ? Of(key.ExportSubjectPublicKeyInfo(), "ES256", algorithm, kid) : Refused("Of the elliptic curves P-256 is taken.");
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            using var key = RSA.Create();
            key.ImportFromPem(text);
            return OfRsa(key, algorithm, kid);
        }
    }

    private static (byte[] Spki, string Algorithm, string Kid, string? Mistake) OfRsa(RSA key, string? algorithm, string? kid) =>
        key.KeySize is < LeastRsa or > MostRsa ? Refused($"RSA keys have {LeastRsa} to {MostRsa} bits.")
        : algorithm is null or "RS256" or "PS256" ? Of(key.ExportSubjectPublicKeyInfo(), algorithm ?? "RS256", algorithm, kid)
        : Refused("An RSA key signs with RS256 or PS256.");

    private static (byte[] Spki, string Algorithm, string Kid, string? Mistake) Of(byte[] spki, string own, string? asked, string? kid) =>
        asked is not null && asked != own ? Refused($"This key signs with {own}.")
        : kid is { Length: > 100 } || kid?.Any(letter => letter is <= ' ' or > '~') == true ? Refused("The name of a key has 100 visible ASCII characters at most (kid).")
        : (spki, own, string.IsNullOrEmpty(kid) ? KeyIds.Of(spki) : kid, null);

    private static (byte[] Spki, string Algorithm, string Kid, string? Mistake) Refused(string why) => ([], "", "", why);

    internal sealed class Configuration : IEntityTypeConfiguration<ClientKey>
    {
        public void Configure(EntityTypeBuilder<ClientKey> builder)
        {
            builder.ToTable("identity_client_key").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Kid).HasMaxLength(100);
            builder.Property(row => row.Algorithm).HasMaxLength(10);
            builder.Property(row => row.Spki).HasMaxLength(1000);
            builder.Property(row => row.LastUsedFrom).HasMaxLength(60);
            builder.HasIndex(row => row.AccountId);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}

/// <summary>That an assertion was used: it counts once (RFC 7523, 3).</summary>
internal sealed class UsedAssertion
{
    public required Guid AccountId { get; init; }

    /// <summary>Of its <c>jti</c>, which may be any text.</summary>
    public required byte[] JtiSha256 { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<UsedAssertion>
    {
        public void Configure(EntityTypeBuilder<UsedAssertion> builder)
        {
            builder.ToTable("identity_used_assertion").HasKey(row => new { row.AccountId, row.JtiSha256 });
            builder.Property(row => row.JtiSha256).HasMaxLength(32);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
