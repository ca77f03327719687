using System.Text.Json;
using Google.Protobuf.Reflection;

namespace MissionControl.Protocol.CallHome;

/// <summary>What the strict reader found.</summary>
/// <param name="Error">The first mistake, with its JSON pointer; null when there is none.</param>
/// <param name="UnknownFields">Pointers of members that this version does not know; they are ignored and told to the sender.</param>
public sealed record StrictJsonFindings(string? Error, IReadOnlyList<string> UnknownFields)
{
    /// <summary>There are more objects or members than are read; fewer at once may succeed.</summary>
    public bool IsBeyond { get; init; }
}

/// <summary>
/// Goes over call-home JSON before the protobuf JSON parser, which takes what two readers could understand differently:
/// duplicate keys, numbers as strings, <c>1.0</c> for an integer. 64-bit integers may be strings, as the canonical mapping writes them.
/// </summary>
public static class StrictJsonReader
{
    /// <summary>Deepest nesting that is read.</summary>
    public const int MaxDepth = 32;

    /// <summary>Most objects that are read, in JSON and in protobuf: an object of a few bytes takes many times as many in memory.</summary>
    public const int MaxObjects = 5_000;

    private const int MaxMembers = 10 * MaxObjects;
    private const int MaxUnknown = 20;

    /// <summary>Checks a document against a message type.</summary>
    /// <param name="utf8">The bytes as received.</param>
    /// <param name="message">The expected message.</param>
    /// <param name="maxText">Longest text or base64 value, in bytes.</param>
    public static StrictJsonFindings Check(ReadOnlySpan<byte> utf8, MessageDescriptor message, int maxText)
    {
        ArgumentNullException.ThrowIfNull(message);
        var unknown = new List<string>();
        var count = new Count();
        try
        {
            var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth, AllowTrailingCommas = false, CommentHandling = JsonCommentHandling.Disallow });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return new StrictJsonFindings("The body must be a JSON object.", unknown);
            }

            var error = Object(ref reader, message, "", maxText, unknown, count);
            if (count.IsBeyond)
            {
                return new StrictJsonFindings($"At most {MaxObjects} objects and {MaxMembers} members and elements are read.", unknown) { IsBeyond = true };
            }

            if (error is null && reader.Read())
            {
                error = "Something follows the JSON object.";
            }

            return new StrictJsonFindings(error, unknown);
        }
        catch (JsonException exception)
        {
            return new StrictJsonFindings($"The JSON cannot be read: {exception.Message}", unknown);
        }
        catch (InvalidOperationException)
        {
            return new StrictJsonFindings("A text is not valid UTF-8.", unknown);
        }
    }

    private static string? Object(ref Utf8JsonReader reader, MessageDescriptor message, string pointer, int maxText, List<string> unknown, Count count)
    {
        if (++count.Objects > MaxObjects)
        {
            return "";
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (++count.Members > MaxMembers)
            {
                return "";
            }

            var name = reader.GetString()!;
            var path = $"{pointer}/{(name.Length <= 64 ? name : name[..64])}";
            var field = message.Fields.InFieldNumberOrder().FirstOrDefault(field => field.JsonName == name || field.Name == name);

            // Both spellings of a field are one field: two of them are a duplicate, too.
            if (!seen.Add(field?.JsonName ?? name))
            {
                return $"{path} stands twice.";
            }

            reader.Read();
            if (field is null)
            {
                if (unknown.Count < MaxUnknown)
                {
                    unknown.Add(path);
                }

                reader.Skip();
            }
            else if (Value(ref reader, field, field.IsRepeated, path, maxText, unknown, count) is { } error)
            {
                return error;
            }
        }

        return null;
    }

    private static string? Value(ref Utf8JsonReader reader, FieldDescriptor field, bool repeated, string path, int maxText, List<string> unknown, Count count)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (repeated)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                return $"{path} must be an array.";
            }

            for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
            {
                if (++count.Members > MaxMembers)
                {
                    return "";
                }

                if (reader.TokenType == JsonTokenType.Null)
                {
                    return $"{path}/{i} must not be null.";
                }

                if (Value(ref reader, field, false, $"{path}/{i}", maxText, unknown, count) is { } error)
                {
                    return error;
                }
            }

            return null;
        }

        return field.FieldType switch
        {
            FieldType.Message => reader.TokenType == JsonTokenType.StartObject ? Object(ref reader, field.MessageType, path, maxText, unknown, count) : $"{path} must be an object.",
            FieldType.String or FieldType.Bytes => reader.TokenType != JsonTokenType.String ? $"{path} must be a text."
                : (reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length) > maxText ? $"{path} is longer than {maxText} bytes." : null,
            FieldType.Bool => reader.TokenType is JsonTokenType.True or JsonTokenType.False ? null : $"{path} must be true or false.",
            FieldType.Double or FieldType.Float => reader.TokenType == JsonTokenType.Number ? null : $"{path} must be a number.",
            FieldType.Int64 or FieldType.UInt64 or FieldType.SInt64 or FieldType.Fixed64 or FieldType.SFixed64 => Integer(ref reader, path, mayBeText: true),
            _ => Integer(ref reader, path, mayBeText: false),
        };
    }

    private sealed class Count
    {
        public int Objects { get; set; }

        public int Members { get; set; }

        public bool IsBeyond => Objects > MaxObjects || Members > MaxMembers;
    }

    private static string? Integer(ref Utf8JsonReader reader, string path, bool mayBeText)
    {
        if (reader.TokenType == JsonTokenType.String && mayBeText)
        {
            return long.TryParse(reader.GetString(), System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out _) ? null : $"{path} must be an integer.";
        }

        return reader.TokenType == JsonTokenType.Number && reader.ValueSpan.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0 && reader.TryGetInt64(out _) ? null : $"{path} must be an integer.";
    }
}
