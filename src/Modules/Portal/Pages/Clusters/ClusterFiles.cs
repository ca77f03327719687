using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Portal.Lists;
using MissionControl.Portal.Look;
using MissionControl.Portal.Shell;

namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The lists about clusters as files.</summary>
internal static class ClusterFiles
{
    /// <summary>The parameters of the list of clusters.</summary>
    public static readonly IReadOnlyCollection<string> Filters = ["q", "health", "liveness", "state", "customer", "version", "region", "sort", "limit", "cursor"];

    /// <summary>The parameters of the list of events.</summary>
    public static readonly IReadOnlyCollection<string> EventFilters = ["q", "severity", "sort", "limit", "cursor"];

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/clusters/{id:guid}/metrics.csv", (Guid id, HttpContext http, TimeProvider time) => FileAsync(http, "fleet:read", async api =>
        {
            var history = await api.GetHistoryAsync(id, HistorySpan.Of(http.Request).Query(time.GetUtcNow(), HistorySpan.Shown), http.RequestAborted);
            var rows = history.Series.SelectMany(series => series.Values.Select((value, i) => new HistoryRow(history.From.AddSeconds((double)i * history.StepSeconds), series.Metric, value, series.Least[i], series.Greatest[i])));
            return Csv.File($"metrics-{id:N}", rows);
        }));
        pages.MapGet("/clusters.csv", (HttpContext http, CancellationToken aborted) => FileAsync(http, "fleet:read", async api =>
        {
            var query = Addresses.ApiQuery(http.Request, [.. Filters.Except(["limit", "cursor"])], ("limit", "500"));
            var first = await api.ListClustersAsync(query, aborted);
            return Csv.File("clusters", EveryPage.OfAsync(first, cursor => api.ListClustersAsync($"{query}&cursor={Uri.EscapeDataString(cursor)}", aborted)));
        }));
        pages.MapGet("/clusters/{id:guid}/events.csv", (Guid id, HttpContext http) => FileAsync(http, "fleet:read", async api =>
        {
            var query = Addresses.ApiQuery(http.Request, [.. EventFilters.Except(["limit", "cursor"])], ("limit", "500"));
            var first = await api.ListEventsAsync(id, query, http.RequestAborted);
            return Csv.File($"events-{id:N}", EveryPage.OfAsync(first, cursor => api.ListEventsAsync(id, $"{query}&cursor={Uri.EscapeDataString(cursor)}", http.RequestAborted)));
        }));
        pages.MapGet("/clusters/{id:guid}/usage.csv", (Guid id, HttpContext http, TimeProvider time) => FileAsync(http, "licensing:read", async api =>
        {
            var report = await api.GetUsageAsync(UsageSpan.Of(http.Request, time.GetUtcNow()).Query(id), http.RequestAborted);
            var rows = report.Series.SelectMany(series => report.Buckets.Select((bucket, i) => new UsageRow(bucket.At, series.Meter, series.Version, series.Unit, series.Values[i], bucket.Completeness.ReceivedHours, bucket.Completeness.MissingHours)));
            return Csv.File($"usage-{id:N}", rows);
        }));
    }

    /// <summary>A file for somebody who is signed in; a refusal is a page that says why.</summary>
    public static Task<IResult> FileAsync(HttpContext http, string scope, Func<MissionControlClient, Task<IResult>> file) => PortalPage.WithReaderAsync(http, async reader =>
    {
        var page = (PageContext)http.RequestServices.GetService(typeof(PageContext))!;
        page.Enter(http, reader);
        var role = scope[..scope.IndexOf(':', StringComparison.Ordinal)];
        var answer = Scopes.Include(string.Join(' ', reader.Principal.Scopes), scope) ? await page.AskAnywayAsync(role, (api, _) => file(api)) : new Answer<IResult>(null, Refusal.Lacks(scope));
        return answer.Value ?? new PageResult<Failure>(reader, new Dictionary<string, object?> { [nameof(Failure.Why)] = answer.Refusal }, status: answer.Refusal!.Status);
    });

    /// <summary>One meter in one hour or day; null where nothing was reported.</summary>
    private sealed record UsageRow(DateTimeOffset At, string Meter, int Version, string Unit, string? Value, long ReceivedHours, long MissingHours);

    /// <summary>A metric at an instant: mean, least and greatest; null where nothing was measured.</summary>
    private sealed record HistoryRow(DateTimeOffset At, string Metric, double? Value, double? Least, double? Greatest);
}
