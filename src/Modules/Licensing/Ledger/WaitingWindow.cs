using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Ledger;

/// <summary>
/// A window that cannot be judged yet, because what is known of its cluster is behind or a person must decide first. It waits once,
/// however often an agent that has no receipt offers it again.
/// </summary>
internal sealed class WaitingWindow : ICustomerOwned
{
    /// <summary>Why it waits: nobody has told licensing of its cluster.</summary>
    public const string ClusterUnknown = "cluster-unknown";

    /// <summary>How many are judged in one transaction, so that what waited for weeks does not keep every other writer waiting.</summary>
    private const int Chunk = 500;

    public required Guid ClusterId { get; init; }

    /// <summary><c>sha256:</c> of the item's bytes.</summary>
    public required string Sha256 { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>The epoch it was sent in first.</summary>
    public required long Epoch { get; init; }

    public required long Seq { get; init; }

    public required string Reason { get; init; }

    /// <summary>
    /// It is judged anew as soon as its cluster is known. True from the start where the cluster is not: then there is no row to lock, and
    /// on servers another replica may look for what waits a moment before this is stored.
    /// </summary>
    public required bool Due { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required byte[] Body { get; init; }

    /// <summary>There is news of these clusters: all that waits for them is judged anew, the oldest now, the rest by <see cref="JudgeWaitingWindows"/>.</summary>
    public static async Task WakeAsync(ControlPlaneDbContext db, Ledger ledger, IReadOnlyList<Guid> clusters, CancellationToken cancellationToken)
    {
        await Ledger.LockAsync(db, clusters, cancellationToken);
        if (await db.Set<WaitingWindow>().Where(item => clusters.Contains(item.ClusterId)).ExecuteUpdateAsync(set => set.SetProperty(item => item.Due, true), cancellationToken) > 0)
        {
            await JudgeAsync(db, ledger, clusters, cancellationToken);
        }
    }

    /// <summary>
    /// Judges the oldest of what is due for these clusters, those of one check-in in the order in which they were sent, since of two that
    /// contradict each other the first one counts; what still cannot be judged goes back to where it waited. Joins the open
    /// write transaction. The lock is that of whoever records windows: those that must wait are stored before this looks for them, or
    /// judged by what this transaction has written.
    /// </summary>
    public static async Task JudgeAsync(ControlPlaneDbContext db, Ledger ledger, IReadOnlyList<Guid> clusters, CancellationToken cancellationToken)
    {
        await Ledger.LockAsync(db, clusters, cancellationToken);
        var due = await db.Set<WaitingWindow>().AsNoTracking().Where(item => item.Due && clusters.Contains(item.ClusterId))
            .OrderBy(item => item.ReceivedAt).ThenBy(item => item.ClusterId).ThenBy(item => item.Epoch).ThenBy(item => item.Seq).Take(Chunk).ToListAsync(cancellationToken);

        // Exactly what was read goes, and not all that is there: of a cluster that was not known there was no row to lock, and on servers
        // another replica may have stored one more since.
        foreach (var group in due.GroupBy(item => item.ClusterId, item => item.Sha256))
        {
            var digests = group.ToList();
            if (await db.Set<WaitingWindow>().Where(item => item.ClusterId == group.Key && digests.Contains(item.Sha256)).ExecuteDeleteAsync(cancellationToken) != digests.Count)
            {
                throw new DbUpdateConcurrencyException("Another replica judged what waited for the same cluster; this is tried again.");
            }
        }

        if (due.Count > 0)
        {
            await ledger.RecordAsync([.. due.Select(item => new Arrival(item.ClusterId, item.CustomerId, item.Epoch, item.Seq, item.ReceivedAt, item.Body))], cancellationToken);
        }
    }

    internal sealed class Configuration : IEntityTypeConfiguration<WaitingWindow>
    {
        public void Configure(EntityTypeBuilder<WaitingWindow> builder)
        {
            builder.ToTable("licensing_waiting_window").HasKey(row => new { row.ClusterId, row.Sha256 });
            builder.Property(row => row.Sha256).HasMaxLength(71);
            builder.Property(row => row.Reason).HasMaxLength(60);
            builder.HasIndex(row => row.Due);
        }
    }
}
