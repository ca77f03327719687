using System.Globalization;
using Microsoft.EntityFrameworkCore;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Events;
using MissionControl.Fleet.Incidents;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Liveness;

/// <summary>
/// Writes what liveness has become. When too many clusters go missing at once, or intake accepts much less than usual, they stay late
/// for up to 15 min, and one incident says so; those still silent then become missing.
/// </summary>
internal static class MassOutageGuard
{
    private const int MaxWrite = 1000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Hold = TimeSpan.FromMinutes(15);

    public static async Task ApplyAsync(ControlPlaneDbContext db, IntakeClock clock, AcceptRate rate, IReadOnlyList<SilentCluster> clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var changes = new List<(SilentCluster Cluster, LivenessState State)>();
        var candidates = new List<(SilentCluster Cluster, LivenessState State)>();
        var recent = new List<SilentCluster>();
        foreach (var cluster in clusters)
        {
            var state = Judge.Of(cluster.ReceivedAt, cluster.NextSeconds, clock.FloorAt, now, cluster.Before);
            if (state >= LivenessState.Missing && cluster.Before < LivenessState.Missing && (clock.HoldUntil is not null || HasJustVanished(cluster, clock, now)))
            {
                candidates.Add((cluster, state));
            }
            else if (state != cluster.Before)
            {
                changes.Add((cluster, state));
            }
            else if (state == LivenessState.Missing && now - cluster.Since < Window && cluster.Since > clock.ReleasedAt)
            {
                recent.Add(cluster);
            }
        }

        if (await IsHeldAsync(db, clock, rate, candidates, recent, now, cancellationToken))
        {
            changes.AddRange(candidates.Where(candidate => candidate.Cluster.Before != LivenessState.Late).Select(candidate => (candidate.Cluster, LivenessState.Late)));

            // Those that went first, before it was clear that they were the first of many.
            changes.AddRange(recent.Select(cluster => (cluster, LivenessState.Late)));
        }
        else
        {
            changes.AddRange(candidates);
        }

        await WriteAsync(db, changes, now, cancellationToken);
    }

    // Whoever is silent for longer, and was not judged, was suspended and is resumed: not one of many that vanish at once.
    private static bool HasJustVanished(SilentCluster cluster, IntakeClock clock, DateTimeOffset now) =>
        now - (cluster.ReceivedAt > clock.FloorAt ? cluster.ReceivedAt : clock.FloorAt) < Judge.MissingAfter(cluster.NextSeconds) + Window;

    private static async Task<bool> IsHeldAsync(
        ControlPlaneDbContext db, IntakeClock clock, AcceptRate rate, List<(SilentCluster Cluster, LivenessState State)> candidates, List<SilentCluster> recent, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (clock.HoldUntil is null)
        {
            if (rate.HasFallen)
            {
                var (usual, last) = (rate.Usual, rate.Last);
                await OpenAsync(db, clock, string.Create(CultureInfo.InvariantCulture, $"Check-ins fell by more than 30 %: {last.InTime} clusters are heard of at their interval, {usual} were in the median of the last 15 min."), usual - last.InTime, now, cancellationToken);
                return true;
            }

            if (candidates.Count == 0 || !Judge.IsMassOutage(candidates.Count + recent.Count, await db.Set<FleetCluster>().CountAsync(row => row.State == "active", cancellationToken)))
            {
                return false;
            }

            var gone = candidates.Select(candidate => candidate.Cluster).Concat(recent).ToList();
            var customers = gone.Select(cluster => cluster.CustomerId).Distinct().Count();
            await OpenAsync(db, clock, string.Create(CultureInfo.InvariantCulture, $"{gone.Count} clusters of {customers} customers went silent within 5 min."), gone.Count, now, cancellationToken);
            return true;
        }

        var incident = await db.Set<Incident>().SingleOrDefaultAsync(row => row.EndedAt == null && row.Kind == Incident.MassOutage, cancellationToken);
        if (incident is not null && candidates.Count > incident.Clusters)
        {
            incident.Clusters = candidates.Count;
        }

        if ((candidates.Count > 0 || rate.HasFallen) && now < clock.HoldUntil)
        {
            return true;
        }

        var over = rate.HasFallen ? "It is as low after 15 min, and what is usual from now on." : "All of them are heard again.";
        clock.HoldUntil = null;
        clock.ReleasedAt = now;
        rate.Forget();
        if (incident is not null)
        {
            await incident.EndAsync(db, candidates.Count == 0 ? over : string.Create(CultureInfo.InvariantCulture, $"{candidates.Count} were still silent after 15 min and are missing now."), now, cancellationToken);
        }

        return false;
    }

    private static Task OpenAsync(ControlPlaneDbContext db, IntakeClock clock, string cause, int clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        clock.HoldUntil = now + Hold;
        return Incident.OpenAsync(db, Incident.MassOutage, now, cause, clusters, now, cancellationToken);
    }

    private static async Task WriteAsync(ControlPlaneDbContext db, List<(SilentCluster Cluster, LivenessState State)> changes, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (changes.Count == 0)
        {
            return;
        }

        var at = now.ToUnixTimeMilliseconds();
        foreach (var chunk in changes.Chunk(MaxWrite))
        {
            await db.Dialect.UpsertAsync(db, ClusterLiveness.Table with { Rows = [.. chunk.Select(change => new object?[] { change.Cluster.Id, change.Cluster.CustomerId, change.State.ToString(), at })] }, null, cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, ClusterEvent.Table with { Rows = [.. chunk.Where(change => IsWorthAnEvent(change.Cluster.Before, change.State)).Select(change => Event(change.Cluster, change.State, now))] }, cancellationToken);
        }

        await ClusterOverview.RefreshAsync(db, changes.ConvertAll(change => change.Cluster.Id), now, cancellationToken);
    }

    // That one check-in came late is nothing to remember; that a cluster was gone is.
    private static bool IsWorthAnEvent(LivenessState before, LivenessState state) => state >= LivenessState.Missing || before >= LivenessState.Missing;

    private static object?[] Event(SilentCluster cluster, LivenessState state, DateTimeOffset now) => ClusterEvent.Ours(
        cluster.Id, cluster.CustomerId, string.Create(CultureInfo.InvariantCulture, $"{ClusterEvent.OursPrefix}liveness:{now.ToUnixTimeMilliseconds()}"), $"liveness-{Words.Of(state)}", state >= LivenessState.Missing ? "severe" : "info",
        string.Create(CultureInfo.InvariantCulture, $"The cluster is {Words.Of(state)}; it was {Words.Of(cluster.Before)}. Last contact {cluster.ReceivedAt:u}."), now);
}
