using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Events;
using MissionControl.Fleet.Health;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.History;

/// <summary><c>GET /api/v1/fleet/clusters/{id}/history</c>: metrics over time, for charts.</summary>
internal static class HistoryApi
{
    private const int MaxPoints = 1000;
    private const int MaxMetrics = 50;
    private const int MaxMarks = 200;
    private const int LeastStep = 60;

    public static void Map(RouteGroupBuilder cluster) => cluster
        .MapGet("/history", GetAsync).RequireScope("fleet:read").WithName("GetClusterHistory").WithSummary("Metrics over time, with gaps and marks").Produces<HistoryDocument>(200, "application/json", Csv.MediaType);

    private static async Task<IResult> GetAsync(
        Guid id, HttpRequest request, ControlPlaneDbContext db, TimeProvider time, [FromQuery] string[]? metric, DateTimeOffset? from, DateTimeOffset? to, int? step, CancellationToken cancellationToken)
    {
        var names = metric is { Length: > 0 } ? metric.Distinct(StringComparer.Ordinal).ToList() : [.. Metrics.Default];
        var end = to ?? time.GetUtcNow();
        var begin = from ?? (end.Year > 1 ? end.AddDays(-1) : end);
        if (names.Count > MaxMetrics || names.Any(name => Metrics.UnitOf(name) is null))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, $"metric is one of {string.Join(", ", Metrics.Units.Keys)}, alone for the worst of the cluster or followed by a colon and the node, or the node and its disk; at most {MaxMetrics}.");
        }

        if (begin.Year < 2000 || end.Year > 2199 || begin >= end || end - begin > TimeSpan.FromDays(400))
        {
            return Problems.Of(ProblemCodes.UnknownParameter, "from lies before to, both between the years 2000 and 2199, at most 400 days apart.");
        }

        var seconds = step ?? (int)Math.Max(LeastStep, Math.Ceiling((end - begin).TotalSeconds / MaxPoints / LeastStep) * LeastStep);
        if (seconds < LeastStep || (end - begin).TotalSeconds / seconds > MaxPoints)
        {
            return Problems.Of(ProblemCodes.TooManyPoints, $"At most {MaxPoints} buckets of at least {LeastStep} s: for this range take a step of at least {Math.Max(LeastStep, Math.Ceiling((end - begin).TotalSeconds / MaxPoints))} s.");
        }

        // Buckets lie on whole multiples of the step, so that two answers for overlapping ranges agree.
        begin = DateTimeOffset.FromUnixTimeSeconds(begin.ToUnixTimeSeconds() / seconds * seconds);
        var count = (int)Math.Ceiling((end - begin).TotalSeconds / seconds);
        end = begin.AddSeconds((double)count * seconds);
        var cluster = await ClusterList.Summaries(db, db.Set<ClusterOverview>().AsNoTracking().Where(row => row.ClusterId == id)).SingleOrDefaultAsync(cancellationToken);
        if (cluster is null)
        {
            return Problems.NotFound();
        }

        var buckets = new Buckets(names, begin, seconds, count, TimeSpan.FromSeconds(2.5 * cluster.ExpectedEverySeconds));
        await ReadAsync(db, id, begin, end, buckets, cancellationToken);
        var series = buckets.Series();
        if (Csv.IsWanted(request))
        {
            return Csv.File(string.Create(CultureInfo.InvariantCulture, $"history-{id}"), series.SelectMany(one =>
                Enumerable.Range(0, count).Select(i => new HistoryRow(begin.AddSeconds((double)i * seconds), one.Metric, one.Values[i], one.Least[i], one.Greatest[i]))));
        }

        var marks = await EventsApi.MarksAsync(db, id, begin, end, MaxMarks, cancellationToken);
        return TypedResults.Ok(new HistoryDocument(begin, end, seconds, time.GetUtcNow() - HistoryBlock.Kept, buckets.Found, series, marks));
    }

    private static async Task ReadAsync(ControlPlaneDbContext db, Guid id, DateTimeOffset begin, DateTimeOffset end, Buckets buckets, CancellationToken cancellationToken)
    {
        var first = begin - HistoryBlock.Length;
        var blocks = db.Set<HistoryBlock>().AsNoTracking().Where(row => row.ClusterId == id && row.FromAt > first && row.FromAt < end).OrderBy(row => row.FromAt).Select(row => row.Data);
        await foreach (var data in blocks.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            SampleBlock.OpenSealed(data, buckets.Add);
        }

        if (await db.Set<StoredHealth>().AsNoTracking().Where(row => row.ClusterId == id).Select(row => row.Samples).SingleOrDefaultAsync(cancellationToken) is { } open)
        {
            SampleBlock.Read(open, buckets.Add);
        }
    }
}
