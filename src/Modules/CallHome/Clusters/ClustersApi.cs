using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.CallHome.Credentials;
using MissionControl.CallHome.Enrollment;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.CallHome.Clusters;

/// <summary><c>/api/v1/callhome/clusters/{id}</c>: identity, and the switches over it.</summary>
internal static class ClustersApi
{
    private const string Right = "callhome:write";

    // It ends the quarantine of usage that the customer itself pays for.
    private const string StaffConfirms = "Only staff of the vendor says which sender is the true one.";

    public static void Map(IEndpointRouteBuilder api)
    {
        var cluster = api.MapGroup("/clusters/{id:guid}").Shows("cluster", static (ControlPlaneDbContext db, Guid id) => db.Set<Cluster>().Where(row => row.Id == id).Select(row => (Guid?)row.CustomerId));
        cluster.MapGet("/", GetAsync).RequireScope("callhome:read").WithName("GetClusterIdentity").WithSummary("A cluster's identity, keys and epochs").Produces<ClusterIdentity>();
        cluster.MapPost("/suspend", SuspendAsync).RequireScope(Right).WithName("SuspendCluster").WithSummary("Stop listening to a cluster; holds on every replica within 5 s").Produces(StatusCodes.Status204NoContent);
        cluster.MapPost("/resume", ResumeAsync).RequireScope(Right).WithName("ResumeCluster").WithSummary("Listen to a suspended cluster again").Produces(StatusCodes.Status204NoContent);
        cluster.MapPost("/decommission", DecommissionAsync).RequireScope(Right).WithName("DecommissionCluster").WithSummary("End a cluster for good; its usage stays").Produces(StatusCodes.Status204NoContent);
        cluster.MapPost("/epochs/{epoch:long}/confirm", ConfirmAsync).RequireScope(Right).WithName("ConfirmEpoch").WithSummary("Name the true sender after a suspected clone").Produces(StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> GetAsync(Guid id, ClaimsPrincipal reader, ControlPlaneDbContext db, HttpResponse response, CancellationToken cancellationToken)
    {
        var cluster = await db.Set<Cluster>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (cluster is null)
        {
            return Problems.NotFound();
        }

        var keys = await db.Set<ClusterKeyRow>().AsNoTracking().Where(row => row.ClusterId == id).OrderBy(row => row.NotBefore).ToListAsync(cancellationToken);
        var epochs = await db.Set<ClusterEpoch>().AsNoTracking().Where(row => row.ClusterId == id).OrderBy(row => row.Epoch).ToListAsync(cancellationToken);
        var intake = await db.Set<IntakeRow>().AsNoTracking().Where(row => row.ClusterId == id).Select(row => new { row.Ack, row.LastSeenAt }).SingleOrDefaultAsync(cancellationToken);
        response.Headers.ETag = Etags.Of(cluster.Version);
        return TypedResults.Ok(new ClusterIdentity(
            id, cluster.CustomerId, cluster.Name, cluster.State.ToString().ToLowerInvariant(), cluster.CloneSuspected, cluster.Epoch, cluster.EpochIssuedAt, cluster.EnrolledAt,
            cluster.TrustedFirstContact, cluster.AgentVersion, intake?.Ack ?? 0, intake?.LastSeenAt,
            [.. keys.Select(key => new ClusterKeyItem(key.Kid, key.Use, key.NotBefore, key.NotAfter, key.FirstUsedAt))],
            [.. epochs.Select(epoch => new EpochItem(epoch.Epoch, epoch.IssuedAt, epoch.Reason, epoch.Quarantined, epoch.ConfirmedAt))], cluster.Version,
            await AskRotation.LastAsync(db, cluster, keys, cancellationToken), Actions(reader, cluster, db.Scope.IsAll)));
    }

    // The endpoints ask the same rules.
    private static IReadOnlyList<AllowedAction> Actions(ClaimsPrincipal reader, Cluster cluster, bool isStaff)
    {
        var lacks = Scopes.Lacking(reader, Right);
        return
        [
            .. ClusterSwitch.All.Select(which => AllowedAction.Of(which.Verb, lacks ?? which.Hindrance(cluster, isStaff))),
            AllowedAction.Of("confirm-epoch", lacks ?? (isStaff ? NoConfirming(cluster, cluster.Epoch) : StaffConfirms)),
            AllowedAction.Of("rotate-key", lacks ?? AskRotation.Hindrance(cluster)),
            AllowedAction.Of("enrol-anew", lacks ?? Readmit.Hindrance(cluster)),
        ];
    }

    private static string? NoConfirming(Cluster cluster, long epoch) => epoch == cluster.Epoch ? null : $"Epoch {cluster.Epoch} is in force; only the epoch in force can be confirmed.";

    private static Task<IResult> SuspendAsync(Guid id, ReasonRequest request, HttpRequest http, ControlPlaneDbContext db, ClusterDirectory directory, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        SwitchAsync(id, ClusterSwitch.Suspend, request, http, db, directory, events, time, cancellationToken);

    private static Task<IResult> ResumeAsync(Guid id, ReasonRequest request, HttpRequest http, ControlPlaneDbContext db, ClusterDirectory directory, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        SwitchAsync(id, ClusterSwitch.Resume, request, http, db, directory, events, time, cancellationToken);

    private static Task<IResult> DecommissionAsync(Guid id, ReasonRequest request, HttpRequest http, ControlPlaneDbContext db, ClusterDirectory directory, IEvents events, TimeProvider time, CancellationToken cancellationToken) =>
        SwitchAsync(id, ClusterSwitch.Decommission, request, http, db, directory, events, time, cancellationToken);

    private static async Task<IResult> SwitchAsync(
        Guid id, ClusterSwitch which, ReasonRequest request, HttpRequest http, ControlPlaneDbContext db, ClusterDirectory directory, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var cluster = await db.Set<Cluster>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (cluster is null)
        {
            return Problems.NotFound();
        }

        if (Etags.Moved(http, cluster.Version) is { } moved)
        {
            return moved;
        }

        var now = time.GetUtcNow();
        if (await which.ApplyAsync(cluster, new ClusterSwitch.Why(request.Reason), db, events, now, cancellationToken) is { } refusal)
        {
            return Problems.Of(ProblemCodes.ClusterStateConflict, refusal);
        }

        await db.SaveChangesAsync(cancellationToken);
        await directory.RefreshAsync(now, cancellationToken);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> ConfirmAsync(Guid id, long epoch, ReasonRequest request, HttpRequest http, ControlPlaneDbContext db, ClusterDirectory directory, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, StaffConfirms);
        }

        var cluster = await db.Set<Cluster>().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        var row = cluster is null ? null : await db.Set<ClusterEpoch>().SingleOrDefaultAsync(row => row.ClusterId == id && row.Epoch == epoch, cancellationToken);
        if (cluster is null || row is null)
        {
            return Problems.NotFound();
        }

        if (Etags.Moved(http, cluster.Version) is { } moved)
        {
            return moved;
        }

        if (NoConfirming(cluster, epoch) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ClusterStateConflict, hindrance);
        }

        var now = time.GetUtcNow();
        row.Quarantined = false;
        row.ConfirmedAt = now;
        cluster.ConfirmEpoch(now);
        await ClusterSwitch.TellAsync(cluster, new AuditFact("callhome.epoch-confirmed", AuditLog.Customer, "cluster", id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = id,
            Reason = request.Reason,
            Changes = [Change.Replace("/cloneSuspected", true, false)],
        }, db, events, now, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await directory.RefreshAsync(now, cancellationToken);
        return TypedResults.NoContent();
    }
}
