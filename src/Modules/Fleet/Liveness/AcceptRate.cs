using Microsoft.EntityFrameworkCore;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Liveness;

/// <summary>How much of the fleet is heard of at one moment.</summary>
/// <param name="InTime">Active clusters whose last contact is no older than their interval allows.</param>
/// <param name="Known">Active clusters that were ever heard of.</param>
internal readonly record struct HeardOf(int InTime, int Known);

/// <summary>
/// Whether intake accepts much less than usual: a sample each minute, against the median of the last 15. Counted are clusters that
/// are heard of at their own interval, whichever replica heard them, and not requests: their number would also fall when clusters
/// are told to come less often. Kept in memory, since whoever takes over the lease sets a new floor and begins anew with it.
/// </summary>
internal sealed class AcceptRate
{
    private const int MostSamples = 15;
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    private readonly Queue<HeardOf> samples = new();
    private DateTimeOffset takenAt;
    private DateTimeOffset floorAt;

    /// <summary>True when the last sample was far below the usual ones.</summary>
    public bool HasFallen { get; private set; }

    /// <summary>The last sample.</summary>
    public HeardOf Last { get; private set; }

    /// <summary>How many clusters are usually heard of in time.</summary>
    public int Usual => Judge.Median(samples.Select(sample => sample.InTime));

    /// <summary>Counts, when a minute has gone by; null: not yet. Read outside of a write transaction: intake must not wait for it.</summary>
    public async Task<HeardOf?> CountAsync(ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (now - takenAt < Every && now >= takenAt)
        {
            return null;
        }

        var active = from contact in db.Set<LastContact>().AsNoTracking() join cluster in db.Set<FleetCluster>().AsNoTracking() on contact.ClusterId equals cluster.Id where cluster.State == "active" select contact;
        return await active.GroupBy(_ => 1).Select(all => new HeardOf(all.Count(contact => contact.LateAt >= now), all.Count())).SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>Judges a sample and remembers it. While clusters are held back it is compared with what was usual before.</summary>
    public void Take(HeardOf? counted, IntakeClock clock, DateTimeOffset now)
    {
        if (clock.FloorAt != floorAt)
        {
            // What was heard before a standstill, or by another's clock, is no measure for what comes after it.
            floorAt = clock.FloorAt;
            Forget();
        }

        if (counted is not { } sample)
        {
            return;
        }

        takenAt = now;
        Last = sample;
        HasFallen = Judge.HasFallen(sample, samples);
        if (HasFallen || clock.HoldUntil is not null)
        {
            return;
        }

        samples.Enqueue(sample);
        if (samples.Count > MostSamples)
        {
            samples.Dequeue();
        }
    }

    /// <summary>Begins anew: what is heard from now on is what is usual.</summary>
    public void Forget()
    {
        samples.Clear();
        HasFallen = false;
    }
}
