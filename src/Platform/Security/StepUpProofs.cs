using System.Text.Json.Serialization;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Platform.Security;

/// <summary>The claims of a step-up proof (names of RFC 7519, RFC 8176 and OpenID Connect where there are some).</summary>
/// <param name="Iss">missioncontrol/identity.</param>
/// <param name="Aud">The role that demanded it.</param>
/// <param name="Sub">The person.</param>
/// <param name="Sid">The session that it was proved in.</param>
/// <param name="Purpose">What for.</param>
/// <param name="SubjectDigest">What exactly.</param>
/// <param name="Amr">How it was proved, separated by spaces.</param>
/// <param name="AuthTime">When (Unix seconds).</param>
/// <param name="Jti">Good once.</param>
/// <param name="Exp">Unix seconds.</param>
public sealed record StepUpClaims(
    string Iss, string Aud, string Sub, string Sid, string Purpose, [property: JsonPropertyName("subject_digest")] string SubjectDigest, string Amr,
    [property: JsonPropertyName("auth_time")] long AuthTime, Guid Jti, long Exp);

/// <summary>The proof that somebody has just confirmed one thing: a JWT that is good for two minutes, once, at one role.</summary>
public static class StepUpProofs
{
    /// <summary>How long it is good.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    private const string Type = "mc-stepup+jwt";

    /// <summary>Signs a proof.</summary>
    public static string Issue(StepUpClaims claims, ISigner signer) => CompactJws.Sign(Type, claims, signer);

    /// <summary>Reads and verifies a proof; null when it is not one of ours or its time is over.</summary>
    public static StepUpClaims? Verify(string text, Func<string, VerificationKey?> keys, DateTimeOffset now) =>
        CompactJws.Read<StepUpClaims>(text, Type, keys) is { Iss: UserTokens.Issuer } claims && claims.Exp > now.ToUnixTimeSeconds() && claims.AuthTime <= now.ToUnixTimeSeconds() + UserTokens.MaxSkewSeconds
            && claims.Exp - claims.AuthTime <= (long)Lifetime.TotalSeconds ? claims : null;
}
