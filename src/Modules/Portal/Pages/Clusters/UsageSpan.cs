using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The time that a usage page shows: whole UTC hours or days.</summary>
/// <param name="From">Begin.</param>
/// <param name="To">End.</param>
/// <param name="Granularity">hour or day.</param>
internal sealed record UsageSpan(DateTimeOffset From, DateTimeOffset To, string Granularity)
{
    /// <summary>The spans to choose from, in days.</summary>
    public static readonly IReadOnlyList<int> Choices = [2, 14, 30, 90];

    /// <summary>The span of a request: <c>days</c>, 14 when it says nothing.</summary>
    public static UsageSpan Of(HttpRequest request, DateTimeOffset now) => Of(Days(request), now);

    /// <summary>The days that a request asks for.</summary>
    public static int Days(HttpRequest request) => int.TryParse(request.Query["days"], CultureInfo.InvariantCulture, out var days) && Choices.Contains(days) ? days : 14;

    /// <summary>The last days up to the hour that has begun; two days or less hour by hour.</summary>
    public static UsageSpan Of(int days, DateTimeOffset now)
    {
        var hour = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(now.UtcDateTime.Hour + 1);
        return days <= 2 ? new UsageSpan(hour.AddDays(-days), hour, "hour") : new UsageSpan(new DateTimeOffset(hour.AddHours(-1).UtcDateTime.Date, TimeSpan.Zero).AddDays(1 - days), hour, "day");
    }

    /// <summary>The API's query for one cluster.</summary>
    public string Query(Guid cluster) => $"?cluster={cluster}&granularity={Granularity}&from={Text(From)}&to={Text(To)}";

    /// <summary>An hour as the API takes it.</summary>
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH':00:00Z'", CultureInfo.InvariantCulture);
}
