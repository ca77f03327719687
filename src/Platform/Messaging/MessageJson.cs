using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using MassTransit;
using MissionControl.Contracts;

namespace MissionControl.Platform.Messaging;

/// <summary>How messages are written to the outbox: tolerant JSON, attachment kept beside it.</summary>
public static class MessageJson
{
    /// <summary>Camel case, unknown members ignored: an old consumer reads a new producer's message.</summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { DetachAttachment } },
    };

    private static readonly Dictionary<string, Type> ByWireName = typeof(IMessage).Assembly.GetExportedTypes()
        .Where(type => typeof(IMessage).IsAssignableFrom(type) && !type.IsAbstract)
        .ToDictionary(WireName);

    /// <summary>The fixed name of a message type on the wire.</summary>
    /// <exception cref="InvalidOperationException">The type has no <c>[EntityName]</c>.</exception>
    public static string WireName(Type type) =>
        type.GetCustomAttribute<EntityNameAttribute>()?.EntityName ?? throw new InvalidOperationException($"{type} needs [EntityName].");

    /// <summary>The message of a wire name; null when this version knows none.</summary>
    internal static Type? TypeOf(string wireName) => ByWireName.GetValueOrDefault(wireName);

    /// <summary>Reads a stored message.</summary>
    /// <exception cref="InvalidDataException">The wire name or the body is not known here.</exception>
    public static IMessage Read(string wireName, ReadOnlySpan<byte> payload, byte[]? attachment)
    {
        if (!ByWireName.TryGetValue(wireName, out var type))
        {
            throw new InvalidDataException($"No message is called '{wireName}' in this version.");
        }

        var message = (IMessage)(JsonSerializer.Deserialize(payload, type, Options) ?? throw new InvalidDataException($"'{wireName}' is null."));
        if (attachment is not null && message is IAttachment)
        {
            // The property is init-only for everybody else; here the message is still being put together.
            type.GetProperty(nameof(IAttachment.Attachment))!.SetValue(message, attachment);
        }

        return message;
    }

    /// <summary>Writes a message without its attachment.</summary>
    public static byte[] Write(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), Options);
    }

    private static void DetachAttachment(JsonTypeInfo info)
    {
        if (!typeof(IAttachment).IsAssignableFrom(info.Type))
        {
            return;
        }

        foreach (var property in info.Properties.Where(property => string.Equals(property.Name, nameof(IAttachment.Attachment), StringComparison.OrdinalIgnoreCase)).ToList())
        {
            info.Properties.Remove(property);
        }
    }
}
