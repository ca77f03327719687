using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace MissionControl.Protocol.Documents;

/// <summary>An entry of a cluster's own log: what Mission Control did to the cluster or asked of it, as the cluster saw it. Names nobody.</summary>
/// <param name="At">When, by Mission Control's clock as the agent knows it.</param>
/// <param name="Type">What: <c>key-rotated</c>.</param>
/// <param name="What">In words.</param>
/// <param name="Reference">What the other side calls it: <c>key:…</c>; null where it has no name for it.</param>
public sealed record ClusterLogEntry(DateTimeOffset At, string Type, string What, string? Reference = null)
{
    private const string AtFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private const int Version = 1;

    /// <summary>Its bytes: members in the order of their names, no white space. They are never written again.</summary>
    public byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        json.WriteString("at", At.UtcDateTime.ToString(AtFormat, CultureInfo.InvariantCulture));
        if (Reference is not null)
        {
            json.WriteString("ref", Reference);
        }

        json.WriteString("type", Type);
        json.WriteNumber("v", Version);
        json.WriteString("what", What);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads one. Members that are not known yet are passed over.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static ClusterLogEntry Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var json = JsonDocument.Parse(bytes);
            var root = json.RootElement;
            var reference = root.TryGetProperty("ref", out var named) ? Text(named) : null;
            return new ClusterLogEntry(
                DateTimeOffset.ParseExact(Text(root.GetProperty("at")), AtFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal), Text(root.GetProperty("type")), Text(root.GetProperty("what")), reference);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException("This is no entry of a cluster's log.", exception);
        }
    }

    private static string Text(JsonElement element) => element.GetString() ?? throw new FormatException("A text is null.");
}
