using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Fleet.Inventory;

/// <summary>
/// <c>POST /api/v1/fleet/clusters/{id}/inventory-request</c>: a cluster tells its inventory on change and once a day; whoever cannot wait
/// asks for it out of turn. The asking is a section of the desired state whose version rises, so it travels with the next check-in.
/// </summary>
internal static class RequestInventory
{
    private const string Section = "inventory";

    /// <summary>The daily one has come by then.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromDays(1);

    public static void Map(RouteGroupBuilder cluster) => cluster
        .MapPost("/inventory-request", HandleAsync).RequireScope("fleet:write").WithName("RequestInventory").WithSummary("Ask a cluster for its inventory out of turn; it comes with the check-in after the next")
        .Produces<InventoryAsked>(StatusCodes.Status202Accepted).AcceptIdempotencyKey();

    /// <summary>What is known of the last asking; null when there was none.</summary>
    public static async Task<InventoryAsked?> LastAsync(ControlPlaneDbContext db, FleetCluster cluster, DateTimeOffset? receivedAt, CancellationToken cancellationToken)
    {
        if (cluster.InventoryAskedAt is not { } at)
        {
            return null;
        }

        var answered = receivedAt > at;
        var (waits, detail) = answered ? default : await HindranceAsync(db, cluster, cancellationToken);
        return new InventoryAsked(at, at + Life, answered, waits, detail);
    }

    private static async Task<IResult> HandleAsync(Guid id, InventoryRequest request, ControlPlaneDbContext db, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var mistake = Reasons.Mistake(request.Reason, out var reason);
        var cluster = await db.Set<FleetCluster>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (cluster is null)
        {
            return Problems.NotFound();
        }

        if (mistake is not null)
        {
            return Problems.Invalid([mistake]);
        }

        if (cluster.State == "decommissioned")
        {
            return Problems.Of(ProblemCodes.ClusterStateConflict, "The cluster is decommissioned; it tells nothing any more.");
        }

        // The version of the section: it rises also when two ask within a millisecond, or our clock was put back.
        var before = cluster.InventoryAskedAt;
        var at = DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(time.GetUtcNow().ToUnixTimeMilliseconds(), (before?.ToUnixTimeMilliseconds() ?? 0) + 1));
        cluster.InventoryAskedAt = at;
        events.Publish(new SetDesiredState(id, Section, at + Life, [], at.ToUnixTimeMilliseconds()));
        events.Audit(new AuditFact("fleet.inventory-requested", AuditLog.Customer, "cluster", id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = id,
            Reason = reason,
            Changes = [Change.Replace("/inventoryAskedAt", before, at)],
        });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Accepted($"/api/v1/fleet/clusters/{id}/inventory", await LastAsync(db, cluster, null, cancellationToken));
    }

    private static async Task<(string? Code, string? Detail)> HindranceAsync(ControlPlaneDbContext db, FleetCluster cluster, CancellationToken cancellationToken)
    {
        if (cluster.State != "active")
        {
            return ("suspended", "The cluster is suspended: it learns of this after it was resumed.");
        }

        var every = await db.Set<LastContact>().AsNoTracking().Where(row => row.ClusterId == cluster.Id).Select(row => (int?)row.NextSeconds).SingleOrDefaultAsync(cancellationToken);
        if (every > Judge.LongestCheckIn)
        {
            return ("by-bundle", "The cluster hands in bundles, and their answers carry nothing of this: its inventory is in the bundle of every day.");
        }

        var liveness = await db.Set<ClusterLiveness>().AsNoTracking().Where(row => row.ClusterId == cluster.Id).Select(row => (LivenessState?)row.State).SingleOrDefaultAsync(cancellationToken);
        return liveness switch
        {
            LivenessState.Online or LivenessState.Late => default,
            null or LivenessState.Never => ("offline", "The cluster was not heard of yet: it learns of this when it first calls home."),
            { } silent => ("offline", $"The cluster is {Words.Of(silent)}: it learns of this when it calls home again."),
        };
    }
}
