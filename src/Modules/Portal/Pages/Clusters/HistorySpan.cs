using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The time that a chart of metrics shows, and how fine: a few hundred points whatever the time.</summary>
/// <param name="Name">As it stands in the address.</param>
/// <param name="Words">For people.</param>
/// <param name="Length">How long.</param>
/// <param name="Step">Time of a point.</param>
internal sealed record HistorySpan(string Name, string Words, TimeSpan Length, TimeSpan Step)
{
    /// <summary>The spans to choose from; raw health is kept for 14 days.</summary>
    public static readonly IReadOnlyList<HistorySpan> Choices =
    [
        new("1h", "1 hour", TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)),
        new("6h", "6 hours", TimeSpan.FromHours(6), TimeSpan.FromMinutes(2)),
        new("1d", "1 day", TimeSpan.FromDays(1), TimeSpan.FromMinutes(5)),
        new("7d", "7 days", TimeSpan.FromDays(7), TimeSpan.FromMinutes(30)),
        new("14d", "14 days", TimeSpan.FromDays(14), TimeSpan.FromHours(1)),
    ];

    /// <summary>The metrics that the page shows.</summary>
    public static readonly IReadOnlyList<string> Shown = ["disk", "cpu", "memory", "nodes-up", "nodes-all", "clock", "spool-items"];

    /// <summary>The span of a request: <c>range</c>, a day when it says nothing.</summary>
    public static HistorySpan Of(HttpRequest request) => Choices.FirstOrDefault(one => one.Name == request.Query["range"].ToString()) ?? Choices[2];

    /// <summary>The API's query.</summary>
    public string Query(DateTimeOffset now, IReadOnlyList<string> metrics) => string.Create(CultureInfo.InvariantCulture,
        $"?from={(now - Length).UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}&to={now.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}&step={(int)Step.TotalSeconds}{string.Concat(metrics.Select(metric => $"&metric={Uri.EscapeDataString(metric)}"))}");
}
