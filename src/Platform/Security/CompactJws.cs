using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using MissionControl.Trust.Envelopes;

namespace MissionControl.Platform.Security;

/// <summary>
/// A signed token (RFC 7515, compact) of exactly one form: ES256 and one type. A hand-made reader of one form has nothing to negotiate:
/// other algorithms and types are not refused, they are not understood.
/// </summary>
internal static class CompactJws
{
    private const int Longest = 4096;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerOptions.Strict) { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, MaxDepth = 4, RespectRequiredConstructorParameters = false };

    public static string Sign<T>(string type, T claims, ISigner signer)
    {
        var head = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new Header("ES256", type, signer.KeyId), Json));
        var body = Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(claims, Json));
        return $"{head}.{body}.{Base64Url.EncodeToString(signer.Sign(Encoding.ASCII.GetBytes($"{head}.{body}")))}";
    }

    /// <summary>The claims of a token of this type; null when it is none, or no key here signed it.</summary>
    public static T? Read<T>(string text, string type, Func<string, VerificationKey?> keys)
        where T : class
    {
        var parts = text is { Length: < Longest } ? text.Split('.') : [];
        if (parts.Length != 3)
        {
            return null;
        }

        try
        {
            var header = JsonSerializer.Deserialize<Header>(Base64Url.DecodeFromChars(parts[0]), Json);
            return header is { Alg: "ES256", Kid: { } kid } && header.Typ == type && keys(kid) is { } key && key.Verify(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]))
                ? JsonSerializer.Deserialize<T>(Base64Url.DecodeFromChars(parts[1]), Json) : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return null;
        }
    }

    private sealed record Header(string? Alg, string? Typ, string? Kid);
}
