using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Meters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Security;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Usage;

/// <summary>
/// <c>GET /api/v1/licensing/usage</c>. Sums are made of two 64-bit halves in the database and of 128 bits here, because the engines
/// differ in what an overflow of SUM does; the answer is the same on all of them.
/// </summary>
internal static class UsageApi
{
    private const long Half = 1_000_000_000;
    private const int MaxRows = 100_000;

    /// <summary>How long after its end a window is given to arrive before it counts as missing.</summary>
    private const int GraceHours = 1;

    public static void Map(IEndpointRouteBuilder api) => api
        .MapGet("/usage", GetAsync).RequireScope("licensing:read").ShowsClusterAskedFor(static (db, id) => db.Set<LedgerCluster>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId)).WithName("GetUsage").WithSummary("Consumption by hour, day or month, and what is missing from it").Lists((UsageReport report) => report.GroupBy is "cluster" or "customer" ? report.Series.Select(one => one.Group).OfType<string>() : []).Produces<UsageReport>();

    /// <summary>The hour before which every window should have come.</summary>
    public static int DueHour(DateTimeOffset now) => UsageWindow.HourOf(now) - GraceHours;

    private static async Task<IResult> GetAsync(
        ControlPlaneDbContext db, TimeProvider time, Guid? customer, Guid? cluster, string? environment, string? meter,
        DateTimeOffset? from, DateTimeOffset? to, string? granularity, string? groupBy, CancellationToken cancellationToken)
    {
        var (query, errors) = UsageQuery.Read(from, to, granularity, groupBy, time.GetUtcNow());
        if (query is null)
        {
            return Problems.Invalid(errors);
        }

        // Sums and completeness are of one moment: hours that are said to have come are in the sums.
        await using var snapshot = await db.BeginSnapshotAsync(cancellationToken);
        var heads = db.Set<WindowHead>().AsNoTracking().Where(head => head.Hour >= query.FromHour && head.Hour < query.ToHour);
        var ledgers = db.Set<ClusterLedger>().AsNoTracking();
        var waiting = db.Set<WaitingWindow>().AsNoTracking();
        if (customer is not null)
        {
            heads = heads.Where(head => head.CustomerId == customer);
            ledgers = ledgers.Where(row => row.CustomerId == customer);
            waiting = waiting.Where(row => row.CustomerId == customer);
        }

        if (cluster is not null)
        {
            heads = heads.Where(head => head.ClusterId == cluster);
            ledgers = ledgers.Where(row => row.ClusterId == cluster);
            waiting = waiting.Where(row => row.ClusterId == cluster);
        }

        var sums = await SumsAsync(db, heads, query, environment, meter, cancellationToken);
        if (sums.Count > MaxRows)
        {
            return Problems.Of(ProblemCodes.TooManyPoints, "Choose a coarser granularity, a shorter span, one customer or one meter.");
        }

        var meters = await Meters.Meters.AllAsync(db, cancellationToken);
        var hours = await HoursAsync(db, heads, ledgers, query, DueHour(time.GetUtcNow()), cancellationToken);
        var spoken = await SpokenAsync(heads, sums, query, cancellationToken);
        return TypedResults.Ok(new UsageReport(
            UsageWindow.StartOf(query.FromHour), UsageWindow.StartOf(query.ToHour), query.Granularity, query.GroupBy, hours.CompleteThrough, hours.ReceivedThrough, hours.All, await waiting.LongCountAsync(cancellationToken),
            [.. query.Starts.Select((start, i) => new UsageBucket(UsageWindow.StartOf(start), hours.Buckets[i]))], Series(sums, spoken, hours, meters, query)));
    }

    private static Task<List<SumRow>> SumsAsync(ControlPlaneDbContext db, IQueryable<WindowHead> heads, UsageQuery query, string? environment, string? meter, CancellationToken cancellationToken)
    {
        var cells = db.Set<LedgerCell>().AsNoTracking().Where(cell => cell.Hour >= query.FromHour && cell.Hour < query.ToHour);
        cells = environment is null ? cells : cells.Where(cell => cell.Environment == environment);
        cells = meter is null ? cells : cells.Where(cell => cell.Meter == meter);

        // Only the head of an hour counts, and a head is found by its whole key. Months are made of days in process.
        var step = query.Granularity == "hour" ? 1 : 24;
        var byCluster = query.GroupBy == "cluster";
        var byCustomer = query.GroupBy == "customer";
        var byEnvironment = query.GroupBy == "environment";
        var none = Guid.Empty;
        return (from cell in cells
                join head in heads on new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision } equals new { head.ClusterId, head.Hour, head.Epoch, head.Revision }
                group cell by new
                {
                    cell.Meter,
                    cell.MeterVersion,
                    Bucket = cell.Hour / step,
                    Owner = byCluster ? cell.ClusterId : byCustomer ? cell.CustomerId : none,
                    Environment = byEnvironment ? cell.Environment : "",
                }
                into cellsOf
                select new SumRow
                {
                    Meter = cellsOf.Key.Meter,
                    Version = cellsOf.Key.MeterVersion,
                    Bucket = cellsOf.Key.Bucket,
                    Owner = cellsOf.Key.Owner,
                    Environment = cellsOf.Key.Environment,
                    High = cellsOf.Sum(cell => cell.Quantity / Half),
                    Low = cellsOf.Sum(cell => cell.Quantity % Half),
                    Max = cellsOf.Max(cell => cell.Quantity),
                }).Take(MaxRows + 1).ToListAsync(cancellationToken);
    }

    /// <summary>In which buckets each cluster or customer of the sums sent a window; empty where they are not grouped by those.</summary>
    private static async Task<HashSet<(Guid Owner, int Bucket)>> SpokenAsync(IQueryable<WindowHead> heads, List<SumRow> sums, UsageQuery query, CancellationToken cancellationToken)
    {
        var spoken = new HashSet<(Guid Owner, int Bucket)>();
        if (!IsOwned(query))
        {
            return spoken;
        }

        var step = query.Granularity == "hour" ? 1 : 24;
        foreach (var owners in sums.Select(row => row.Owner).Distinct().Chunk(1000))
        {
            var keys = query.GroupBy == "cluster"
                ? heads.Where(head => owners.Contains(head.ClusterId)).Select(head => new { Owner = head.ClusterId, Bucket = head.Hour / step })
                : heads.Where(head => owners.Contains(head.CustomerId)).Select(head => new { Owner = head.CustomerId, Bucket = head.Hour / step });
            await foreach (var key in keys.Distinct().AsAsyncEnumerable().WithCancellation(cancellationToken))
            {
                spoken.Add((key.Owner, query.BucketOf(Math.Max(query.FromHour, key.Bucket * step))));
            }
        }

        return spoken;
    }

    private static bool IsOwned(UsageQuery query) => query.GroupBy is "cluster" or "customer";

    private static async Task<Hours> HoursAsync(ControlPlaneDbContext db, IQueryable<WindowHead> heads, IQueryable<ClusterLedger> ledgers, UsageQuery query, int due, CancellationToken cancellationToken)
    {
        var hours = new Hours(query);
        var received = await heads.GroupBy(head => new { head.Hour, head.Complete }).Select(group => new { group.Key.Hour, group.Key.Complete, Count = group.LongCount() }).ToListAsync(cancellationToken);
        received.ForEach(row => hours.Received(row.Hour, row.Count, row.Complete));
        var disputed =
            from head in heads
            join aside in db.Set<QuarantinedWindow>().AsNoTracking() on new { head.ClusterId, head.Hour, head.Epoch, head.Revision } equals new { aside.ClusterId, aside.Hour, aside.Epoch, aside.Revision }
            where aside.Problem == QuarantinedWindow.RevisionConflict && aside.DecidedAt == null
            select new { head.ClusterId, head.Hour };
        (await disputed.Distinct().ToListAsync(cancellationToken)).ForEach(row => hours.Disputed(row.Hour));
        var parked =
            from head in heads
            join cell in db.Set<ParkedCell>().AsNoTracking() on new { head.ClusterId, head.Hour, head.Epoch, head.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
            select new { head.ClusterId, head.Hour };
        (await parked.Distinct().ToListAsync(cancellationToken)).ForEach(row => hours.Parked(row.Hour));

        var expected = from ledger in ledgers join cluster in db.Set<LedgerCluster>().AsNoTracking() on ledger.ClusterId equals cluster.Id select new { ledger.Coverage, ledger.ReceivedAt, cluster.EndedAt };
        await foreach (var row in expected.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            hours.Cluster(Coverage.FromBytes(row.Coverage), row.ReceivedAt, row.EndedAt is { } end ? Math.Min(due, UsageWindow.HourOf(end)) : due);
        }

        return hours;
    }

    private static List<UsageSeries> Series(List<SumRow> sums, HashSet<(Guid Owner, int Bucket)> spoken, Hours hours, Dictionary<(string Key, int Version), Meter> meters, UsageQuery query)
    {
        var series = new List<UsageSeries>();
        foreach (var group in sums.GroupBy(row => (row.Meter, row.Version, row.Owner, row.Environment)).OrderBy(group => group.Key.Meter, StringComparer.Ordinal).ThenBy(group => group.Key.Version))
        {
            var meter = meters[(group.Key.Meter, group.Key.Version)];
            var values = new Int128?[query.Starts.Count];
            Int128? total = null;
            foreach (var row in group)
            {
                var bucket = query.BucketOf(Math.Max(query.FromHour, row.Bucket * (query.Granularity == "hour" ? 1 : 24)));
                values[bucket] = Together(meter, values[bucket], row);
                total = Together(meter, total, row);
            }

            series.Add(new UsageSeries(
                meter.Key, meter.MeterVersion, meter.Unit, Meter.Word(meter.Aggregation),
                query.GroupBy switch { "none" => null, "environment" => group.Key.Environment, _ => group.Key.Owner.ToString("D") },
                [.. values.Select((value, i) => value is { } known ? Quantity.Format(known, meter.Scale) : Spoke(group.Key.Owner, i) ? Quantity.Format(0, meter.Scale) : null)],
                Quantity.Format(total ?? 0, meter.Scale)));
        }

        return series;

        // Nothing of a meter is zero only where its cluster or customer sent a window; the others' windows say nothing of it.
        bool Spoke(Guid owner, int bucket) => IsOwned(query) ? spoken.Contains((owner, bucket)) : hours.Buckets[bucket].ReceivedHours > 0;
    }

    private static Int128 Together(Meter meter, Int128? before, SumRow row) => meter.Aggregation == Aggregation.Max
        ? Int128.Max(before ?? 0, row.Max)
        : (before ?? 0) + ((Int128)row.High * Half) + row.Low;

    private sealed class SumRow
    {
        public required string Meter { get; init; }

        public required int Version { get; init; }

        public required int Bucket { get; init; }

        public required Guid Owner { get; init; }

        public required string Environment { get; init; }

        public required long High { get; init; }

        public required long Low { get; init; }

        public required long Max { get; init; }
    }

    /// <summary>Counts the hours behind the numbers.</summary>
    private sealed class Hours(UsageQuery query)
    {
        private readonly UsageCompleteness[] buckets = [.. query.Starts.Select(_ => new UsageCompleteness(0, 0, 0, 0, 0))];
        private bool someNeverReported;

        public IReadOnlyList<UsageCompleteness> Buckets => buckets;

        public DateTimeOffset? ReceivedThrough { get; private set; }

        public DateTimeOffset? CompleteThrough { get => someNeverReported ? null : field; private set; }

        public UsageCompleteness All => new(
            buckets.Sum(one => one.ReceivedHours), buckets.Sum(one => one.MissingHours), buckets.Sum(one => one.IncompleteHours), buckets.Sum(one => one.DisputedHours), buckets.Sum(one => one.ParkedHours));

        public void Received(int hour, long count, bool complete)
        {
            ref var bucket = ref buckets[query.BucketOf(hour)];
            bucket = bucket with { ReceivedHours = bucket.ReceivedHours + count, IncompleteHours = bucket.IncompleteHours + (complete ? 0 : count) };
        }

        public void Disputed(int hour)
        {
            ref var bucket = ref buckets[query.BucketOf(hour)];
            bucket = bucket with { DisputedHours = bucket.DisputedHours + 1 };
        }

        public void Parked(int hour)
        {
            ref var bucket = ref buckets[query.BucketOf(hour)];
            bucket = bucket with { ParkedHours = bucket.ParkedHours + 1 };
        }

        public void Cluster(Coverage coverage, DateTimeOffset? receivedAt, int due)
        {
            ReceivedThrough = ReceivedThrough is { } newest && !(receivedAt > newest) ? newest : receivedAt;
            someNeverReported |= coverage.Newest < coverage.From;
            var through = UsageWindow.StartOf(coverage.CompleteThrough + 1);
            CompleteThrough = CompleteThrough is { } least && least < through ? least : through;
            foreach (var (first, last) in coverage.Missing(query.FromHour, query.ToHour, due))
            {
                for (var hour = first; hour <= last;)
                {
                    var index = query.BucketOf(hour);
                    var end = index + 1 < query.Starts.Count ? Math.Min(last, query.Starts[index + 1] - 1) : last;
                    buckets[index] = buckets[index] with { MissingHours = buckets[index].MissingHours + end - hour + 1 };
                    hour = end + 1;
                }
            }
        }
    }
}
