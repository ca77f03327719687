using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Changes;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Meters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Usage;

/// <summary><c>GET /api/v1/licensing/usage</c>: consumption as it is known now, or as it was known at a watermark.</summary>
internal static class UsageApi
{
    private const int MaxRows = 100_000;

    /// <summary>How long after its end a window is given to arrive before it counts as missing.</summary>
    private const int GraceHours = 1;

    public static void Map(IEndpointRouteBuilder api) => api
        .MapGet("/usage", GetAsync).RequireScope("licensing:read").ShowsClusterAskedFor(static (db, id) => db.Set<LedgerCluster>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId)).WithName("GetUsage").WithSummary("Consumption by hour, day or month, and what is missing from it").Lists((UsageReport report) => report.GroupBy is "cluster" or "customer" ? report.Series.Select(one => one.Group).OfType<string>() : []).Produces<UsageReport>().Produces(StatusCodes.Status304NotModified);

    /// <summary>The hour before which every window should have come.</summary>
    public static int DueHour(DateTimeOffset now) => UsageWindow.HourOf(now) - GraceHours;

    private static async Task<IResult> GetAsync(
        HttpContext http, ControlPlaneDbContext db, TimeProvider time, Guid? customer, Guid? cluster, string? environment, string? meter,
        DateTimeOffset? from, DateTimeOffset? to, string? granularity, string? groupBy, string? asOf, CancellationToken cancellationToken)
    {
        var (query, errors) = UsageQuery.Read(from, to, granularity, groupBy, time.GetUtcNow());
        if (query is null)
        {
            return Problems.Invalid(errors);
        }

        customer ??= db.Scope.IsAll ? null : db.Scope.CustomerId;
        var (then, error) = await AsOf.ReadAsync(asOf, db, time.GetUtcNow(), cancellationToken);
        if (error is not null || (then is not null && customer is null && cluster is null))
        {
            return Problems.Invalid([error ?? new FieldError("asOf", "too-wide", "asOf needs a customer or a cluster.")]);
        }

        // Sums and completeness are of one moment: hours that are said to have come are in the sums.
        await using var snapshot = await db.BeginSnapshotAsync(cancellationToken);
        var newest = await ChangeStream.ReadAsync(db, cancellationToken);
        var clusters = db.Set<LedgerCluster>().AsNoTracking();
        var ledgers = db.Set<ClusterLedger>().AsNoTracking();
        var waiting = db.Set<WaitingWindow>().AsNoTracking();
        if (customer is not null)
        {
            clusters = clusters.Where(row => row.CustomerId == customer);
            ledgers = ledgers.Where(row => row.CustomerId == customer);
            waiting = waiting.Where(row => row.CustomerId == customer);
        }

        if (cluster is not null)
        {
            clusters = clusters.Where(row => row.Id == cluster);
            ledgers = ledgers.Where(row => row.ClusterId == cluster);
            waiting = waiting.Where(row => row.ClusterId == cluster);
        }

        // All that the answer is made of, and that is enough to know that it is the same: windows, what waits, clusters, the hour.
        var due = DueHour(then?.At ?? time.GetUtcNow());
        var watermark = then?.Seq ?? newest.Seq;
        var waits = await waiting.LongCountAsync(cancellationToken);
        var states = await clusters.SumAsync(row => row.Version, cancellationToken);
        var tag = Etags.OfText(string.Create(CultureInfo.InvariantCulture, $"{customer} {http.Request.QueryString.Value} {query.FromHour} {query.ToHour} {watermark} {due} {waits} {states}"));
        http.Response.Headers.ETag = tag;
        if (Etags.IsKnown(http.Request, tag))
        {
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        }

        var windows = EffectiveWindows.Of(db, query.FromHour, query.ToHour, then?.Seq, customer, cluster is { } one ? [one] : null);
        var meters = await Meters.Meters.AllAsync(db, cancellationToken);
        var apart = query.GroupBy switch { "cluster" => ApartBy.Cluster, "customer" => ApartBy.Customer, "environment" => ApartBy.Environment, _ => ApartBy.Nothing };
        var sums = await new UsageSums(db, windows, then?.Seq, meters) { Environment = environment, Meter = meter, Most = MaxRows }
            .ReadAsync(apart, query.Step, hour => query.BucketOf(Math.Max(query.FromHour, hour)), cancellationToken);
        if (sums is null)
        {
            return Problems.Of(ProblemCodes.TooManyPoints, "Choose a coarser granularity, a shorter span, one customer or one meter.");
        }

        var hours = then is null
            ? await UsageHours.NowAsync(db, windows, ledgers, query, due, cancellationToken)
            : await UsageHours.ThenAsync(db, windows, then.Seq, ledgers, query, due, cancellationToken);
        var spoken = await SpokenAsync(windows, sums, query, cancellationToken);
        return TypedResults.Ok(new UsageReport(
            UsageWindow.StartOf(query.FromHour), UsageWindow.StartOf(query.ToHour), query.Granularity, query.GroupBy, hours.CompleteThrough, hours.ReceivedThrough, hours.All, waits,
            [.. query.Starts.Select((start, i) => new UsageBucket(UsageWindow.StartOf(start), hours.Buckets[i]))], Series(sums, spoken, hours, meters, query), watermark, then?.At ?? newest.At));
    }

    /// <summary>In which buckets each cluster or customer of the sums sent a window; empty where they are not grouped by those.</summary>
    private static async Task<HashSet<(Guid Owner, int Bucket)>> SpokenAsync(IQueryable<EffectiveWindow> windows, IReadOnlyDictionary<UsageKey, UsageTotals> sums, UsageQuery query, CancellationToken cancellationToken)
    {
        var spoken = new HashSet<(Guid Owner, int Bucket)>();
        if (!IsOwned(query))
        {
            return spoken;
        }

        var step = query.Step;
        foreach (var owners in sums.Keys.Select(key => key.Owner).Distinct().Chunk(1000))
        {
            var keys = query.GroupBy == "cluster"
                ? windows.Where(window => owners.Contains(window.ClusterId)).Select(window => new { Owner = window.ClusterId, Bucket = window.Hour / step })
                : windows.Where(window => owners.Contains(window.CustomerId)).Select(window => new { Owner = window.CustomerId, Bucket = window.Hour / step });
            await foreach (var key in keys.Distinct().AsAsyncEnumerable().WithCancellation(cancellationToken))
            {
                spoken.Add((key.Owner, query.BucketOf(Math.Max(query.FromHour, key.Bucket * step))));
            }
        }

        return spoken;
    }

    private static bool IsOwned(UsageQuery query) => query.GroupBy is "cluster" or "customer";

    private static List<UsageSeries> Series(
        IReadOnlyDictionary<UsageKey, UsageTotals> sums, HashSet<(Guid Owner, int Bucket)> spoken, UsageHours hours, Dictionary<(string Key, int Version), Meter> meters, UsageQuery query)
    {
        var series = new List<UsageSeries>();
        foreach (var (key, totals) in sums.OrderBy(sum => sum.Key.Meter, StringComparer.Ordinal).ThenBy(sum => sum.Key.Version).ThenBy(sum => sum.Key.Owner).ThenBy(sum => sum.Key.Environment, StringComparer.Ordinal))
        {
            var meter = meters[(key.Meter, key.Version)];
            series.Add(new UsageSeries(
                meter.Key, meter.MeterVersion, meter.Unit, Meter.Word(meter.Aggregation),
                query.GroupBy switch { "none" => null, "environment" => key.Environment, _ => key.Owner.ToString("D") },
                [.. query.Starts.Select((_, i) => totals.Buckets.TryGetValue(i, out var known) ? Quantity.Format(known, meter.Scale) : Spoke(key.Owner, i) ? Quantity.Format(0, meter.Scale) : null)],
                Quantity.Format(totals.Whole, meter.Scale)));
        }

        return series;

        // Nothing of a meter is zero only where its cluster or customer sent a window; the others' windows say nothing of it.
        bool Spoke(Guid owner, int bucket) => IsOwned(query) ? spoken.Contains((owner, bucket)) : hours.Buckets[bucket].ReceivedHours > 0;
    }
}
