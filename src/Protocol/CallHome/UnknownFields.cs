using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace MissionControl.Protocol.CallHome;

/// <summary>Finds the fields of a protobuf message that this version does not know, so that their sender can be told. They have no names here, only numbers.</summary>
public static class UnknownFields
{
    private const int Most = 20;
    private const int MaxDepth = 16;

    /// <summary>Pointers such as <c>/spool/#17</c>, at most 20. The message must have been parsed before: what is malformed ends the search.</summary>
    public static IReadOnlyList<string> In(ReadOnlySpan<byte> message, MessageDescriptor descriptor)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        var found = new List<string>();
        try
        {
            Walk(message.ToArray(), descriptor, "", 0, found);
        }
        catch (InvalidProtocolBufferException)
        {
            // Nothing is refused here: the parser did that, or took it.
        }

        return found;
    }

    private static void Walk(byte[] bytes, MessageDescriptor descriptor, string pointer, int depth, List<string> found)
    {
        using var input = new CodedInputStream(bytes);
        var counts = new Dictionary<int, int>();
        for (var tag = input.ReadTag(); tag != 0 && found.Count < Most; tag = input.ReadTag())
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            var field = descriptor.FindFieldByNumber(number);
            if (field is null)
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"{pointer}/#{number}");
                if (!found.Contains(path))
                {
                    found.Add(path);
                }

                input.SkipLastField();
            }
            else if (field.FieldType == FieldType.Message && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited && depth < MaxDepth)
            {
                var index = counts[number] = counts.GetValueOrDefault(number) + 1;
                var path = field.IsRepeated ? string.Create(CultureInfo.InvariantCulture, $"{pointer}/{field.JsonName}/{index - 1}") : $"{pointer}/{field.JsonName}";
                Walk(input.ReadBytes().ToByteArray(), field.MessageType, path, depth + 1, found);
            }
            else
            {
                input.SkipLastField();
            }
        }
    }
}
