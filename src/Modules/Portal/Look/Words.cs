using System.Globalization;

namespace MissionControl.Portal.Look;

/// <summary>How numbers and times are said.</summary>
internal static class Words
{
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>How long ago, in the largest unit that says enough.</summary>
    public static string Ago(DateTimeOffset? at, DateTimeOffset now) => at is not { } then ? "never" : (now - then) switch
    {
        { TotalSeconds: < 60 } span => string.Create(Invariant, $"{Math.Max(0, span.TotalSeconds):0} s ago"),
        { TotalMinutes: < 60 } span => string.Create(Invariant, $"{span.TotalMinutes:0} min ago"),
        { TotalHours: < 48 } span => string.Create(Invariant, $"{span.TotalHours:0} h ago"),
        var span => string.Create(Invariant, $"{span.TotalDays:0} d ago"),
    };

    /// <summary>The exact instant, in UTC.</summary>
    public static string Exact(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", Invariant);

    /// <summary>The last 8 digits: ids made within a minute share their first ones.</summary>
    public static string Short(Guid id) => "…" + id.ToString("N")[^8..];

    /// <summary>Bytes in binary units.</summary>
    public static string Bytes(long? bytes) => bytes is not { } count ? "–" : count >= 1L << 40 ? string.Create(Invariant, $"{count / (double)(1L << 40):0.0} TiB") : string.Create(Invariant, $"{count / (double)(1L << 30):0.0} GiB");

    /// <summary>A percentage, or a dash when it is not known.</summary>
    public static string Percent(double? percent) => percent is { } known ? string.Create(Invariant, $"{known:0} %") : "–";
}
