using System.Text.Json;
using System.Text.Json.Serialization;

namespace MissionControl.Protocol.Documents;

/// <summary>The keys a cluster trusts, signed by the root that it pinned at enrolment.</summary>
/// <param name="V">Schema version, 1.</param>
/// <param name="Version">Rising; an older document never replaces a newer one.</param>
/// <param name="IssuedAt">When it was signed (UTC).</param>
/// <param name="Keys">The keys, the root among them.</param>
public sealed record AnchorDocument(int V, long Version, DateTimeOffset IssuedAt, IReadOnlyList<AnchorKey> Keys)
{
    /// <summary>DSSE payload type.</summary>
    public const string PayloadType = "application/vnd.missioncontrol.anchors+json";

    /// <summary>The bytes to sign.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, DocumentJson.Options);

    /// <summary>Reads a verified payload.</summary>
    /// <exception cref="JsonException">It is not an anchor document of version 1.</exception>
    public static AnchorDocument Parse(ReadOnlySpan<byte> payload)
    {
        var document = JsonSerializer.Deserialize<AnchorDocument>(payload, DocumentJson.Options);
        return document is { V: 1, Keys: not null } ? document : throw new JsonException("Not an anchor document of version 1.");
    }
}

/// <summary>A key and what it may sign.</summary>
/// <param name="Kid">Key id.</param>
/// <param name="Alg">ES256.</param>
/// <param name="Spki">DER SubjectPublicKeyInfo.</param>
/// <param name="Uses">root, receipt, lease, directive…</param>
/// <param name="NotBefore">Valid from (UTC).</param>
/// <param name="NotAfter">Valid until (UTC).</param>
public sealed record AnchorKey(string Kid, string Alg, byte[] Spki, IReadOnlyList<string> Uses, DateTimeOffset NotBefore, DateTimeOffset NotAfter);

/// <summary>Strict JSON of signed documents: no duplicate keys, no unknown members.</summary>
internal static class DocumentJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        MaxDepth = 16,
    };
}
