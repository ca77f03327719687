using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using MissionControl.Identity.Programs;

namespace MissionControl.Identity.OAuth;

/// <summary>An assertion that a client proved itself with.</summary>
/// <param name="JtiSha256">Of what makes it count once.</param>
/// <param name="ExpiresAt">After that it counts no more in any case.</param>
internal sealed record ClientAssertion(byte[] JtiSha256, DateTimeOffset ExpiresAt);

/// <summary>
/// Judges <c>private_key_jwt</c> (OpenID Connect Core 1.0, 9; RFC 7523, 3): an assertion for us alone, of a few minutes, that its client
/// signed with a registered key. The algorithm is the key's: the header chooses nothing.
/// </summary>
internal sealed class ClientAssertions(Issuer issuer, TimeProvider time)
{
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    /// <summary>Public keys only: with HS256 among them whoever knows the registered key could sign.</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["ES256", "RS256", "PS256"];

    private const int LongestToken = 8 * 1024;
    private const int LongestId = 200;
    private static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = LongestToken };

    /// <summary>Whom an assertion says it is of; nothing of it is proved yet. Null: it is none.</summary>
    public string? ClientOf(string text)
    {
        try
        {
            var token = text.Length <= LongestToken ? handler.ReadJsonWebToken(text) : null;
            return token is { Subject.Length: > 0 } && token.Subject == token.Issuer ? token.Subject : null;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or JsonException)
        {
            return null;
        }
    }

    /// <summary>The assertion, when this key of this client signed it, and it is good now.</summary>
    public async Task<ClientAssertion?> ReadAsync(string text, string clientId, ClientKey key)
    {
        using var own = new Keys(key);
        var now = time.GetUtcNow();
        var result = await handler.ValidateTokenAsync(text, new TokenValidationParameters
        {
            ValidIssuer = clientId,
            ValidAudiences = [issuer.Name, issuer.TokenEndpoint],
            ValidAlgorithms = [key.Algorithm],
            IssuerSigningKey = own.Key,
            // By identity and not by name alone: a header without a name is tried with the key that was chosen for it.
            TryAllIssuerSigningKeys = true,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            TypeValidator = (type, _, _) => type is null or "" or "JWT" or "client-authentication+jwt" ? type : throw new SecurityTokenInvalidTypeException("Not an assertion."),
            LifetimeValidator = (from, until, _, _) => until > now.UtcDateTime - Skew && until <= (now + LongestLife + Skew).UtcDateTime && (from is null || from <= (now + Skew).UtcDateTime),
        });
        if (!result.IsValid || result.SecurityToken is not JsonWebToken token || token.Subject != clientId || token.Audiences.Skip(1).Any()
            || !token.TryGetPayloadValue<object>("jti", out var id) || id is not string { Length: > 0 and <= LongestId } jti)
        {
            return null;
        }

        return new ClientAssertion(SHA256.HashData(Encoding.UTF8.GetBytes(jti)), token.ValidTo);
    }

    /// <summary>The name of the key that an assertion says it is signed with; null: it does not say.</summary>
    public string? KidOf(string text) => handler.ReadJsonWebToken(text).Kid is { Length: > 0 } kid ? kid : null;

    private sealed class Keys : IDisposable
    {
        private readonly AsymmetricAlgorithm algorithm;

        public Keys(ClientKey key)
        {
            // Keys of one identity share a cache of verifiers that outlives this one: each gets a name of its own.
            if (key.Algorithm == "ES256")
            {
                var ec = ECDsa.Create();
                ec.ImportSubjectPublicKeyInfo(key.Spki, out _);
                (algorithm, Key) = (ec, new ECDsaSecurityKey(ec) { CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } });
            }
            else
            {
                var rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(key.Spki, out _);
                (algorithm, Key) = (rsa, new RsaSecurityKey(rsa) { CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } });
            }
        }

        public SecurityKey Key { get; }

        public void Dispose() => algorithm.Dispose();
    }
}
