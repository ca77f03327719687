using Google.Protobuf.Reflection;

namespace MissionControl.CallHome.Intake;

/// <summary>
/// Counts the messages in a body, and the elements of its lists, before any of them is made: two bytes on the wire are an object in
/// memory, so that a small body could become a large one.
/// </summary>
internal static class ProtobufShape
{
    private const int MaxDepth = 8;

    /// <summary>True when the body holds more of them than the limit. What cannot be read is left to the parser, which says why.</summary>
    public static bool IsBeyond(ReadOnlySpan<byte> bytes, MessageDescriptor message, int limit)
    {
        var left = limit;
        return !TryCount(bytes, message, ref left, MaxDepth);
    }

    private static bool TryCount(ReadOnlySpan<byte> bytes, MessageDescriptor message, ref int left, int depth)
    {
        while (bytes.Length > 0)
        {
            if (!TryVarint(ref bytes, out var tag))
            {
                return true;
            }

            ulong skip = 0;
            switch (tag & 7)
            {
                case 0:
                    TryVarint(ref bytes, out _);
                    continue;
                case 1:
                    skip = 8;
                    break;
                case 5:
                    skip = 4;
                    break;
                case 2 when TryVarint(ref bytes, out skip) && skip <= (ulong)bytes.Length:
                    if (tag >> 3 is > 0 and <= int.MaxValue && message.FindFieldByNumber((int)(tag >> 3)) is { } field
                        && (field.FieldType == FieldType.Message || field.IsRepeated)
                        && (--left < 0 || (field.FieldType == FieldType.Message && depth > 0 && !TryCount(bytes[..(int)skip], field.MessageType, ref left, depth - 1))))
                    {
                        return false;
                    }

                    break;
                default:
                    return true;
            }

            if (skip > (ulong)bytes.Length)
            {
                return true;
            }

            bytes = bytes[(int)skip..];
        }

        return true;
    }

    private static bool TryVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < 10 && i < bytes.Length; i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return true;
            }
        }

        bytes = [];
        return false;
    }
}
