using Microsoft.EntityFrameworkCore;
using MissionControl.Licensing.Ledger;
using MissionControl.Licensing.Meters;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Licenses;

/// <summary>What the ledger knows of what licences are used for: a few statements, however many licences.</summary>
internal sealed class LicenseUsage
{
    private const long Half = 1_000_000_000;

    /// <summary>The largest quantity that a document can hold: what is more is more than any limit all the same.</summary>
    private const string Most = "999999999999999999";

    private readonly Dictionary<(Guid License, string Per, string Meter), string> used = [];
    private readonly Dictionary<Guid, (DateTimeOffset? Oldest, DateTimeOffset? Newest)> reports = [];

    private LicenseUsage()
    {
    }

    /// <summary>When usage came last of the cluster that has been silent for longest; null: of one never.</summary>
    public DateTimeOffset? LastReport(License license) => reports.GetValueOrDefault(license.Id).Oldest;

    /// <summary>A licence's limits, with what was used of them.</summary>
    public IReadOnlyList<LeaseLimit> Limits(License license)
    {
        var asOf = reports.GetValueOrDefault(license.Id).Newest;
        return [.. license.ReadLimits().Select(limit => new LeaseLimit(
            limit.Meter, limit.Version, limit.Limit, limit.Per, limit.Policy,
            used.GetValueOrDefault((license.Id, limit.Per, limit.Meter), "0"), limit.Numerator, limit.Denominator, asOf is { } at ? UsageWindow.Text(at) : null))];
    }

    /// <summary>Reads the usage of licences, of the clusters that they have.</summary>
    public static Task<LicenseUsage> ReadAsync(ControlPlaneDbContext db, IReadOnlyCollection<License> licenses, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ids = licenses.Select(license => license.Id).ToList();
        return ReadAsync(
            db, licenses, now,
            from link in db.Set<LicensedCluster>().AsNoTracking()
            join license in db.Set<License>().AsNoTracking() on link.LicenseId equals license.Id
            where ids.Contains(license.Id)
            select new Admitted { License = license.Id, Cluster = link.ClusterId, FromHour = license.FromHour },
            cancellationToken);
    }

    /// <summary>Reads the usage of one licence, of the clusters that it is to have.</summary>
    public static Task<LicenseUsage> ReadAsync(ControlPlaneDbContext db, License license, IReadOnlyCollection<LicensedCluster> clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (ids, id, from) = (clusters.Select(cluster => cluster.ClusterId).ToList(), license.Id, license.FromHour);
        return ReadAsync(db, [license], now, db.Set<LedgerCluster>().AsNoTracking().Where(row => ids.Contains(row.Id)).Select(row => new Admitted { License = id, Cluster = row.Id, FromHour = from }), cancellationToken);
    }

    private static async Task<LicenseUsage> ReadAsync(ControlPlaneDbContext db, IReadOnlyCollection<License> licenses, DateTimeOffset now, IQueryable<Admitted> admitted, CancellationToken cancellationToken)
    {
        var usage = new LicenseUsage();
        if (licenses.Count == 0)
        {
            return usage;
        }

        // Of a cluster that was decommissioned nothing more is to come.
        var heard = from one in admitted
                    join ledger in db.Set<ClusterLedger>().AsNoTracking() on one.Cluster equals ledger.ClusterId
                    join cluster in db.Set<LedgerCluster>().AsNoTracking() on one.Cluster equals cluster.Id
                    where cluster.State != "decommissioned"
                    select new { one.License, ledger.ReceivedAt };
        foreach (var group in (await heard.ToListAsync(cancellationToken)).GroupBy(row => row.License))
        {
            usage.reports[group.Key] = (group.Any(row => row.ReceivedAt is null) ? null : group.Min(row => row.ReceivedAt), group.Max(row => row.ReceivedAt));
        }

        var limits = licenses.SelectMany(license => license.ReadLimits()).ToList();
        var meters = limits.Count == 0 ? [] : await Meters.Meters.AllAsync(db, cancellationToken);
        var month = UsageWindow.HourOf(new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero));
        foreach (var per in limits.GroupBy(limit => limit.Per))
        {
            await usage.SumAsync(db, admitted, per.Key, [.. per.Select(one => one.Meter).Distinct()], per.Key == "month" ? month : 0, meters, cancellationToken);
        }

        return usage;
    }

    /// <summary>All versions of a meter together; of a max meter the hour in which the licence's clusters together had most, as it is billed.</summary>
    private async Task SumAsync(ControlPlaneDbContext db, IQueryable<Admitted> admitted, string per, List<string> keys, int first, Dictionary<(string Key, int Version), Meter> meters, CancellationToken cancellationToken)
    {
        var peaks = meters.Values.Where(meter => meter.Aggregation == Aggregation.Max).Select(meter => meter.Key).ToHashSet(StringComparer.Ordinal);
        var (highest, added) = (keys.FindAll(peaks.Contains), keys.FindAll(key => !peaks.Contains(key)));

        // Only the head of an hour counts. Sums are made of two halves, as those of the usage report are.
        var counted =
            from one in admitted
            join cell in db.Set<LedgerCell>().AsNoTracking() on one.Cluster equals cell.ClusterId
            where cell.Hour >= first && cell.Hour >= one.FromHour
            join head in db.Set<WindowHead>().AsNoTracking() on new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision } equals new { head.ClusterId, head.Hour, head.Epoch, head.Revision }
            select new { one.License, cell.Meter, cell.MeterVersion, cell.Hour, cell.Quantity };
        var totals = new Dictionary<(Guid License, string Meter), Int128>();
        if (added.Count > 0)
        {
            var sums = counted.Where(cell => added.Contains(cell.Meter)).GroupBy(cell => new { cell.License, cell.Meter, cell.MeterVersion })
                .Select(cells => new { cells.Key, High = cells.Sum(cell => cell.Quantity / Half), Low = cells.Sum(cell => cell.Quantity % Half) });
            foreach (var row in await sums.ToListAsync(cancellationToken))
            {
                var key = (row.Key.License, row.Key.Meter);
                totals[key] = totals.GetValueOrDefault(key) + Nano(row.High, row.Low, meters[(row.Key.Meter, row.Key.MeterVersion)]);
            }
        }

        if (highest.Count > 0)
        {
            var hours = new Dictionary<(Guid License, string Meter, int Hour), Int128>();
            var sums = counted.Where(cell => highest.Contains(cell.Meter)).GroupBy(cell => new { cell.License, cell.Meter, cell.MeterVersion, cell.Hour })
                .Select(cells => new { cells.Key, High = cells.Sum(cell => cell.Quantity / Half), Low = cells.Sum(cell => cell.Quantity % Half) });
            foreach (var row in await sums.ToListAsync(cancellationToken))
            {
                var (key, hour) = ((row.Key.License, row.Key.Meter), (row.Key.License, row.Key.Meter, row.Key.Hour));
                hours[hour] = hours.GetValueOrDefault(hour) + Nano(row.High, row.Low, meters[(row.Key.Meter, row.Key.MeterVersion)]);
                totals[key] = Int128.Max(totals.GetValueOrDefault(key), hours[hour]);
            }
        }

        foreach (var (key, nano) in totals)
        {
            var scale = meters.Values.Where(meter => meter.Key == key.Meter).Max(meter => meter.Scale);
            var text = Quantity.Format(nano / Rounding.Power(Rounding.PriceScale - scale), scale);
            used[(key.License, per, key.Meter)] = Quantity.IsWellFormed(text) ? text : Most;
        }
    }

    private static Int128 Nano(long high, long low, Meter meter) => (((Int128)high * Half) + low) * Rounding.Power(Rounding.PriceScale - meter.Scale);

    private sealed class Admitted
    {
        public required Guid License { get; init; }

        public required Guid Cluster { get; init; }

        public required int FromHour { get; init; }
    }
}
