using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Platform.Telemetry;

/// <summary><c>/api/v1/{role}/status</c>: whether a role is itself well.</summary>
public static class StatusApi
{
    /// <summary>Processes that are listed at most; a crash loop makes many.</summary>
    private const int MostReplicas = 50;

    /// <summary>Maps the route onto a module's group.</summary>
    public static void MapStatus(this IEndpointRouteBuilder api, string module) =>
        api.MapGet("/status", (ControlPlaneDbContext db, QueueGauges gauges, TimeProvider time, CancellationToken cancellationToken) => GetAsync(module, db, gauges, time, cancellationToken))
            .RequireScope("system:read").WithName($"GetStatus-{module}").WithSummary("What waits in a role, its database, and the processes that run it").Produces<RoleStatus>();

    private static async Task<IResult> GetAsync(string module, ControlPlaneDbContext db, QueueGauges gauges, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor sees how the system is.");
        }

        var replicas = await db.Replicas(module).AsNoTracking().OrderByDescending(row => row.SeenAt).Take(MostReplicas).ToListAsync(cancellationToken);
        var size = await db.Dialect.SizeAsync(db, cancellationToken);
        var (depth, lookedAt) = await gauges.OfAsync(module, cancellationToken);
        var now = time.GetUtcNow();
        return TypedResults.Ok(new RoleStatus(
            module, now, depth.Waiting, depth.OldestSince, depth.Parked, lookedAt, db.Dialect.Name, size,
            [.. replicas.Select(row => Item(row, now)).OrderBy(item => item.State switch { "running" => 0, "silent" => 1, _ => 2 })]));
    }

    private static ReplicaItem Item(Replica row, DateTimeOffset now) => new(
        row.Instance, row.StoppedAt is not null ? "stopped" : now - row.SeenAt > ReplicaHeartbeat.SilentAfter ? "silent" : "running", row.Version, row.StartedAt, row.SeenAt, row.DiskFree, row.DiskTotal, row.CertificateEndsAt,
        row.WorkPerSecond, row.WorkP99Ms);
}
