using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using MissionControl.Audit.Anchor;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>An event on its way into a log.</summary>
/// <param name="Event">What was told.</param>
/// <param name="Hash">SHA-256 of it as it came.</param>
internal sealed record Told(AuditEntryRecorded Event, byte[] Hash)
{
    public static Told Of(AuditEntryRecorded message) => new(message, SHA256.HashData(MessageJson.Write(message)));
}

/// <summary>
/// The bytes of an entry: one JSON object, its members in the order of their names, written once. They are hashed, stored and served
/// as they are, and never written again. In place of what names a person stands a commitment.
/// </summary>
internal static class Leaf
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes an entry.</summary>
    /// <param name="message">What was told.</param>
    /// <param name="recordedAt">When it is appended.</param>
    /// <param name="personal">The salts of what it is committed to.</param>
    /// <param name="after">The newest epoch that is known to be closed; null: none is.</param>
    public static byte[] Write(AuditEntryRecorded message, DateTimeOffset recordedAt, IReadOnlyList<PersonalValue> personal, AfterEpoch? after)
    {
        var bytes = Write(message, recordedAt, personal, after, changes: true);

        // What would not fit is replaced by its hash; the search keeps it whole.
        bytes = bytes.Length <= TreeHash.MaxEntry ? bytes : Write(message, recordedAt, personal, after, changes: false);
        return bytes.Length <= TreeHash.MaxEntry ? bytes : throw new InvalidOperationException($"Event {message.EventId} is longer than an entry of a log can be.");
    }

    /// <summary>Writes that another event came under the id of one that stands in the log.</summary>
    public static AuditEntryRecorded Conflict(Told told, long index, DateTimeOffset now) => told.Event with
    {
        EventId = ConflictId(told),
        OccurredAt = now,
        Actor = new AuditActor("system", "audit", "local"),
        Type = "audit.event-conflict",
        Outcome = "failed",
        Target = new AuditTarget("event", told.Event.EventId.ToString()),
        Changes = [Change.Replace("/entry", index, Convert.ToBase64String(told.Hash))],
        Reason = "Another event came under an id that stands in the log; the first one counts.",
        Ticket = null,
        Personal = new Dictionary<string, string>(),
    };

    /// <summary>The id of that: the same for the same event, however often it comes.</summary>
    public static Guid ConflictId(Told told) => new(SHA256.HashData([.. told.Event.EventId.ToByteArray(bigEndian: true), .. told.Hash]).AsSpan(0, 16), bigEndian: true);

    private static byte[] Write(AuditEntryRecorded message, DateTimeOffset recordedAt, IReadOnlyList<PersonalValue> personal, AfterEpoch? after, bool changes)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes, Options);
        json.WriteStartObject();
        json.WritePropertyName("actor");
        JsonSerializer.Serialize(json, message.Actor, MessageJson.Options);
        if (after is not null)
        {
            json.WriteStartObject("afterEpoch");
            json.WriteString("hash", after.Hash.ToString());
            json.WriteNumber("number", after.Number);
            json.WriteEndObject();
        }

        json.WritePropertyName(changes ? "changes" : "changesSha256");
        JsonSerializer.Serialize(json, changes ? message.Changes : SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(message.Changes, MessageJson.Options)), changes ? typeof(IReadOnlyList<AuditChange>) : typeof(byte[]), MessageJson.Options);
        Optional(json, "clusterId", message.ClusterId?.ToString());
        json.WriteStartObject("commitments");
        foreach (var value in personal.OrderBy(value => value.Field, StringComparer.Ordinal))
        {
            json.WriteString(value.Field, Convert.ToBase64String(Commitment.Of(value.Salt, value.Field, value.Value)));
        }

        json.WriteEndObject();
        Optional(json, "customerId", message.CustomerId?.ToString());
        json.WriteString("eventId", message.EventId.ToString());
        json.WriteString("log", message.Log);
        json.WriteString("occurredAt", Instant(message.OccurredAt));
        json.WriteString("outcome", message.Outcome);
        json.WriteString("producer", message.Producer);
        json.WriteNumber("producerSeq", message.ProducerSeq);
        Optional(json, "reason", message.Reason);
        json.WriteString("receipt", message.Receipt);
        json.WriteString("recordedAt", Instant(recordedAt));
        Optional(json, "requestId", message.RequestId);
        json.WritePropertyName("target");
        JsonSerializer.Serialize(json, message.Target, MessageJson.Options);
        Optional(json, "ticket", message.Ticket);
        json.WriteString("type", message.Type);
        json.WriteNumber("v", message.V);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    private static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static void Optional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }
}
