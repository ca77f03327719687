using System.Text.Json;
using System.Text.Json.Serialization;

namespace MissionControl.Trust.Envelopes;

/// <summary>How signed documents are read: what two readers could understand differently is refused.</summary>
public static class StrictJson
{
    /// <summary>No duplicate keys, no unknown members, no missing ones, exact case, depth 16.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        MaxDepth = 16,
    };
}
