using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MissionControl.Audit.Anchor;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>An event on its way into a log.</summary>
/// <param name="Event">What was told.</param>
/// <param name="Hash">SHA-256 of it as it came, but for the values that name a person: by a hash without a salt these could be guessed after they are erased.</param>
internal sealed record Told(AuditEntryRecorded Event, byte[] Hash)
{
    /// <summary>As which row of the table of before it was found; null: it has just been told.</summary>
    public ImportedEntry? Imported { get; init; }

    /// <summary>Its producer gave it the number that it names; false: the log says something of a number that it gave another event.</summary>
    public bool IsNumbered { get; init; } = true;

    public static Told Of(AuditEntryRecorded message) => new(message, SHA256.HashData(MessageJson.Write(message with { Personal = message.Personal.ToDictionary(pair => pair.Key, _ => "", StringComparer.Ordinal) })));

    /// <summary>Whether it is the event that a hash was made of. The first hashes were made with the values.</summary>
    public bool Is(ReadOnlySpan<byte> hash) => hash.SequenceEqual(Hash) || hash.SequenceEqual(SHA256.HashData(MessageJson.Write(Event)));
}

/// <summary>What the table of before had of an entry.</summary>
/// <param name="RecordedAt">When it was written there.</param>
/// <param name="Body">Its exact bytes, names and addresses in clear.</param>
internal sealed record ImportedEntry(DateTimeOffset RecordedAt, string Body);

/// <summary>
/// The bytes of an entry: one JSON object, its members in the order of their names, written once. They are hashed, stored and served
/// as they are, and never written again. In place of what names a person stands a commitment.
/// </summary>
internal static class Leaf
{
    /// <summary>What an entry is committed to in place of changes that do not fit.</summary>
    public const string ChangesField = "changes";

    /// <summary>What an imported entry is committed to: the exact bytes of before, in which names stand in clear.</summary>
    public const string ImportedField = "imported";

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes an entry.</summary>
    /// <param name="log">Where it goes.</param>
    /// <param name="position">Its place there.</param>
    /// <param name="message">What is told.</param>
    /// <param name="imported">What it was before, and how it was told then; null: it is new.</param>
    /// <param name="recordedAt">When it is appended.</param>
    /// <param name="after">The newest epoch that is known to be closed; null: none is.</param>
    /// <returns>Its bytes, and what they are committed to.</returns>
    public static (byte[] Content, IReadOnlyList<PersonalValue> Values) Write(Guid log, long position, AuditEntryRecorded message, Told? imported, DateTimeOffset recordedAt, AfterEpoch? after)
    {
        var values = message.Personal.Select(pair => Value(pair.Key, pair.Value)).ToList();
        var bytes = Write(message, imported, recordedAt, values, after, changes: true);
        if (bytes.Length > TreeHash.MaxEntry)
        {
            // What would not fit stands beside the log; of an imported entry everything does anyway.
            if (imported is null)
            {
                values.Add(Value(ChangesField, JsonSerializer.Serialize(message.Changes, MessageJson.Options)));
            }

            bytes = Write(message, imported, recordedAt, values, after, changes: false);
        }

        return bytes.Length <= TreeHash.MaxEntry ? (bytes, values) : throw new InvalidOperationException($"Event {message.EventId} is longer than an entry of a log can be.");

        PersonalValue Value(string field, string value) => new() { LogId = log, Position = position, Field = field, Salt = Commitment.NewSalt(), Value = value };
    }

    /// <summary>Writes that another event came under the id of one that stands in the log.</summary>
    public static AuditEntryRecorded Conflict(Told told, long index, DateTimeOffset now) => Own(told, "audit.event-conflict", "failed", now) with
    {
        EventId = ConflictId(told),
        Changes = [Change.Replace("/entry", index, Convert.ToBase64String(told.Hash))],
        Reason = "Another event came under an id that stands in the log; the first one counts.",
    };

    /// <summary>The id of that: the same for the same event, however often it comes.</summary>
    public static Guid ConflictId(Told told) => IdOf([.. told.Event.EventId.ToByteArray(bigEndian: true), .. told.Hash]);

    /// <summary>Writes that a producer gave a number twice: the event before it in the log has one that another has, which is somebody who tells it again, or tells for somebody else.</summary>
    public static AuditEntryRecorded Repeated(Told told, DateTimeOffset now) => Own(told, "audit.number-repeated", "failed", now) with
    {
        EventId = IdOf([.. Encoding.UTF8.GetBytes("number"), .. told.Event.EventId.ToByteArray(bigEndian: true)]),
        Reason = "Another event of this producer has the number of this one; both are kept.",
    };

    /// <summary>
    /// What stands around an entry of before. It has the id of before, unless another event stands under it: so what came both ways is
    /// one entry, whichever way was first.
    /// </summary>
    public static AuditEntryRecorded Imported(Told told, Guid id, DateTimeOffset now) => Own(told, "audit.imported", "success", now) with
    {
        EventId = id,
        Personal = new Dictionary<string, string> { [ImportedField] = told.Imported!.Body },
    };

    // An entry by which the log tells of an event, and not the one who told that.
    private static AuditEntryRecorded Own(Told told, string type, string outcome, DateTimeOffset now) => told.Event with
    {
        OccurredAt = now,
        Actor = new AuditActor("system", "audit", "local"),
        Type = type,
        Outcome = outcome,
        Target = new AuditTarget("event", told.Event.EventId.ToString()),
        Changes = [],
        Reason = null,
        Ticket = null,
        RequestId = null,
        Receipt = "none",
        Personal = new Dictionary<string, string>(),
    };

    private static Guid IdOf(ReadOnlySpan<byte> content) => new(SHA256.HashData(content).AsSpan(0, 16), bigEndian: true);

    private static byte[] Write(AuditEntryRecorded message, Told? imported, DateTimeOffset recordedAt, IReadOnlyList<PersonalValue> personal, AfterEpoch? after, bool changes)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes, Options);
        json.WriteStartObject();
        Member(json, "actor", message.Actor);
        if (after is not null)
        {
            json.WriteStartObject("afterEpoch");
            json.WriteString("hash", after.Hash.ToString());
            json.WriteNumber("number", after.Number);
            json.WriteEndObject();
        }

        if (changes || imported is not null)
        {
            Member(json, "changes", message.Changes);
        }

        Optional(json, "clusterId", message.ClusterId?.ToString());
        json.WriteStartObject("commitments");
        foreach (var value in personal.OrderBy(value => value.Field, StringComparer.Ordinal))
        {
            json.WriteString(value.Field, Convert.ToBase64String(Commitment.Of(value.Salt, value.Field, value.Value)));
        }

        json.WriteEndObject();
        Optional(json, "customerId", message.CustomerId?.ToString());
        json.WriteString("eventId", message.EventId.ToString());
        if (imported is not null)
        {
            WriteImported(json, imported.Event, imported.Imported!.RecordedAt, changes);
        }

        json.WriteString("log", message.Log);
        json.WriteString("occurredAt", Instant(message.OccurredAt));
        json.WriteString("outcome", message.Outcome);
        json.WriteString("producer", message.Producer);
        json.WriteNumber("producerSeq", message.ProducerSeq);
        Optional(json, "reason", message.Reason);
        json.WriteString("receipt", message.Receipt);
        json.WriteString("recordedAt", Instant(recordedAt));
        Optional(json, "requestId", message.RequestId);
        Member(json, "target", message.Target);
        Optional(json, "ticket", message.Ticket);
        json.WriteString("type", message.Type);
        json.WriteNumber("v", message.V);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    // Of the entry of before what the one around it does not say, and nothing that names a person.
    private static void WriteImported(Utf8JsonWriter json, AuditEntryRecorded told, DateTimeOffset recordedAt, bool changes)
    {
        json.WriteStartObject("imported");
        Member(json, "actor", told.Actor);
        if (changes)
        {
            Member(json, "changes", told.Changes);
        }

        json.WriteString("eventId", told.EventId.ToString());
        json.WriteString("occurredAt", Instant(told.OccurredAt));
        json.WriteString("outcome", told.Outcome);
        Optional(json, "reason", told.Reason);
        json.WriteString("receipt", told.Receipt);
        json.WriteString("recordedAt", Instant(recordedAt));
        Optional(json, "requestId", told.RequestId);
        Member(json, "target", told.Target);
        Optional(json, "ticket", told.Ticket);
        json.WriteString("type", told.Type);
        json.WriteEndObject();
    }

    private static void Member<T>(Utf8JsonWriter json, string name, T value)
    {
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, value, MessageJson.Options);
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
