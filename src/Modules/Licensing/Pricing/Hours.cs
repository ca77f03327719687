using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Pricing;

/// <summary>Hours since 1970-01-01T00Z, in which all that is agreed begins and ends.</summary>
internal static class Hours
{
    // Beyond it arithmetic with hours and years would need care everywhere.
    private static readonly DateTimeOffset First = DateTimeOffset.UnixEpoch;
    private static readonly DateTimeOffset Last = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The hour that an instant is the first one of; false: it lies within an hour, or out of all reason.</summary>
    public static bool TryWhole(DateTimeOffset instant, out int hour)
    {
        hour = instant >= First && instant <= Last ? UsageWindow.HourOf(instant) : 0;
        return instant >= First && instant <= Last && UsageWindow.StartOf(hour) == instant;
    }

    /// <summary>The first hour of the month that an hour lies in.</summary>
    public static int MonthOf(int hour)
    {
        var start = UsageWindow.StartOf(hour);
        return UsageWindow.HourOf(new DateTimeOffset(start.Year, start.Month, 1, 0, 0, 0, TimeSpan.Zero));
    }

    /// <summary>As documents write it.</summary>
    public static string Text(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}
