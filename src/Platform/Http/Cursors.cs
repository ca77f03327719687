using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MissionControl.Platform.Http;

/// <summary>Opaque positions in a list: the order, its keys and the id of the last item of a page. Not secret, only not to be made up.</summary>
public static class Cursors
{
    // The longest text that orders a list has 200 characters, of which each may be written as six.
    private const int MaxLength = 2000;

    /// <summary>Writes a position.</summary>
    public static string Encode(params string[] parts) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(parts));

    /// <summary>Reads an instant of a position, in Unix milliseconds; false when there is no such instant.</summary>
    public static bool TryInstant(string part, out DateTimeOffset instant)
    {
        var isInstant = long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var ms) && ms <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
        instant = isInstant ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : default;
        return isInstant;
    }

    /// <summary>Reads a position; false when it is not one of ours.</summary>
    public static bool TryDecode(string cursor, out string[] parts)
    {
        parts = [];
        if (cursor is null || cursor.Length > MaxLength)
        {
            return false;
        }

        try
        {
            parts = JsonSerializer.Deserialize<string[]>(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor))) ?? [];
            return parts.Length > 0 && Array.TrueForAll(parts, part => part is not null && !part.Contains('\0', StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return false;
        }
    }
}
