using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Usage;

/// <summary>The hours behind the numbers of a usage report: which came, which are missing, incomplete, disputed or parked.</summary>
internal sealed class UsageHours(UsageQuery query)
{
    private readonly UsageCompleteness[] buckets = [.. query.Starts.Select(_ => new UsageCompleteness(0, 0, 0, 0, 0))];
    private bool someNeverReported;

    public IReadOnlyList<UsageCompleteness> Buckets => buckets;

    public DateTimeOffset? ReceivedThrough { get; private set; }

    public DateTimeOffset? CompleteThrough { get => someNeverReported ? null : field; private set; }

    public UsageCompleteness All => new(
        buckets.Sum(one => one.ReceivedHours), buckets.Sum(one => one.MissingHours), buckets.Sum(one => one.IncompleteHours), buckets.Sum(one => one.DisputedHours), buckets.Sum(one => one.ParkedHours));

    /// <summary>As it is now.</summary>
    public static async Task<UsageHours> NowAsync(ControlPlaneDbContext db, IQueryable<EffectiveWindow> windows, IQueryable<ClusterLedger> ledgers, UsageQuery query, int due, CancellationToken cancellationToken)
    {
        var hours = new UsageHours(query);
        await hours.CountAsync(windows, cancellationToken);
        var disputed =
            from window in windows
            join aside in db.Set<QuarantinedWindow>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { aside.ClusterId, aside.Hour, aside.Epoch, aside.Revision }
            where aside.Problem == QuarantinedWindow.RevisionConflict && aside.DecidedAt == null
            select new { window.ClusterId, window.Hour };
        (await disputed.Distinct().ToListAsync(cancellationToken)).ForEach(row => hours.Disputed(row.Hour));
        (await ParkedIn(db, windows).Distinct().ToListAsync(cancellationToken)).ForEach(row => hours.Parked(row.Hour));
        var expected = from ledger in ledgers join cluster in db.Set<LedgerCluster>().AsNoTracking() on ledger.ClusterId equals cluster.Id select new { ledger.Coverage, ledger.ReceivedAt, cluster.EndedAt };
        await foreach (var row in expected.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            hours.Cluster(Coverage.FromBytes(row.Coverage), row.ReceivedAt, DueOf(due, row.EndedAt));
        }

        return hours;
    }

    /// <summary>As it was known at a watermark. Of disputes nothing is told: what was decided since is not undone for an old answer.</summary>
    public static async Task<UsageHours> ThenAsync(
        ControlPlaneDbContext db, IQueryable<EffectiveWindow> windows, long watermark, IQueryable<ClusterLedger> ledgers, UsageQuery query, int due, CancellationToken cancellationToken)
    {
        var hours = new UsageHours(query);
        await hours.CountAsync(windows, cancellationToken);
        var later = from window in windows
                    join cell in db.Set<LedgerCell>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
                    where cell.Since > watermark
                    select new ClusterHour { ClusterId = window.ClusterId, Hour = window.Hour };
        (await ParkedIn(db, windows).Union(later).ToListAsync(cancellationToken)).ForEach(row => hours.Parked(row.Hour));
        var came = (await windows.Select(window => new { window.ClusterId, window.Hour }).ToListAsync(cancellationToken)).ToLookup(window => window.ClusterId, window => window.Hour);
        var expected = from ledger in ledgers join cluster in db.Set<LedgerCluster>().AsNoTracking() on ledger.ClusterId equals cluster.Id select new { ledger.ClusterId, ledger.Coverage, cluster.EndedAt };
        foreach (var row in await expected.ToListAsync(cancellationToken))
        {
            var coverage = Coverage.Begin(Math.Max(query.FromHour, Coverage.FromBytes(row.Coverage).From));
            foreach (var hour in came[row.ClusterId].Order())
            {
                coverage.Add(hour);
            }

            hours.Missing(coverage, DueOf(due, row.EndedAt));
        }

        return hours;
    }

    private static int DueOf(int due, DateTimeOffset? ended) => ended is { } end ? Math.Min(due, UsageWindow.HourOf(end)) : due;

    private async Task CountAsync(IQueryable<EffectiveWindow> windows, CancellationToken cancellationToken)
    {
        var received = await windows.GroupBy(window => new { window.Hour, window.Complete }).Select(group => new { group.Key.Hour, group.Key.Complete, Count = group.LongCount() }).ToListAsync(cancellationToken);
        foreach (var row in received)
        {
            ref var bucket = ref buckets[query.BucketOf(row.Hour)];
            bucket = bucket with { ReceivedHours = bucket.ReceivedHours + row.Count, IncompleteHours = bucket.IncompleteHours + (row.Complete ? 0 : row.Count) };
        }
    }

    private static IQueryable<ClusterHour> ParkedIn(ControlPlaneDbContext db, IQueryable<EffectiveWindow> windows) =>
        from window in windows
        join cell in db.Set<ParkedCell>().AsNoTracking() on new { window.ClusterId, window.Hour, window.Epoch, window.Revision } equals new { cell.ClusterId, cell.Hour, cell.Epoch, cell.Revision }
        select new ClusterHour { ClusterId = window.ClusterId, Hour = window.Hour };

    private void Disputed(int hour)
    {
        ref var bucket = ref buckets[query.BucketOf(hour)];
        bucket = bucket with { DisputedHours = bucket.DisputedHours + 1 };
    }

    private void Parked(int hour)
    {
        ref var bucket = ref buckets[query.BucketOf(hour)];
        bucket = bucket with { ParkedHours = bucket.ParkedHours + 1 };
    }

    private void Cluster(Coverage coverage, DateTimeOffset? receivedAt, int due)
    {
        ReceivedThrough = ReceivedThrough is { } newest && !(receivedAt > newest) ? newest : receivedAt;
        someNeverReported |= coverage.Newest < coverage.From;
        var through = UsageWindow.StartOf(coverage.CompleteThrough + 1);
        CompleteThrough = CompleteThrough is { } least && least < through ? least : through;
        Missing(coverage, due);
    }

    private void Missing(Coverage coverage, int due)
    {
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

    private sealed class ClusterHour
    {
        public required Guid ClusterId { get; init; }

        public required int Hour { get; init; }
    }
}
