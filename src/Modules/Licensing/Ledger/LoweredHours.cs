using Microsoft.EntityFrameworkCore;
using MissionControl.Licensing.Meters;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Ledger;

/// <summary>What hours said that a group of windows says anew: a revision that lowers one by much, below the most that it ever said, counts as any other, but nobody shall miss it.</summary>
internal sealed class LoweredHours
{
    /// <summary>A tenth, in thousandths.</summary>
    public const int Tolerated = 100;

    private const long Half = 1_000_000_000;
    // What one statement reads.
    private const int HoursAtOnce = 500;
    private const int ClustersAtOnce = 20;

    private readonly Dictionary<(Guid Cluster, int Hour), Dictionary<string, Int128>> most = [];

    /// <summary>Reads the most that these hours ever said, by meter: a revision that says the same lower amount again, or one that lowers it step by step, hides nothing.</summary>
    public static async Task<LoweredHours> LoadAsync(ControlPlaneDbContext db, IReadOnlyList<(Guid Cluster, int Hour)> hours, CancellationToken cancellationToken)
    {
        var known = new LoweredHours();
        if (hours.Count == 0)
        {
            return known;
        }

        var meters = await Meters.Meters.AllAsync(db, cancellationToken);

        // Each cluster with its own hours: what others say of those is not read.
        foreach (var clusters in hours.OrderBy(one => one.Cluster).Chunk(HoursAtOnce).SelectMany(some => some.GroupBy(one => one.Cluster, one => one.Hour).Chunk(ClustersAtOnce)))
        {
            var cells = clusters.Select(cluster => Cells(db, cluster.Key, [.. cluster])).Aggregate((all, more) => all.Concat(more));
            var sums = cells.GroupBy(cell => new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision, cell.Meter, cell.MeterVersion })
                .Select(group => new { group.Key, High = group.Sum(cell => cell.Quantity / Half), Low = group.Sum(cell => cell.Quantity % Half) });
            foreach (var said in (await sums.ToListAsync(cancellationToken)).GroupBy(row => (row.Key.ClusterId, row.Key.Hour, row.Key.Epoch, row.Key.Revision)))
            {
                var totals = new Dictionary<string, Int128>(StringComparer.Ordinal);
                foreach (var row in said)
                {
                    Add(totals, row.Key.Meter, ((Int128)row.High * Half) + row.Low, meters[(row.Key.Meter, row.Key.MeterVersion)].Scale);
                }

                known.Keep((said.Key.ClusterId, said.Key.Hour), totals);
            }
        }

        return known;
    }

    /// <summary>By how many thousandths, begun ones included, a window lowers the meter that it lowers most; 0: none.</summary>
    /// <param name="cluster">Its cluster.</param>
    /// <param name="old">What counted until now, if the same group brought it.</param>
    /// <param name="now">What counts from now on.</param>
    /// <param name="meters">All meters.</param>
    public int By(Guid cluster, UsageWindow? old, UsageWindow now, IReadOnlyDictionary<(string Key, int Version), Meter> meters)
    {
        if (old is not null)
        {
            Keep((cluster, now.Hour), Totals(old, meters));
        }

        if (!most.TryGetValue((cluster, now.Hour), out var was))
        {
            return 0;
        }

        var becomes = Totals(now, meters);
        return was.Where(one => one.Value > 0).Select(one => (int)Int128.Max(0, (((one.Value - becomes.GetValueOrDefault(one.Key)) * 1000) + one.Value - 1) / one.Value)).DefaultIfEmpty().Max();
    }

    private static IQueryable<LedgerCell> Cells(ControlPlaneDbContext db, Guid cluster, List<int> hours) =>
        db.Set<LedgerCell>().AsNoTracking().Where(cell => cell.ClusterId == cluster && hours.Contains(cell.Hour));

    private void Keep((Guid Cluster, int Hour) hour, Dictionary<string, Int128> totals)
    {
        if (!most.TryGetValue(hour, out var known))
        {
            most[hour] = known = new Dictionary<string, Int128>(StringComparer.Ordinal);
        }

        foreach (var (meter, total) in totals)
        {
            known[meter] = Int128.Max(total, known.GetValueOrDefault(meter));
        }
    }

    private static Dictionary<string, Int128> Totals(UsageWindow window, IReadOnlyDictionary<(string Key, int Version), Meter> meters)
    {
        var totals = new Dictionary<string, Int128>(StringComparer.Ordinal);
        foreach (var cell in window.Meters)
        {
            if (meters.TryGetValue((cell.Meter, cell.Version), out var meter) && Quantity.TryParse(cell.Quantity, meter.Scale, out var scaled))
            {
                Add(totals, cell.Meter, scaled, meter.Scale);
            }
        }

        return totals;
    }

    // Versions of a meter may differ in their digits.
    private static void Add(Dictionary<string, Int128> totals, string meter, Int128 scaled, int scale) =>
        totals[meter] = totals.GetValueOrDefault(meter) + (scaled * Rounding.Power(Quantity.MaxScale - scale));
}
