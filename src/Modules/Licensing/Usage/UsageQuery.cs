using MissionControl.Contracts.Api;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Usage;

/// <summary>What a usage report is asked for, checked.</summary>
internal sealed class UsageQuery
{
    private const int MaxBuckets = 1000;
    private readonly List<int> starts;

    private UsageQuery(int from, int to, string granularity, string groupBy)
    {
        FromHour = from;
        ToHour = to;
        Granularity = granularity;
        GroupBy = groupBy;
        starts = Buckets(from, to, granularity).ToList();
    }

    /// <summary>First hour, included.</summary>
    public int FromHour { get; }

    /// <summary>Last hour, not included.</summary>
    public int ToHour { get; }

    public string Granularity { get; }

    public string GroupBy { get; }

    /// <summary>Hours that every bucket is made of.</summary>
    public int Step => Granularity == "hour" ? 1 : 24;

    /// <summary>The first hour of every bucket.</summary>
    public IReadOnlyList<int> Starts => starts;

    /// <summary>The bucket that an hour falls into.</summary>
    public int BucketOf(int hour)
    {
        var index = starts.BinarySearch(hour);
        return index >= 0 ? index : ~index - 1;
    }

    /// <summary>Checks the parameters; every mistake at once.</summary>
    public static (UsageQuery? Query, IReadOnlyList<FieldError> Errors) Read(DateTimeOffset? from, DateTimeOffset? to, string? granularity, string? groupBy, DateTimeOffset now)
    {
        var errors = new List<FieldError>();
        var unit = granularity ?? "hour";
        if (unit is not ("hour" or "day" or "month"))
        {
            errors.Add(new FieldError("granularity", "unknown-value", "granularity is hour, day or month."));
        }

        if (groupBy is not (null or "none" or "cluster" or "environment" or "customer"))
        {
            errors.Add(new FieldError("groupBy", "unknown-value", "groupBy is none, cluster, environment or customer."));
        }

        var end = to ?? UsageWindow.StartOf(UsageWindow.HourOf(now));
        var begin = from ?? (end > DateTimeOffset.MinValue.AddDays(1) ? end.AddDays(-1) : end);
        foreach (var (name, instant) in new[] { ("from", begin), ("to", end) })
        {
            if (instant.ToUnixTimeSeconds() % 3600 != 0 || instant.Year is < 2000 or > 2199)
            {
                errors.Add(new FieldError(name, "not-an-hour", $"{name} is a whole UTC hour, such as 2026-03-01T00:00:00Z."));
            }
        }

        if (begin >= end)
        {
            errors.Add(new FieldError("to", "out-of-range", "to lies after from."));
        }

        if (errors.Count > 0)
        {
            return (null, errors);
        }

        var hours = (int)(end - begin).TotalHours;
        if (hours / (unit switch { "hour" => 1, "day" => 24, _ => 672 }) > MaxBuckets)
        {
            return (null, [new FieldError("from", "too-long", $"At most {MaxBuckets} points; choose a coarser granularity or a shorter span.")]);
        }

        return (new UsageQuery(UsageWindow.HourOf(begin), UsageWindow.HourOf(end), unit, groupBy ?? "none"), []);
    }

    private static IEnumerable<int> Buckets(int from, int to, string granularity)
    {
        for (var hour = from; hour < to;)
        {
            yield return hour;
            var start = UsageWindow.StartOf(hour);
            hour = granularity switch
            {
                "hour" => hour + 1,
                "day" => UsageWindow.HourOf(new DateTimeOffset(start.Year, start.Month, start.Day, 0, 0, 0, TimeSpan.Zero).AddDays(1)),
                _ => UsageWindow.HourOf(new DateTimeOffset(start.Year, start.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(1)),
            };
        }
    }
}
