using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using MissionControl.Client;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
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
    public static readonly IReadOnlyCollection<string> EventFilters = ["severity", "limit", "cursor"];

    private static readonly IReadOnlyList<Column<ClusterSummary>> Clusters =
    [
        new("id", one => one.Id), new("name", one => one.Name), new("customerId", one => one.CustomerId), new("customerName", one => one.CustomerName), new("state", one => one.State),
        new("health", one => one.Health), new("stale", one => one.Stale), new("liveness", one => one.Liveness), new("livenessSince", one => one.LivenessSince), new("worstReason", one => one.WorstReason),
        new("version", one => one.Version), new("nodesUp", one => one.NodesUp), new("nodesAll", one => one.NodesAll), new("lastContact", one => one.LastContact),
    ];

    private static readonly IReadOnlyList<Column<EventItem>> Events =
    [
        new("id", one => one.Id), new("at", one => one.At), new("receivedAt", one => one.ReceivedAt), new("kind", one => one.Kind), new("severity", one => one.Severity), new("text", one => one.Text), new("node", one => one.Node),
    ];

    private static readonly IReadOnlyList<Column<(DateTimeOffset At, UsageSeries Series, string? Value, UsageCompleteness Hours)>> Usage =
    [
        new("at", one => one.At), new("meter", one => one.Series.Meter), new("version", one => one.Series.Version), new("unit", one => one.Series.Unit), new("value", one => one.Value),
        new("receivedHours", one => one.Hours.ReceivedHours), new("missingHours", one => one.Hours.MissingHours),
    ];

    private static readonly IReadOnlyList<Column<HistoryRow>> Metrics =
        [new("at", one => one.At), new("metric", one => one.Metric), new("value", one => one.Value), new("least", one => one.Least), new("greatest", one => one.Greatest)];

    public static void Map(IEndpointRouteBuilder pages)
    {
        pages.MapGet("/clusters/{id:guid}/metrics.csv", (Guid id, HttpContext http, TimeProvider time) => FileAsync(http, "fleet:read", async api =>
        {
            var history = await api.GetHistoryAsync(id, HistorySpan.Of(http.Request).Query(time.GetUtcNow(), HistorySpan.Shown), http.RequestAborted);
            var rows = history.Series.SelectMany(series => series.Values.Select((value, i) => new HistoryRow(history.From.AddSeconds((double)i * history.StepSeconds), series.Metric, value, series.Least[i], series.Greatest[i])));
            return Csv.File($"metrics-{id:N}-{Stamp(time)}", Metrics, rows.ToAsyncEnumerable());
        }));
        pages.MapGet("/clusters.csv", (HttpContext http, TimeProvider time) => FileAsync(http, "fleet:read", async api =>
        {
            var query = Addresses.ApiQuery(http.Request, [.. Filters.Except(["limit", "cursor"])], ("limit", "500"));
            var first = await api.ListClustersAsync(query, http.RequestAborted);
            return Csv.File($"clusters-{Stamp(time)}", Clusters, Csv.RowsAsync(first, cursor => api.ListClustersAsync($"{query}&cursor={Uri.EscapeDataString(cursor)}", http.RequestAborted)));
        }));
        pages.MapGet("/clusters/{id:guid}/events.csv", (Guid id, HttpContext http, TimeProvider time) => FileAsync(http, "fleet:read", async api =>
        {
            var query = Addresses.ApiQuery(http.Request, ["severity"], ("limit", "500"));
            var first = await api.ListEventsAsync(id, query, http.RequestAborted);
            return Csv.File($"events-{id:N}-{Stamp(time)}", Events, Csv.RowsAsync(first, cursor => api.ListEventsAsync(id, $"{query}&cursor={Uri.EscapeDataString(cursor)}", http.RequestAborted)));
        }));
        pages.MapGet("/clusters/{id:guid}/usage.csv", (Guid id, HttpContext http, TimeProvider time) => FileAsync(http, "licensing:read", async api =>
        {
            var report = await api.GetUsageAsync(UsageSpan.Of(http.Request, time.GetUtcNow()).Query(id), http.RequestAborted);
            var rows = report.Series.SelectMany(series => report.Buckets.Select((bucket, i) => (bucket.At, series, series.Values[i], bucket.Completeness)));
            return Csv.File($"usage-{id:N}-{Stamp(time)}", Usage, rows.ToAsyncEnumerable());
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

    /// <summary>Day of a file, for its name.</summary>
    public static string Stamp(TimeProvider time) => time.GetUtcNow().ToString("yyyy-MM-dd'T'HHmm'Z'", CultureInfo.InvariantCulture);
}
