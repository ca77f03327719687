using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace MissionControl.Identity.Federation;

/// <summary>Judges what a provider signed: id_tokens (OpenID Connect Core 1.0, 3.1.3.7) and logout tokens (Back-Channel Logout 1.0, 2.6).</summary>
internal sealed class IdTokens(ProviderClient client, TimeProvider time)
{
    private const string LogoutEvent = "http://schemas.openid.net/event/backchannel-logout";
    private const int LongestToken = 64 * 1024;
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>A token that was signed longer ago is none of this sign-in.</summary>
    private static readonly TimeSpan Oldest = TimeSpan.FromMinutes(15);

    // Public keys only: with HS256 among them whoever knows the published key could sign.
    private static readonly string[] Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = LongestToken };

    /// <summary>Whether a published key can have signed: a public one, not meant for encryption.</summary>
    public static bool IsUsable(JsonWebKey key) => key.Kty is "RSA" or "EC" && key.Use is null or "" or "sig";

    /// <summary>An id_token that is this provider's, for us, of this sign-in.</summary>
    /// <exception cref="ProviderException">It is not.</exception>
    public async Task<JsonWebToken> ReadIdTokenAsync(Provider provider, string text, string nonce, CancellationToken cancellationToken)
    {
        var token = await ReadAsync(provider, text, cancellationToken);
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(nonce), Encoding.UTF8.GetBytes(TextOf(token, "nonce") ?? "")))
        {
            throw Refused("The id_token was made for another sign-in (nonce).");
        }

        if (token.Subject is not { Length: > 0 and <= 255 } subject || subject.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw Refused("The id_token names no subject of 255 characters of ASCII at most (sub).");
        }

        return token;
    }

    /// <summary>A logout token of this provider; never an id_token, which everybody who signed in once has seen.</summary>
    /// <exception cref="ProviderException">It is not.</exception>
    public async Task<JsonWebToken> ReadLogoutTokenAsync(Provider provider, string text, CancellationToken cancellationToken)
    {
        var token = await ReadAsync(provider, text, cancellationToken);
        if (!token.TryGetPayloadValue<System.Text.Json.JsonElement>("events", out var events) || events.ValueKind != System.Text.Json.JsonValueKind.Object
            || !events.TryGetProperty(LogoutEvent, out var logout) || logout.ValueKind != System.Text.Json.JsonValueKind.Object)
        {
            throw Refused("It is no logout token (events).");
        }

        if (token.TryGetPayloadValue<object>("nonce", out _))
        {
            throw Refused("A logout token has no nonce.");
        }

        if (TextOf(token, "jti") is not { Length: > 0 } || (string.IsNullOrEmpty(token.Subject) && TextOf(token, "sid") is not { Length: > 0 }))
        {
            throw Refused("The logout token has no jti, or neither sub nor sid.");
        }

        return token;
    }

    /// <summary>A claim that is a text; null: there is none, or it is something else.</summary>
    public static string? TextOf(JsonWebToken token, string claim) => token.TryGetPayloadValue<object>(claim, out var value) ? value as string : null;

    private static ProviderException Refused(string why) => new("token-refused", why);

    private async Task<JsonWebToken> ReadAsync(Provider provider, string text, CancellationToken cancellationToken)
    {
        var configuration = await client.DiscoverAsync(provider, anew: false, cancellationToken);
        JsonWebToken unread;
        try
        {
            unread = text.Length <= LongestToken ? handler.ReadJsonWebToken(text) : throw Refused("The token is too long.");
        }
        catch (ArgumentException)
        {
            throw Refused("The token is no JWT.");
        }

        if (!Algorithms.Contains(unread.Alg))
        {
            throw Refused("The token is signed by an algorithm that is not taken, or not at all (alg).");
        }

        if (KeysFor(configuration, unread).Count == 0)
        {
            // The provider may have new keys.
            configuration = await client.DiscoverAsync(provider, anew: true, cancellationToken);
        }

        var keys = KeysFor(configuration, unread);
        if (keys.Count == 0)
        {
            throw Refused("The token is signed by a key that the provider does not publish (kid).");
        }

        var now = time.GetUtcNow().UtcDateTime;
        var result = await handler.ValidateTokenAsync(text, new TokenValidationParameters
        {
            ValidIssuer = provider.Issuer,
            ValidAudience = provider.ClientId,
            ValidAlgorithms = Algorithms,
            IssuerSigningKeys = keys,
            TryAllIssuerSigningKeys = true,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            LifetimeValidator = (from, until, _, _) => until > now - Skew && (from is null || from <= now + Skew),
        });
        if (!result.IsValid)
        {
            throw Refused(result.Exception switch
            {
                SecurityTokenInvalidIssuerException => "The token is another issuer's (iss).",
                SecurityTokenInvalidAudienceException => "The token is not for this client (aud).",
                SecurityTokenInvalidLifetimeException or SecurityTokenExpiredException or SecurityTokenNotYetValidException or SecurityTokenNoExpirationException => "The token has expired, or its time has not come; compare the clocks (exp).",
                _ => "The signature of the token is not right.",
            });
        }

        var token = (JsonWebToken)result.SecurityToken;
        if (!token.TryGetPayloadValue<long>("iat", out var issued) || DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(issued, 0, 253402300799)).UtcDateTime is var at && (at > now + Skew || at < now - Oldest))
        {
            throw Refused("The token was signed too long ago, or later than now; compare the clocks (iat).");
        }

        // For several at once it must say that we are the one it was given to; when it says so it must be so (Core 1.0, 3.1.3.7, 3 to 5).
        var party = TextOf(token, "azp");
        if (party is not null ? party != provider.ClientId : token.Audiences.Skip(1).Any())
        {
            throw Refused("The token was given to another client (azp).");
        }

        return token;
    }

    private static List<SecurityKey> KeysFor(OpenIdConnectConfiguration configuration, JsonWebToken token) =>
        [.. configuration.JsonWebKeySet.Keys.Where(key => IsUsable(key) && (string.IsNullOrEmpty(key.Alg) || key.Alg == token.Alg) && (string.IsNullOrEmpty(token.Kid) || key.Kid == token.Kid))];
}
