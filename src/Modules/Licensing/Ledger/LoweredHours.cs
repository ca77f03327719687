using Microsoft.EntityFrameworkCore;
using MissionControl.Licensing.Meters;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Ledger;

/// <summary>What hours said that a group of windows says anew: a revision that lowers one by much counts as any other, but nobody shall miss it.</summary>
internal sealed class LoweredHours
{
    /// <summary>A tenth, in thousandths.</summary>
    public const int Tolerated = 100;

    private const long Half = 1_000_000_000;
    private readonly Dictionary<(Guid Cluster, int Hour), Dictionary<string, Int128>> before = [];

    /// <summary>Nothing is said anew.</summary>
    public static LoweredHours None { get; } = new();

    /// <summary>Reads what these hours say so far, in one statement; none when there are none.</summary>
    public static async Task<LoweredHours> LoadAsync(ControlPlaneDbContext db, IReadOnlyList<(Guid Cluster, int Hour)> hours, CancellationToken cancellationToken)
    {
        if (hours.Count == 0)
        {
            return None;
        }

        var known = new LoweredHours();
        var (clusters, first, last) = (hours.Select(one => one.Cluster).Distinct().ToList(), hours.Min(one => one.Hour), hours.Max(one => one.Hour));
        var all = hours.Count <= 1000 ? hours.Select(one => one.Hour).Distinct().ToList() : null;
        var heads = db.Set<WindowHead>().AsNoTracking().Where(head => clusters.Contains(head.ClusterId) && head.Hour >= first && head.Hour <= last);
        heads = all is null ? heads : heads.Where(head => all.Contains(head.Hour));
        var sums = from head in heads
                   join cell in db.Set<LedgerCell>().AsNoTracking() on new { head.ClusterId, head.Hour, head.Epoch, head.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
                   group cell by new { cell.ClusterId, cell.Hour, cell.Meter, cell.MeterVersion } into cells
                   select new { cells.Key, High = cells.Sum(cell => cell.Quantity / Half), Low = cells.Sum(cell => cell.Quantity % Half) };
        var meters = await Meters.Meters.AllAsync(db, cancellationToken);
        await foreach (var row in sums.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            Add(known.Of((row.Key.ClusterId, row.Key.Hour)), row.Key.Meter, ((Int128)row.High * Half) + row.Low, meters[(row.Key.Meter, row.Key.MeterVersion)].Scale);
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
        var was = old is null ? before.GetValueOrDefault((cluster, now.Hour)) : Totals(old, meters);
        if (was is null)
        {
            return 0;
        }

        var becomes = Totals(now, meters);
        return was.Where(one => one.Value > 0).Select(one => (int)Int128.Max(0, (((one.Value - becomes.GetValueOrDefault(one.Key)) * 1000) + one.Value - 1) / one.Value)).DefaultIfEmpty().Max();
    }

    private Dictionary<string, Int128> Of((Guid Cluster, int Hour) hour)
    {
        if (!before.TryGetValue(hour, out var found))
        {
            before[hour] = found = new Dictionary<string, Int128>(StringComparer.Ordinal);
        }

        return found;
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
    private static void Add(Dictionary<string, Int128> totals, string meter, Int128 scaled, int scale)
    {
        for (var digit = scale; digit < Quantity.MaxScale; digit++)
        {
            scaled *= 10;
        }

        totals[meter] = totals.GetValueOrDefault(meter) + scaled;
    }
}
