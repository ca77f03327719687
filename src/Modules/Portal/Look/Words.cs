using System.Globalization;
using System.Text;

namespace MissionControl.Portal.Look;

/// <summary>How numbers, times and names are said.</summary>
public static class Words
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>How long ago, in the largest unit that says enough.</summary>
    public static string Ago(DateTimeOffset? at, DateTimeOffset now) => at is { } then ? $"{Span(now - then)} ago" : "never";

    /// <summary>A span of time in the largest unit that says enough.</summary>
    public static string Span(TimeSpan span) => span.Duration() switch
    {
        { TotalSeconds: < 60 } one => string.Create(Invariant, $"{Math.Floor(one.TotalSeconds):0} s"),
        { TotalMinutes: < 60 } one => string.Create(Invariant, $"{Math.Floor(one.TotalMinutes):0} min"),
        { TotalHours: < 48 } one => string.Create(Invariant, $"{Math.Floor(one.TotalHours):0} h"),
        var one => string.Create(Invariant, $"{Math.Floor(one.TotalDays):0} d"),
    };

    /// <summary>The exact instant, and how far its clock is from UTC.</summary>
    public static string Exact(DateTimeOffset at, Zone zone) => $"{zone.At(at).ToString("yyyy-MM-dd HH:mm:ss", Invariant)} {zone.Offset(at)}";

    /// <summary>The instant to the minute, for tables whose head names the zone.</summary>
    public static string Minute(DateTimeOffset at, Zone zone) => zone.At(at).ToString("yyyy-MM-dd HH:mm", Invariant);

    /// <summary>The last 8 digits: ids made within a minute share their first ones.</summary>
    public static string Short(Guid id) => "…" + id.ToString("N")[^8..];

    /// <summary>The same of an id as text; what is no such id stays whole.</summary>
    public static string Short(string id) => Guid.TryParse(id, out var guid) ? Short(guid) : id;

    /// <summary>A name of the wire as people write it: <c>enrollmentToken</c> is an enrolment token.</summary>
    public static string Noun(string name)
    {
        var words = new StringBuilder();
        foreach (var letter in name)
        {
            words.Append(char.IsAsciiLetterUpper(letter) ? $" {char.ToLowerInvariant(letter)}" : letter is '-' ? " " : letter.ToString());
        }

        return words.ToString().Replace("enrollment", "enrolment", StringComparison.Ordinal);
    }

    /// <summary>What an audit entry says, from the name of its type: "Cluster suspended".</summary>
    public static string Event(string type) => Noun(type[(type.IndexOf('.', StringComparison.Ordinal) + 1)..]) is { Length: > 0 } words ? char.ToUpperInvariant(words[0]) + words[1..] : type;

    /// <summary>A name as part of an id in a page.</summary>
    public static string Slug(string name) => string.Concat(name.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' ? letter : '-'));

    /// <summary>What it means for a cluster to break a rule, in two or three words; a rule that has none yet by its id.</summary>
    public static string Rule(string id) => id switch
    {
        "backup-age" => "Backup overdue",
        "call-home" => "Check-ins fail",
        "certificate-expiry" => "Certificate expiring",
        "clock-offset" => "Clock off",
        "clone-suspected" => "Clone suspected",
        "cpu" => "CPU busy",
        "disk-encryption" => "Disk not encrypted",
        "disk-free" => "Disk filling",
        "disk-read-only" => "Disk read-only",
        "gc-pause" => "Long collections",
        "heap" => "Heap full",
        "inodes-free" => "Few inodes free",
        "memory" => "Memory full",
        "node-down" => "Node down",
        "node-down-without-spare" => "Node down, none spare",
        "quorum-tolerance" => "No spare voter",
        "spool-drops-usage" => "Usage dropped",
        "usage-gap" => "Usage missing",
        "version-skew" => "Versions differ",
        _ => id,
    };

    /// <summary>Bytes in binary units.</summary>
    public static string Bytes(double? bytes) => bytes switch
    {
        null => "–",
        >= 1L << 40 => string.Create(Invariant, $"{bytes / (1L << 40):0.0} TiB"),
        >= 1L << 30 => string.Create(Invariant, $"{bytes / (1L << 30):0.0} GiB"),
        >= 1L << 20 => string.Create(Invariant, $"{bytes / (1L << 20):0.0} MiB"),
        >= 1L << 10 => string.Create(Invariant, $"{bytes / (1L << 10):0.0} KiB"),
        _ => string.Create(Invariant, $"{bytes:0} B"),
    };

    /// <summary>A percentage, or a dash when it is not known.</summary>
    public static string Percent(double? percent) => percent is { } known ? string.Create(Invariant, $"{known:0} %") : "–";

    /// <summary>A number of things, grouped by thin spaces.</summary>
    public static string Count(long count) => count.ToString("#,0", Grouped);

    /// <summary>A number of things and their name.</summary>
    public static string Count(long count, string one, string many) => $"{Count(count)} {(count == 1 ? one : many)}";

    /// <summary>A measured value: as many digits as help.</summary>
    public static string Value(double value) => value.ToString(Math.Abs(value) is 0 or >= 100 ? "#,0" : Math.Abs(value) >= 10 ? "0.#" : "0.##", Grouped);

    /// <summary>A decimal text of the API, its fraction shortened for reading; the exact text stands in tables and exports.</summary>
    public static string Quantity(string text) => decimal.TryParse(text, NumberStyles.Number, Invariant, out var value) ? Value((double)value) : text;

    /// <summary>A list's query in words.</summary>
    public static string Query(string query) => string.Join(", ", Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query).Select(pair => $"{pair.Key} {string.Join(" or ", pair.Value.ToArray())}"));

    /// <summary>A role as people call it.</summary>
    public static string Role(string role) => role switch
    {
        "callhome" => "Call-home",
        "remoteaccess" => "Remote access",
        "api" or "" => "The API",
        _ => char.ToUpperInvariant(role[0]) + role[1..],
    };

    private static readonly NumberFormatInfo Grouped = new() { NumberGroupSeparator = "\u202f", NumberDecimalSeparator = "." };
}
