using System.Globalization;
using NodaTime;
using NodaTime.Extensions;
using NodaTime.TimeZones;

namespace MissionControl.Portal.Look;

/// <summary>A time zone that instants are shown in. Its rules are part of this assembly's packages: a machine or an image without zone data shows the same times.</summary>
public sealed class Zone
{
    private static readonly TzdbDateTimeZoneSource Database = TzdbDateTimeZoneSource.Default;
    private static readonly HashSet<string> Known = [.. Database.ZoneLocations!.Select(place => place.ZoneId)];
    private readonly DateTimeZone rules;

    private Zone(DateTimeZone rules) => this.rules = rules;

    /// <summary>The zone that everything is stored in.</summary>
    public static Zone Utc { get; } = new(DateTimeZone.Utc);

    /// <summary>The zones that people live in, by name.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Known.Append("UTC").Order(StringComparer.Ordinal)];

    /// <summary>Its name in the IANA database.</summary>
    public string Id => rules.Id;

    /// <summary>The place alone, for the heads of tables.</summary>
    public string Short => rules.Id[(rules.Id.LastIndexOf('/') + 1)..].Replace('_', ' ');

    /// <summary>Whether it is UTC itself.</summary>
    public bool IsUtc => rules.Id == Utc.Id;

    /// <summary>The zone of a name; null when there is none. Names come from browsers and forms: what is not in the database is no zone.</summary>
    public static Zone? Find(string? id) => id is not { Length: > 0 and <= 64 } ? null : id is "Etc/UTC" or "UTC" ? Utc
        : DateTimeZoneProviders.Tzdb.GetZoneOrNull(Current(id)) is { } rules ? new Zone(rules) : null;

    /// <summary>An instant as the clocks of the zone show it.</summary>
    public DateTimeOffset At(DateTimeOffset at) => at.ToOffset(OffsetAt(at));

    /// <summary>How far the clocks are from UTC at an instant: <c>UTC+1</c>, <c>UTC−3:30</c>. The letters that zones go by mean several things each.</summary>
    public string Offset(DateTimeOffset at)
    {
        var offset = OffsetAt(at);
        return offset == TimeSpan.Zero ? "UTC" : string.Create(CultureInfo.InvariantCulture, $"UTC{(offset < TimeSpan.Zero ? "−" : "+")}{Math.Abs(offset.Hours)}{(offset.Minutes == 0 ? "" : $":{Math.Abs(offset.Minutes):00}")}");
    }

    /// <summary>The round instants of a time: every so many hours from midnight on, by the clocks of the zone. An hour that a zone skips or repeats is named once.</summary>
    /// <param name="hours">Hours between two of them.</param>
    /// <param name="from">Begin of the time.</param>
    /// <param name="to">End of the time.</param>
    public IEnumerable<DateTimeOffset> Every(int hours, DateTimeOffset from, DateTimeOffset to)
    {
        var last = DateTimeOffset.MinValue;
        for (var clock = LocalDateTime.FromDateTime(At(from).Date); ; clock = clock.PlusHours(hours))
        {
            var at = rules.AtLeniently(clock).ToDateTimeOffset();
            if (at > to)
            {
                yield break;
            }

            if (at >= from && at > last)
            {
                yield return last = at;
            }
        }
    }

    // Browsers still say Asia/Calcutta. A name in use is never exchanged: in the database Oslo is another name of Berlin.
    private static string Current(string id) => !Known.Contains(id) && Database.CanonicalIdMap.TryGetValue(id, out var current) ? current : id;

    // To the minute: zones counted seconds only before anything here was measured, and the type for instants takes none.
    private TimeSpan OffsetAt(DateTimeOffset at) => TimeSpan.FromMinutes(Math.Truncate(rules.GetUtcOffset(at.ToInstant()).ToTimeSpan().TotalMinutes));
}
