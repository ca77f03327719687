using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace MissionControl.Cli.Audit;

/// <summary>What every line of an export says of its place.</summary>
/// <param name="Index">Which entry it is.</param>
/// <param name="Origin">Of which log.</param>
/// <param name="LeafHash">Its hash; null: the server has none any more.</param>
internal sealed partial record ExportedLine(long Index, string Origin, string? LeafHash)
{
    /// <summary>Reads it; null: it is no line of that format.</summary>
    public static ExportedLine? Read(string format, ReadOnlyMemory<byte> line)
    {
        try
        {
            return format == "cef" ? OfCef(Encoding.UTF8.GetString(line.Span)) : OfJson(line, isOcsf: format == "ocsf");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static ExportedLine? OfJson(ReadOnlyMemory<byte> line, bool isOcsf)
    {
        using var json = JsonDocument.Parse(line);
        var place = isOcsf ? json.RootElement.GetProperty("unmapped").GetProperty("tlog") : json.RootElement;
        return place.GetProperty("origin").GetString() is { } origin ? new ExportedLine(place.GetProperty("index").GetInt64(), origin, place.GetProperty("leafHash").GetString()) : null;
    }

    // In a value no equals sign stands alone, so nothing that somebody wrote looks like a field.
    private static ExportedLine? OfCef(string line)
    {
        var head = CefHead().Match(line);
        var fields = head.Success ? CefField().Matches(line, head.Length).ToLookup(field => field.Groups["key"].Value, field => field.Groups["value"].Value.Replace(@"\=", "=", StringComparison.Ordinal)) : null;
        return fields?["cn1"].FirstOrDefault() is { } index && fields["cs3"].FirstOrDefault() is { } origin ? new ExportedLine(long.Parse(index, NumberStyles.None, CultureInfo.InvariantCulture), origin, fields["cs1"].FirstOrDefault()) : null;
    }

    [GeneratedRegex(@"^CEF:0\|(([^\\|]|\\.)*\|){6}", RegexOptions.ExplicitCapture)]
    private static partial Regex CefHead();

    [GeneratedRegex(@"(?<=[| ])(?<key>cn1|cs1|cs3)=(?<value>[^ ]*)", RegexOptions.ExplicitCapture)]
    private static partial Regex CefField();
}
