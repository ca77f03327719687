using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Platform.Security;

/// <summary>The claims of a user token (RFC 7519 names where there are some).</summary>
/// <param name="Iss">missioncontrol/identity.</param>
/// <param name="Aud">missioncontrol.</param>
/// <param name="Sub">The principal.</param>
/// <param name="Kind">staff, customerUser or serviceAccount.</param>
/// <param name="Scope">Space-separated scopes.</param>
/// <param name="Customer">The one customer, if bound.</param>
/// <param name="Tid">The API token it stems from, whose revocation ends this one too; null: a person's.</param>
/// <param name="Sid">The session.</param>
/// <param name="Iat">Unix seconds.</param>
/// <param name="Exp">Unix seconds.</param>
/// <param name="Person">The person; null: an API token's.</param>
/// <param name="Stamp">The person's stamp: when a role knows a newer one, the token is no longer valid.</param>
/// <param name="Amr">How the person proved who it is (RFC 8176), separated by spaces.</param>
public sealed record UserClaims(
    string Iss, string Aud, string Sub, string Kind, string Scope, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Customer,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Tid, string Sid, long Iat, long Exp,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Person = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Stamp = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Amr = null);

/// <summary>
/// The five-minute token that the portal calls the API with: a JWT of exactly one form (ES256, typ mc-user+jwt). A hand-made reader of
/// one form has nothing to negotiate: other algorithms and types are not refused, they are not understood.
/// </summary>
public static class UserTokens
{
    /// <summary>How long it lives.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>How far the clocks of replicas may be apart; one issued later than that comes from a clock since put back.</summary>
    private const long MaxSkewSeconds = 120;

    /// <summary>Issuer claim.</summary>
    public const string Issuer = "missioncontrol/identity";

    /// <summary>Audience claim.</summary>
    public const string Audience = "missioncontrol";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict) { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, MaxDepth = 4, RespectRequiredConstructorParameters = false };

    /// <summary>Signs a token.</summary>
    public static string Issue(UserClaims claims, ISigner signer)
    {
        ArgumentNullException.ThrowIfNull(signer);
        var head = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new Header("ES256", "mc-user+jwt", signer.KeyId), Json));
        var body = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims, Json));
        return $"{head}.{body}.{Base64Url.EncodeToString(signer.Sign(Encoding.ASCII.GetBytes($"{head}.{body}")))}";
    }

    /// <summary>Reads and verifies a token; null when it is not one of ours or its time is over.</summary>
    public static UserClaims? Verify(string text, Func<string, VerificationKey?> keys, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var parts = text is { Length: < 4096 } ? text.Split('.') : [];
        if (parts.Length != 3)
        {
            return null;
        }

        try
        {
            var header = JsonSerializer.Deserialize<Header>(Base64Url.DecodeFromChars(parts[0]), Json);
            if (header is not { Alg: "ES256", Typ: "mc-user+jwt", Kid: { } kid } || keys(kid) is not { } key
                || !key.Verify(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2])))
            {
                return null;
            }

            var claims = JsonSerializer.Deserialize<UserClaims>(Base64Url.DecodeFromChars(parts[1]), Json);
            return claims is { Iss: Issuer, Aud: Audience } && claims.Exp > now.ToUnixTimeSeconds() && claims.Iat <= now.ToUnixTimeSeconds() + MaxSkewSeconds && claims.Exp - claims.Iat <= (long)Lifetime.TotalSeconds ? claims : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return null;
        }
    }

    private sealed record Header(string? Alg, string? Typ, string? Kid);
}
