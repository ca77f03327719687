using System.Runtime.InteropServices;
using Microsoft.EntityFrameworkCore;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Meters;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Usage;

/// <summary>What sums are told apart by, besides meter and time.</summary>
[Flags]
internal enum ApartBy
{
    Nothing = 0,
    Cluster = 1,
    Customer = 2,
    Environment = 4,
}

/// <summary>Whose a sum is.</summary>
/// <param name="Meter">The meter's key.</param>
/// <param name="Version">Its version.</param>
/// <param name="Owner">The cluster or customer, where they are told apart; else empty.</param>
/// <param name="Environment">The environment, where they are told apart; else empty.</param>
internal sealed record UsageKey(string Meter, int Version, Guid Owner, string Environment);

/// <summary>The quantities of one key: value × 10^scale of the meter's version.</summary>
internal sealed class UsageTotals
{
    /// <summary>By the first hour of each bucket of time that has any.</summary>
    public Dictionary<int, Int128> Buckets { get; } = [];

    /// <summary>Of the whole span.</summary>
    public Int128 Whole { get; set; }
}

/// <summary>
/// Quantities from effective windows. What adds up is added by the database, in two 64-bit halves, because the engines differ in what an
/// overflow of SUM does; what does not simply add up is made here, as for a bill. The answer is the same on all engines.
/// </summary>
/// <param name="db">The context.</param>
/// <param name="windows">The windows that count.</param>
/// <param name="watermark">The same as theirs.</param>
/// <param name="meters">All meters.</param>
internal sealed class UsageSums(ControlPlaneDbContext db, IQueryable<EffectiveWindow> windows, long? watermark, IReadOnlyDictionary<(string Key, int Version), Meter> meters)
{
    private const long Half = 1_000_000_000;

    /// <summary>Of one environment alone.</summary>
    public string? Environment { get; init; }

    /// <summary>Of one meter alone.</summary>
    public string? Meter { get; init; }

    /// <summary>Most rows that are read.</summary>
    public int Most { get; init; } = int.MaxValue - 1;

    /// <summary>Sums by key.</summary>
    /// <param name="apart">What they are told apart by.</param>
    /// <param name="step">Hours that every bucket is made of: 1 or 24.</param>
    /// <param name="bucketOf">The first hour of the bucket that an hour lies in; of a day that begins before the first bucket, the first.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null when more rows than allowed would have to be read.</returns>
    public async Task<IReadOnlyDictionary<UsageKey, UsageTotals>?> ReadAsync(ApartBy apart, int step, Func<int, int> bucketOf, CancellationToken cancellationToken)
    {
        var totals = new Dictionary<UsageKey, UsageTotals>();
        var cells = EffectiveWindows.Cells(db, windows, watermark);
        cells = Environment is null ? cells : cells.Where(cell => cell.Environment == Environment);
        cells = Meter is null ? cells : cells.Where(cell => cell.Meter == Meter);

        // A meter of which one version does not simply add up is read by the hour in all of them.
        var special = meters.Values.Where(meter => !AddsUp(meter.Aggregation)).Select(meter => meter.Key).Distinct().ToList();
        var added = await RowsAsync(cells.Where(cell => !special.Contains(cell.Meter)), apart, step, cancellationToken);
        foreach (var row in added)
        {
            Add(totals, row, bucketOf(row.Hour));
        }

        if (special.Count > 0 && (Meter is null || special.Contains(Meter)))
        {
            var values = await cells.Where(cell => special.Contains(cell.Meter))
                .Select(cell => new Value(cell.Meter, cell.MeterVersion, cell.ClusterId, cell.CustomerId, cell.Environment, cell.DimensionHash, cell.Hour, cell.Quantity)).Take(Most + 1).ToListAsync(cancellationToken);
            if (values.Count > Most)
            {
                return null;
            }

            await AddSpecialAsync(totals, values, apart, step, bucketOf, cancellationToken);
        }

        return added.Count > Most ? null : totals;
    }

    private static bool AddsUp(Aggregation aggregation) => aggregation is Aggregation.Sum or Aggregation.UnitSeconds;

    // Marks, levels and counts of a period: by the rule that bills are made by, each bucket for itself and all of them together.
    private async Task AddSpecialAsync(Dictionary<UsageKey, UsageTotals> totals, List<Value> values, ApartBy apart, int step, Func<int, int> bucketOf, CancellationToken cancellationToken)
    {
        var (ofBucket, ofAll) = await LastHoursAsync([.. values.Where(value => meters[(value.Meter, value.Version)].Aggregation == Aggregation.Last).Select(value => value.Cluster).Distinct()], step, bucketOf, cancellationToken);
        foreach (var group in values.GroupBy(value => new UsageKey(
            value.Meter, value.Version, apart.HasFlag(ApartBy.Customer) ? value.Customer : apart.HasFlag(ApartBy.Cluster) ? value.Cluster : Guid.Empty, apart.HasFlag(ApartBy.Environment) ? value.Environment : "")))
        {
            var meter = meters[(group.Key.Meter, group.Key.Version)];
            var of = Of(totals, group.Key);
            foreach (var bucket in group.GroupBy(value => bucketOf(value.Hour)))
            {
                of.Buckets[bucket.Key] = Total(meter, bucket, ofBucket.GetValueOrDefault(bucket.Key, ofAll));
            }

            of.Whole = Total(meter, group, ofAll);
        }

        static Int128 Total(Meter meter, IEnumerable<Value> values, Dictionary<Guid, int> lastHours) =>
            Aggregate.Total(Meters.Meter.Word(meter.Aggregation), values.Select(value => new MeterValue(value.Cluster, value.Series, value.Hour, value.Quantity, meter.Scale)), lastHours) / Rounding.Power(Rounding.PriceScale - meter.Scale);
    }

    /// <summary>The newest hour that each cluster sent, in each bucket and of all, whatever it says of a meter.</summary>
    private async Task<(Dictionary<int, Dictionary<Guid, int>> OfBucket, Dictionary<Guid, int> OfAll)> LastHoursAsync(List<Guid> clusters, int step, Func<int, int> bucketOf, CancellationToken cancellationToken)
    {
        var (ofBucket, ofAll) = (new Dictionary<int, Dictionary<Guid, int>>(), new Dictionary<Guid, int>());
        foreach (var some in clusters.Chunk(1000))
        {
            var last = windows.Where(window => some.Contains(window.ClusterId)).GroupBy(window => new { window.ClusterId, Bucket = window.Hour / step }).Select(group => new { group.Key.ClusterId, Hour = group.Max(window => window.Hour) });
            await foreach (var window in last.AsAsyncEnumerable().WithCancellation(cancellationToken))
            {
                var bucket = CollectionsMarshal.GetValueRefOrAddDefault(ofBucket, bucketOf(window.Hour), out _) ??= [];
                bucket[window.ClusterId] = Math.Max(bucket.GetValueOrDefault(window.ClusterId, int.MinValue), window.Hour);
                ofAll[window.ClusterId] = Math.Max(ofAll.GetValueOrDefault(window.ClusterId, int.MinValue), window.Hour);
            }
        }

        return (ofBucket, ofAll);
    }

    private static void Add(Dictionary<UsageKey, UsageTotals> totals, Row row, int bucket)
    {
        var of = Of(totals, row.Key);
        of.Buckets[bucket] = of.Buckets.GetValueOrDefault(bucket) + row.Scaled;
        of.Whole += row.Scaled;
    }

    private static UsageTotals Of(Dictionary<UsageKey, UsageTotals> totals, UsageKey key) => CollectionsMarshal.GetValueRefOrAddDefault(totals, key, out _) ??= new UsageTotals();

    private Task<List<Row>> RowsAsync(IQueryable<LedgerCell> cells, ApartBy apart, int step, CancellationToken cancellationToken)
    {
        var byCluster = apart.HasFlag(ApartBy.Cluster);
        var byCustomer = apart.HasFlag(ApartBy.Customer);
        var byEnvironment = apart.HasFlag(ApartBy.Environment);
        var none = Guid.Empty;
        return cells.GroupBy(cell => new
        {
            cell.Meter,
            cell.MeterVersion,
            Bucket = cell.Hour / step,
            Cluster = byCluster ? cell.ClusterId : none,
            Customer = byCustomer ? cell.CustomerId : none,
            Environment = byEnvironment ? cell.Environment : "",
        }).Select(group => new Row
        {
            Meter = group.Key.Meter,
            Version = group.Key.MeterVersion,
            Hour = group.Key.Bucket * step,
            Owner = byCustomer ? group.Key.Customer : group.Key.Cluster,
            Environment = group.Key.Environment,
            High = group.Sum(cell => cell.Quantity / Half),
            Low = group.Sum(cell => cell.Quantity % Half),
        }).Take(Most + 1).ToListAsync(cancellationToken);
    }

    private sealed class Row
    {
        public required string Meter { get; init; }

        public required int Version { get; init; }

        public required int Hour { get; init; }

        public required Guid Owner { get; init; }

        public required string Environment { get; init; }

        public required long High { get; init; }

        public required long Low { get; init; }

        public UsageKey Key => new(Meter, Version, Owner, Environment);

        public Int128 Scaled => ((Int128)High * Half) + Low;
    }

    private sealed record Value(string Meter, int Version, Guid Cluster, Guid Customer, string Environment, long Series, int Hour, long Quantity);
}
