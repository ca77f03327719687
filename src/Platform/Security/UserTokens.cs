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

/// <summary>The five-minute token that the portal calls the API with.</summary>
public static class UserTokens
{
    /// <summary>How long it lives.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>How far the clocks of replicas may be apart; one issued later than that comes from a clock since put back.</summary>
    internal const long MaxSkewSeconds = 120;

    /// <summary>Issuer claim.</summary>
    public const string Issuer = "missioncontrol/identity";

    /// <summary>Audience claim.</summary>
    public const string Audience = "missioncontrol";

    private const string Type = "mc-user+jwt";

    /// <summary>Signs a token.</summary>
    public static string Issue(UserClaims claims, ISigner signer) => CompactJws.Sign(Type, claims, signer);

    /// <summary>Reads and verifies a token; null when it is not one of ours or its time is over.</summary>
    public static UserClaims? Verify(string text, Func<string, VerificationKey?> keys, DateTimeOffset now) =>
        CompactJws.Read<UserClaims>(text, Type, keys) is { Iss: Issuer, Aud: Audience } claims && claims.Exp > now.ToUnixTimeSeconds() && claims.Iat <= now.ToUnixTimeSeconds() + MaxSkewSeconds
            && claims.Exp - claims.Iat <= (long)Lifetime.TotalSeconds ? claims : null;
}
