using System.Net;
using System.Text.Json.Serialization;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Platform.Security;

/// <summary>The claims of an access token of an OAuth client (RFC 9068, 2.2).</summary>
/// <param name="Iss">The address of this installation.</param>
/// <param name="Aud">Its API.</param>
/// <param name="Sub">The client: nobody else speaks by a client's own credentials.</param>
/// <param name="ClientId">The client.</param>
/// <param name="Scope">Space-separated scopes.</param>
/// <param name="Iat">Unix seconds.</param>
/// <param name="Exp">Unix seconds.</param>
/// <param name="Jti">Its id.</param>
/// <param name="Customer">The one customer, if bound.</param>
public sealed record ClientClaims(
    string Iss, string Aud, string Sub, [property: JsonPropertyName("client_id")] string ClientId, string Scope, long Iat, long Exp, string Jti,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Customer = null);

/// <summary>The ten-minute access token of an OAuth client: a JWT that every library reads, of exactly one form.</summary>
public static class ClientTokens
{
    /// <summary>How long it lives.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private const string Type = "at+jwt";

    /// <summary>For whom the tokens of an issuer are.</summary>
    public static string AudienceOf(string issuer) => $"{issuer}/api";

    /// <summary>Signs a token.</summary>
    public static string Issue(ClientClaims claims, ISigner signer) => CompactJws.Sign(Type, claims, signer);

    /// <summary>Reads and verifies a token; null when it is not one of this issuer's or its time is over.</summary>
    public static ClientClaims? Verify(string text, string? issuer, Func<string, VerificationKey?> keys, DateTimeOffset now) =>
        issuer is not null && CompactJws.Read<ClientClaims>(text, Type, keys) is { } claims && claims.Iss == issuer && claims.Aud == AudienceOf(issuer) && claims.Sub == claims.ClientId
            && claims.Exp > now.ToUnixTimeSeconds() && claims.Iat <= now.ToUnixTimeSeconds() + UserTokens.MaxSkewSeconds && claims.Exp - claims.Iat <= (long)Lifetime.TotalSeconds ? claims : null;

    /// <summary>Whether an address is within some networks; without any, every one is.</summary>
    public static bool IsWithin(IReadOnlyList<string> networks, IPAddress? address)
    {
        ArgumentNullException.ThrowIfNull(networks);
        if (networks.Count == 0)
        {
            return true;
        }

        var plain = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        return plain is not null && networks.Any(network => IPNetwork.TryParse(network, out var parsed) && parsed.Contains(plain));
    }
}
