using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.CallHome.Clusters;

/// <summary>A switch over a cluster's state, thrown by hand: the same for one cluster and for each of many.</summary>
/// <param name="Verb">What it does.</param>
/// <param name="Past">What was done.</param>
/// <param name="To">The state it leads to.</param>
internal sealed record ClusterSwitch(string Verb, string Past, ClusterState To)
{
    public static readonly ClusterSwitch Suspend = new("suspend", "suspended", ClusterState.Suspended);
    public static readonly ClusterSwitch Resume = new("resume", "resumed", ClusterState.Active);
    public static readonly ClusterSwitch Decommission = new("decommission", "decommissioned", ClusterState.Decommissioned);

    /// <summary>What a customer is told of a cluster that the vendor's staff suspended.</summary>
    public const string ByStaffOnly = "Staff of the vendor suspended the cluster, and only they resume it.";

    /// <summary>Those that one cluster can be switched by.</summary>
    public static readonly IReadOnlyList<ClusterSwitch> All = [Suspend, Resume, Decommission];

    /// <summary>Whether it can be thrown in a state.</summary>
    public bool IsFor(ClusterState state) => Cluster.MayEnter(state, To);

    /// <summary>Whether only the vendor's staff can throw it: a customer does not take back what they suspended.</summary>
    public bool IsForStaffOnly(ClusterState state, bool suspendedByStaff) => suspendedByStaff && state == ClusterState.Suspended && To == ClusterState.Active;

    /// <summary>Why it cannot be thrown for a cluster, in words; null: it can.</summary>
    public string? Hindrance(Cluster cluster, bool byStaff) => !IsFor(cluster.State) ? $"The cluster is {cluster.State.ToString().ToLowerInvariant()}; it cannot be {Past}."
        : !byStaff && IsForStaffOnly(cluster.State, cluster.SuspendedByStaff) ? ByStaffOnly : null;

    /// <summary>The clusters that it can be thrown for.</summary>
    public IQueryable<Cluster> Takes(IQueryable<Cluster> clusters, bool byStaff)
    {
        var states = Enum.GetValues<ClusterState>().Where(IsFor).ToList();
        clusters = clusters.Where(row => states.Contains(row.State));
        return byStaff || To != ClusterState.Active ? clusters : clusters.Where(row => !row.SuspendedByStaff);
    }

    /// <summary>Switches a cluster and tells the other roles and the audit log; the caller saves.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="why">Who answers for it, where it is not the request's principal, why, and for which task.</param>
    /// <param name="db">Where it is tracked.</param>
    /// <param name="events">Tells of it.</param>
    /// <param name="now">The instant.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Why it cannot be done; null: done.</returns>
    public async Task<string?> ApplyAsync(Cluster cluster, Why why, ControlPlaneDbContext db, IEvents events, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (from, byStaff) = (cluster.State, db.Scope.IsAll);
        if (Hindrance(cluster, byStaff) is { } hindrance)
        {
            return hindrance;
        }

        cluster.TryEnter(To, byStaff, now);
        await TellAsync(cluster, new AuditFact($"callhome.cluster-{Past}", AuditLog.Customer, "cluster", cluster.Id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = cluster.Id,
            Actor = why.Actor,
            Reason = why.Reason,
            Changes = [Change.Replace("/state", from, To), .. why.Task is { } task ? new[] { Change.Add("/task", task) } : []],
        }, db, events, now, cancellationToken);
        return null;
    }

    /// <summary>Tells the other roles what a cluster is now, and the audit log what was done; the caller saves.</summary>
    public static async Task TellAsync(Cluster cluster, AuditFact fact, ControlPlaneDbContext db, IEvents events, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var keys = await db.Set<ClusterKeyRow>().AsNoTracking().Where(key => key.ClusterId == cluster.Id).ToListAsync(cancellationToken);
        events.Publish(cluster.ToEvent(keys, now));
        events.Audit(fact);
    }

    /// <summary>On whose behalf a switch is thrown.</summary>
    /// <param name="Reason">Why, in words.</param>
    /// <param name="Actor">Who; null: the request's principal.</param>
    /// <param name="Task">The task it belongs to.</param>
    internal sealed record Why(string? Reason, AuditActor? Actor = null, Guid? Task = null);
}
