using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace MissionControl.Protocol.Documents;

/// <summary>An entry of a cluster's own log: what Mission Control did to the cluster or asked of it, as the cluster saw it. Names nobody.</summary>
/// <param name="At">When, by Mission Control's clock as the agent knows it.</param>
/// <param name="Type">What: <c>key-rotated</c>.</param>
/// <param name="What">In words.</param>
/// <param name="Reference">What the other side calls it: <c>key:…</c>; null where it has no name for it.</param>
/// <param name="Clock">When by the machine's own clock; null where both say about the same.</param>
public sealed record ClusterLogEntry(DateTimeOffset At, string Type, string What, string? Reference = null, DateTimeOffset? Clock = null)
{
    private const string AtFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private const int Version = 1;

    /// <summary>When, by the clock that Mission Control has no hand in where there is one.</summary>
    public DateTimeOffset Dated => Clock ?? At;

    /// <summary>Its bytes: members in the order of their names, no white space. They are never written again.</summary>
    public byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        json.WriteString("at", At.UtcDateTime.ToString(AtFormat, CultureInfo.InvariantCulture));
        if (Clock is { } clock)
        {
            json.WriteString("clock", clock.UtcDateTime.ToString(AtFormat, CultureInfo.InvariantCulture));
        }

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
            DateTimeOffset? clock = root.TryGetProperty("clock", out var own) ? Instant(own) : null;
            return new ClusterLogEntry(Instant(root.GetProperty("at")), Text(root.GetProperty("type")), Text(root.GetProperty("what")), reference, clock);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException("This is no entry of a cluster's log.", exception);
        }
    }

    private static DateTimeOffset Instant(JsonElement element) => DateTimeOffset.ParseExact(Text(element), AtFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static string Text(JsonElement element) => element.GetString() ?? throw new FormatException("A text is null.");
}
