using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// What may be shown of a stored message. A body can hold names, addresses and digests of secrets, so a field is hidden unless its type
/// can hold none (ids, numbers, instants, yes and no) or its name stands on a short list; a field that somebody adds later is hidden.
/// </summary>
internal static class MessageFields
{
    private const int MostSubjects = 20;
    private static readonly string[] Kinds = ["cluster", "customer"];

    /// <summary>Texts whose values come from a fixed vocabulary of ours, or are ids of processes.</summary>
    private static readonly FrozenSet<string> Open = FrozenSet.ToFrozenSet(
    [
        "audit.entry/log", "audit.entry/outcome", "audit.entry/producer", "audit.entry/receipt", "audit.entry/type",
        "callhome.cluster-changed/state", "callhome.intake-watermark/replica", "callhome.items-received/kind", "callhome.set-desired-state/section",
        "identity.token-changed/principalKind", "identity.token-changed/tokenId",
        "licensing.customer-changed/region", "licensing.customer-changed/state",
    ]);

    /// <summary>The fields of a message's body, its binary part last; empty when the body cannot be read.</summary>
    public static IReadOnlyList<MessageField> Of(ParkedMessage message)
    {
        try
        {
            using var body = JsonDocument.Parse(message.Payload);
            var type = MessageJson.TypeOf(message.Type);
            var fields = body.RootElement.ValueKind == JsonValueKind.Object ? body.RootElement.EnumerateObject().Where(field => field.Name is not "key").Select(field => Field(message.Type, type, field)).ToList() : [];
            if (message.Attachment is { } attachment)
            {
                fields.Add(new MessageField("attachment", null, Attachment(message, attachment)));
            }

            return fields;
        }
        catch (JsonException)
        {
            return [];
        }
    }

    /// <summary>The things that a message is about, as far as its body names them.</summary>
    public static IReadOnlyList<MessageSubject> SubjectsOf(ParkedMessage message)
    {
        try
        {
            if (Read(message) is ItemsReceived items)
            {
                return [.. items.Inflate().Items.Select(item => new Guid(item.ClusterId.Span, bigEndian: true)).Distinct().Take(MostSubjects).Select(id => new MessageSubject("cluster", id.ToString()))];
            }

            using var body = JsonDocument.Parse(message.Payload);
            return body.RootElement.ValueKind != JsonValueKind.Object ? [] : [.. Kinds.Select(kind => Id(body.RootElement, kind + "Id") is { } id ? new MessageSubject(kind, id) : null).OfType<MessageSubject>()];
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException or Google.Protobuf.InvalidProtocolBufferException or ArgumentException)
        {
            // Whatever is wrong with the body may be why it is parked.
            return [];
        }
    }

    private static IMessage? Read(ParkedMessage message) => MessageJson.TypeOf(message.Type) is null ? null : MessageJson.Read(message.Type, message.Payload, message.Attachment);

    private static string? Id(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetGuid(out var id) ? id.ToString() : null;

    private static MessageField Field(string wireName, Type? type, JsonProperty field)
    {
        var property = type?.GetProperties().FirstOrDefault(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name) == field.Name);
        var (name, value) = (WellFormedText.Line(field.Name, 60), field.Value);
        return property is not null && Shown($"{wireName}/{field.Name}", property.PropertyType, value) is { } shown ? new MessageField(name, shown, null) : new MessageField(name, null, Size(property?.PropertyType, value));
    }

    private static string? Shown(string field, Type type, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.String when (Nullable.GetUnderlyingType(type) ?? type) == typeof(Guid) && value.TryGetGuid(out var id) => id.ToString(),
        JsonValueKind.String when (Nullable.GetUnderlyingType(type) ?? type) == typeof(DateTimeOffset) && value.TryGetDateTimeOffset(out var at) => at.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        JsonValueKind.String when Open.Contains(field) => WellFormedText.Line(value.GetString()!, 100),
        _ => null,
    };

    private static string Size(Type? type, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when type == typeof(byte[]) && value.TryGetBytesFromBase64(out var bytes) => Count(bytes.Length, "byte"),
        JsonValueKind.String => $"text of {Count(value.GetString()!.Length, "character")}",
        JsonValueKind.Array => $"list of {Count(value.GetArrayLength(), "value")}",
        JsonValueKind.Object => $"object of {Count(value.EnumerateObject().Count(), "field")}",
        JsonValueKind.Null => "nothing",
        _ => "a value of an unknown field",
    };

    private static string Attachment(ParkedMessage message, byte[] attachment)
    {
        try
        {
            return Read(message) is ItemsReceived items ? $"{Count(attachment.Length, "byte")}, {Count(items.Inflate().Items.Count, "item")} of clusters" : Count(attachment.Length, "byte");
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException or Google.Protobuf.InvalidProtocolBufferException)
        {
            return $"{Count(attachment.Length, "byte")}, which cannot be read";
        }
    }

    private static string Count(int count, string noun) => string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");
}
