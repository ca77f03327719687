using Microsoft.EntityFrameworkCore;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Meters;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary>A cluster of a contract, and the hours that are expected of it.</summary>
internal sealed record ContractCluster(Guid Id, int ExpectedFrom, int ExpectedTo);

/// <summary>
/// What a period of a contract is rated from, as it was known at a watermark: totals by meter and use, hours that are missing, and what
/// was estimated for them. What adds up is added by the database; the rest is made of its hours.
/// </summary>
internal sealed class PeriodInputs
{
    private const long Half = 1_000_000_000;
    private readonly Dictionary<(string Meter, Use Use, int Scale), (Int128 Firm, Int128 Estimated)> sums = [];

    private PeriodInputs()
    {
    }

    public IReadOnlyList<MeterTotal> Totals { get; private set; } = [];

    public IReadOnlyList<MissingHours> Missing { get; private set; } = [];

    public int ReceivedHours { get; private set; }

    public int IncompleteHours { get; private set; }

    public int MissingCount => Missing.Sum(gap => gap.Last - gap.First + 1);

    /// <summary>The clusters of a contract.</summary>
    public static async Task<IReadOnlyList<ContractCluster>> ClustersAsync(ControlPlaneDbContext db, Guid customer, IReadOnlyCollection<Guid>? only, CancellationToken cancellationToken)
    {
        var rows = from cluster in db.Set<LedgerCluster>().AsNoTracking()
                   join ledger in db.Set<ClusterLedger>().AsNoTracking() on cluster.Id equals ledger.ClusterId
                   where cluster.CustomerId == customer
                   select new { cluster.Id, cluster.EndedAt, ledger.Coverage };
        return [.. (await rows.ToListAsync(cancellationToken)).Where(row => only?.Contains(row.Id) ?? true)
            .Select(row => new ContractCluster(row.Id, Coverage.FromBytes(row.Coverage).From, row.EndedAt is { } ended ? UsageWindow.HourOf(ended) : int.MaxValue)).OrderBy(row => row.Id)];
    }

    /// <summary>Reads them.</summary>
    /// <param name="db">The context.</param>
    /// <param name="customer">The customer.</param>
    /// <param name="clusters">The contract's.</param>
    /// <param name="terms">What is agreed.</param>
    /// <param name="policy">What missing hours are.</param>
    /// <param name="period">Which hours.</param>
    /// <param name="watermark">As it was known then.</param>
    /// <param name="due">The hour before which every window should have come.</param>
    /// <param name="meters">All meters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<PeriodInputs> LoadAsync(
        ControlPlaneDbContext db, Guid customer, IReadOnlyList<ContractCluster> clusters, ContractTerms terms, MissingPolicy policy, RatingPeriod period, long watermark, int due,
        IReadOnlyDictionary<(string Key, int Version), Meter> meters, CancellationToken cancellationToken)
    {
        var inputs = new PeriodInputs();
        var ids = clusters.Select(cluster => cluster.Id).ToList();
        var windows = EffectiveWindows.Of(db, period.FromHour, period.ToHour, watermark, customer, ids);
        var came = await windows.Select(window => new { window.ClusterId, window.Hour, window.Complete }).ToListAsync(cancellationToken);
        (inputs.ReceivedHours, inputs.IncompleteHours) = (came.Count, came.Count(window => !window.Complete));
        var hours = came.ToLookup(window => window.ClusterId, window => window.Hour);
        var gaps = Gaps(clusters, hours, period, due);
        var special = meters.Values.Where(meter => meter.Aggregation is not (Aggregation.Sum or Aggregation.UnitSeconds)).Select(meter => meter.Key).Distinct().ToList();
        var cells = EffectiveWindows.Cells(db, windows, watermark);
        var added = cells.Where(cell => !special.Contains(cell.Meter)).GroupBy(cell => new { cell.Meter, cell.MeterVersion, cell.ClusterId, cell.Environment })
            .Select(group => new { group.Key, High = group.Sum(cell => cell.Quantity / Half), Low = group.Sum(cell => cell.Quantity % Half) });
        await foreach (var row in added.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            inputs.Add(row.Key.Meter, Uses.Of(terms, row.Key.ClusterId, row.Key.Environment), meters[(row.Key.Meter, row.Key.MeterVersion)].Scale, ((Int128)row.High * Half) + row.Low, 0);
        }

        var values = new List<Value>();
        if (special.Count > 0)
        {
            values = await ValuesAsync(cells.Where(cell => special.Contains(cell.Meter)), cancellationToken);
        }

        var like = policy == MissingPolicy.Carry && gaps.Count > 0 ? await LikeAsync(db, customer, ids, gaps, hours, watermark, period, cancellationToken) : [];
        var estimates = new List<Value>();
        var estimated = new Dictionary<(Guid Cluster, int First), HashSet<string>>();
        foreach (var (gap, source) in like)
        {
            // What counts up from the start of its month says nothing of another one.
            foreach (var value in source.Where(value => (value.Hour >= period.FromHour && value.Hour < period.ToHour) || meters[(value.Meter, value.Version)].Aggregation != Aggregation.PeriodCumulative))
            {
                (estimated.TryGetValue((gap.Cluster, gap.First), out var known) ? known : estimated[(gap.Cluster, gap.First)] = []).Add(value.Meter);
                if (special.Contains(value.Meter))
                {
                    estimates.AddRange(Enumerable.Range(gap.First, gap.Last - gap.First + 1).Select(hour => value with { Hour = hour }));
                }
                else
                {
                    inputs.Add(value.Meter, Uses.Of(terms, value.Cluster, value.Environment), meters[(value.Meter, value.Version)].Scale, 0, (Int128)value.Quantity * (gap.Last - gap.First + 1));
                }
            }
        }

        inputs.AddSpecial(values, estimates, terms, meters, hours, gaps);
        inputs.Totals = [.. inputs.sums.Select(sum => new MeterTotal(sum.Key.Meter, sum.Key.Use, sum.Key.Scale, sum.Value.Firm, sum.Value.Estimated))
            .OrderBy(total => total.Meter, StringComparer.Ordinal).ThenBy(total => total.Use).ThenBy(total => total.Scale)];
        inputs.Missing = [.. gaps.Select(gap => new MissingHours(gap.Cluster, gap.First, gap.Last, estimated.TryGetValue((gap.Cluster, gap.First), out var known) ? [.. known.Order(StringComparer.Ordinal)] : []))];
        return inputs;
    }

    private void Add(string meter, Use use, int scale, Int128 firm, Int128 estimated)
    {
        var (was, guessed) = sums.GetValueOrDefault((meter, use, scale));
        sums[(meter, use, scale)] = checked((was + firm, guessed + estimated));
    }

    // Versions of a meter that are of one kind belong together; what Aggregate makes has nine digits.
    private void AddSpecial(
        List<Value> values, List<Value> estimates, ContractTerms terms, IReadOnlyDictionary<(string Key, int Version), Meter> meters, ILookup<Guid, int> hours, IReadOnlyList<Gap> gaps)
    {
        var last = hours.ToDictionary(cluster => cluster.Key, cluster => cluster.Max());
        var guessed = new Dictionary<Guid, int>(last);
        foreach (var gap in gaps)
        {
            guessed[gap.Cluster] = Math.Max(guessed.GetValueOrDefault(gap.Cluster, int.MinValue), gap.Last);
        }

        var firm = values.ToLookup(KeyOf);
        var all = values.Concat(estimates).ToLookup(KeyOf);
        foreach (var group in all)
        {
            var word = Meter.Word(group.Key.Aggregation);
            var certain = firm[group.Key].Any() ? Aggregate.Total(word, firm[group.Key].Select(Of), last) : 0;
            var expected = estimates.Count == 0 ? certain : Aggregate.Total(word, group.Select(Of), guessed);
            Add(group.Key.Meter, group.Key.Use, Rounding.PriceScale, certain, expected - certain);
        }

        (string Meter, Use Use, Aggregation Aggregation) KeyOf(Value value) => (value.Meter, Uses.Of(terms, value.Cluster, value.Environment), meters[(value.Meter, value.Version)].Aggregation);

        MeterValue Of(Value value) => new(value.Cluster, value.Series, value.Hour, value.Quantity, meters[(value.Meter, value.Version)].Scale);
    }

    private static List<Gap> Gaps(IReadOnlyList<ContractCluster> clusters, ILookup<Guid, int> hours, RatingPeriod period, int due)
    {
        var gaps = new List<Gap>();
        foreach (var cluster in clusters)
        {
            var (from, to) = (Math.Max(period.FromHour, cluster.ExpectedFrom), Math.Min(period.ToHour, cluster.ExpectedTo));
            if (from >= to)
            {
                continue;
            }

            var coverage = Coverage.Begin(from);
            foreach (var hour in hours[cluster.Id].Order())
            {
                coverage.Add(hour);
            }

            gaps.AddRange(coverage.Missing(from, to, Math.Min(due, to)).Select(run => new Gap(cluster.Id, run.First, run.Last)));
        }

        return gaps;
    }

    /// <summary>What stands for each gap: the cells of the last hour that came before it; before the first of all, of the first after it.</summary>
    private static async Task<List<(Gap Gap, IReadOnlyList<Value> Source)>> LikeAsync(
        ControlPlaneDbContext db, Guid customer, List<Guid> ids, IReadOnlyList<Gap> gaps, ILookup<Guid, int> hours, long watermark, RatingPeriod period, CancellationToken cancellationToken)
    {
        var before = await EffectiveWindows.Of(db, 0, period.FromHour, watermark, customer, ids).GroupBy(window => window.ClusterId).Select(group => new { group.Key, Hour = group.Max(window => window.Hour) }).ToDictionaryAsync(row => row.Key, row => row.Hour, cancellationToken);
        var after = await EffectiveWindows.Of(db, period.ToHour, int.MaxValue, watermark, customer, ids).GroupBy(window => window.ClusterId).Select(group => new { group.Key, Hour = group.Min(window => window.Hour) }).ToDictionaryAsync(row => row.Key, row => row.Hour, cancellationToken);
        var like = new List<(Gap Gap, int? Hour)>();
        foreach (var gap in gaps)
        {
            var earlier = hours[gap.Cluster].Where(hour => hour < gap.First).Select(hour => (int?)hour).Max() ?? (before.TryGetValue(gap.Cluster, out var last) ? last : null);
            var later = hours[gap.Cluster].Where(hour => hour > gap.Last).Select(hour => (int?)hour).Min() ?? (after.TryGetValue(gap.Cluster, out var first) ? first : null);
            like.Add((gap, earlier ?? later));
        }

        var wanted = like.Where(one => one.Hour is not null).Select(one => one.Hour!.Value).Distinct().ToList();
        if (wanted.Count == 0)
        {
            return [];
        }

        var sources = EffectiveWindows.Of(db, wanted.Min(), wanted.Max() + 1, watermark, customer, ids);
        sources = wanted.Count <= 1000 ? sources.Where(window => wanted.Contains(window.Hour)) : sources;
        var cells = (await ValuesAsync(EffectiveWindows.Cells(db, sources, watermark), cancellationToken)).ToLookup(value => (value.Cluster, value.Hour));
        return like.ConvertAll(one => (one.Gap, one.Hour is { } hour ? (IReadOnlyList<Value>)[.. cells[(one.Gap.Cluster, hour)]] : []));
    }

    private static Task<List<Value>> ValuesAsync(IQueryable<LedgerCell> cells, CancellationToken cancellationToken) => cells
        .Select(cell => new Value(cell.ClusterId, cell.Environment, cell.Meter, cell.MeterVersion, cell.DimensionHash, cell.Hour, cell.Quantity)).ToListAsync(cancellationToken);

    private sealed record Gap(Guid Cluster, int First, int Last);

    private sealed record Value(Guid Cluster, string Environment, string Meter, int Version, long Series, int Hour, long Quantity);
}
