using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.DesiredState;
using MissionControl.CallHome.Intake;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Credentials;

/// <summary>
/// <c>POST /api/v1/callhome/clusters/{id}/rotate-key</c>: asks a cluster to replace its key. The private half never leaves its machine, so
/// all that can be done here is to ask; the section names the keys in force, and is fulfilled once none of them is.
/// </summary>
internal static class AskRotation
{
    public static void Map(IEndpointRouteBuilder api) => api
        .MapPost("/clusters/{id:guid}/rotate-key", HandleAsync).RequireScope("callhome:write").WithName("AskKeyRotation").WithSummary("Ask a cluster to replace its key; its agent does so after its next check-in")
        .Produces<KeyRotationAsked>(StatusCodes.Status202Accepted);

    /// <summary>What became of the last asking; null when there was none.</summary>
    public static async Task<KeyRotationAsked?> LastAsync(ControlPlaneDbContext db, Cluster cluster, IReadOnlyCollection<ClusterKeyRow> keys, CancellationToken cancellationToken)
    {
        var section = await db.Set<DesiredSection>().AsNoTracking().SingleOrDefaultAsync(row => row.ClusterId == cluster.Id && row.Section == DesiredSection.Credentials, cancellationToken);
        return section is null ? null : Of(cluster, keys, section.Version, [.. CredentialsWanted.Parser.ParseFrom(section.Body).Retire]);
    }

    /// <summary>Why it cannot be asked, in words; null: it can.</summary>
    public static string? Hindrance(Cluster cluster) => cluster.State == ClusterState.Decommissioned ? "The cluster is decommissioned; none of its keys counts any more." : null;

    private static async Task<IResult> HandleAsync(Guid id, ReasonRequest request, HttpRequest http, ControlPlaneDbContext db, ClusterDirectory directory, IEvents events, TimeProvider time, CancellationToken cancellationToken)
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

        if (Hindrance(cluster) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ClusterStateConflict, hindrance);
        }

        var now = time.GetUtcNow();
        var keys = await db.Set<ClusterKeyRow>().AsNoTracking().Where(key => key.ClusterId == id && key.Use == ClusterKeyRow.Identity).ToListAsync(cancellationToken);
        List<string> retire = [.. keys.Where(key => IsInForce(key)).Select(key => key.Kid)];
        var version = await DesiredSection.WantAsync(db, id, DesiredSection.Credentials, new CredentialsWanted { Retire = { retire } }.ToByteArray(), now, cancellationToken);
        events.Audit(new AuditFact("callhome.key-rotation-requested", AuditLog.Customer, "cluster", id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = id,
            Reason = request.Reason,
            Changes = [Change.Add("/retire", retire)],
        });
        await db.SaveChangesAsync(cancellationToken);
        await directory.RefreshAsync(now, cancellationToken);
        return TypedResults.Accepted($"/api/v1/callhome/clusters/{id}", Of(cluster, keys, version, retire));
    }

    private static KeyRotationAsked Of(Cluster cluster, IReadOnlyCollection<ClusterKeyRow> keys, long version, List<string> retire)
    {
        var inForce = keys.Where(key => key.Use == ClusterKeyRow.Identity && IsInForce(key)).ToList();
        var done = !inForce.Exists(key => retire.Contains(key.Kid));
        var waits = !done && cluster.State == ClusterState.Suspended;
        return new KeyRotationAsked(
            DateTimeOffset.FromUnixTimeMilliseconds(version), retire, done, done && inForce.Count > 0 ? inForce.Max(key => key.NotBefore) : null,
            waits ? "suspended" : null, waits ? "The cluster is suspended: it learns of this after it was resumed." : null);
    }

    // Until the new one is used two are in force.
    private static bool IsInForce(ClusterKeyRow key) => key.NotAfter is null;
}
