using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Clusters;

/// <summary>When a cluster was last heard of, by our own clock: what liveness is judged by. Any item counts; one that was carried here counts from when it was written.</summary>
internal sealed class LastContact : ICustomerOwned
{
    private static readonly BulkRows Table = new("fleet_last_contact", ["cluster_id", "customer_id", "received_at", "next_seconds", "late_at"], ["cluster_id"], []);

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required int NextSeconds { get; init; }

    /// <summary>From when its silence is no longer ordinary, if nothing of ours stood still: what the judge looks for first.</summary>
    public required DateTimeOffset LateAt { get; init; }

    /// <summary>Remembers a group's senders in one statement. A callhome replica whose clock is ahead heard nobody in the future: silence is counted from now.</summary>
    public static Task KeepAsync(ControlPlaneDbContext db, IEnumerable<ReceivedItem> items, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var latest = now.ToUnixTimeMilliseconds();
        var contacts = new Dictionary<Guid, object?[]>();
        foreach (var item in items)
        {
            var cluster = Received.Cluster(item);
            var at = Math.Min(item.SaidAtMs > 0 ? item.SaidAtMs : item.ReceivedAtMs, latest);
            if (!contacts.TryGetValue(cluster, out var known) || (long)known[2]! < at)
            {
                contacts[cluster] = [cluster, Received.Customer(item), at, item.NextS, at + (long)Judge.LateAfter(item.NextS).TotalMilliseconds];
            }
        }

        return db.Dialect.UpsertAsync(db, Table with { Rows = [.. contacts.Values] }, "received_at", cancellationToken);
    }

    /// <summary>
    /// After our own clock was put back: contacts that lie ahead of it are from now, or nothing that comes would count, and no silence
    /// either, until it has caught up.
    /// </summary>
    public static async Task PutBackAsync(ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var ahead = await db.Set<LastContact>().AsNoTracking().Where(row => row.ReceivedAt > now).ToListAsync(cancellationToken);
        var at = now.ToUnixTimeMilliseconds();
        await db.Dialect.UpsertAsync(
            db, Table with { Rows = ahead.ConvertAll(row => new object?[] { row.ClusterId, row.CustomerId, at, row.NextSeconds, at + (long)Judge.LateAfter(row.NextSeconds).TotalMilliseconds }) }, null, cancellationToken);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<LastContact>
    {
        public void Configure(EntityTypeBuilder<LastContact> builder) => builder.ToTable("fleet_last_contact").HasKey(row => row.ClusterId);
    }
}
