using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.CallHome.Clusters;
using MissionControl.Contracts;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Tokens;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Enrollment;

/// <summary>
/// <c>POST /api/v1/callhome/clusters/{id}/enrollment-tokens</c>: a cluster whose machine or key was lost is enrolled anew. It keeps its id
/// and its history; every key and all access from before are worthless from then on, and whoever speaks by them is a copy.
/// </summary>
internal static class Readmit
{
    public static void Map(IEndpointRouteBuilder api) => api
        .MapPost("/clusters/{id:guid}/enrollment-tokens", CreateAsync).RequireScope("callhome:write").WithName("CreateReadmissionToken")
        .WithSummary("Make a one-time token by which a machine takes over an existing cluster; its secret is shown once").Produces<CreatedEnrollmentToken>(StatusCodes.Status201Created).AcceptIdempotencyKey();

    /// <summary>Why no token can be made for it, in words; null: one can.</summary>
    public static string? Hindrance(Cluster cluster) => cluster.State == ClusterState.Decommissioned ? "The cluster is decommissioned, for good. Enrol the machine as a new cluster." : null;

    private static async Task<IResult> CreateAsync(Guid id, ReadmitClusterRequest request, ControlPlaneDbContext db, Anchors anchors, IEvents events, TimeProvider time, CancellationToken cancellationToken)
    {
        var cluster = await db.Set<Cluster>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        if (cluster is null)
        {
            return Problems.NotFound();
        }

        if (Hindrance(cluster) is { } hindrance)
        {
            return Problems.Of(ProblemCodes.ClusterStateConflict, hindrance);
        }

        // One at a time: of two that lie around, nobody knows which one was meant.
        var now = time.GetUtcNow();
        foreach (var open in await db.Set<EnrollmentToken>().Where(row => row.ReadmitsCluster == id && row.UsedAt == null && row.RevokedAt == null).ToListAsync(cancellationToken))
        {
            open.RevokedAt = now;
            open.Version++;
        }

        var text = TokenText.New('e', out var tokenId, out var sha256);
        var token = new EnrollmentToken
        {
            Id = tokenId, SecretSha256 = sha256, CustomerId = cluster.CustomerId, ClusterName = cluster.Name, ReadmitsCluster = id, Networks = "",
            AnchorsSha256 = anchors.Sha256, CreatedAt = now, ExpiresAt = now.AddHours(request.ExpiresInHours),
        };
        db.Add(token);
        events.Audit(new AuditFact("callhome.readmission-token-created", AuditLog.Customer, "cluster", id.ToString())
        {
            CustomerId = token.CustomerId,
            ClusterId = id,
            Reason = request.Reason,
            Changes = [Change.Add("/token", tokenId), Change.Add("/expiresAt", token.ExpiresAt)],
        });
        await db.SaveChangesAsync(cancellationToken);
        return TypedResults.Created($"/api/v1/callhome/enrollment-tokens/{tokenId}", new CreatedEnrollmentToken(tokenId, text, token.AnchorsSha256, token.ExpiresAt));
    }

    /// <summary>Gives a cluster to the machine that holds the token; the caller saves, in the transaction in which it read the token.</summary>
    /// <returns>The cluster, or why not.</returns>
    public static async Task<(Cluster Cluster, (ProblemCode Code, string Detail)? Refusal)> AdmitAsync(
        ControlPlaneDbContext db, IEvents events, EnrollmentToken token, VerificationKey key, EnrollRequest request, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var cluster = await db.Set<Cluster>().SingleAsync(row => row.Id == token.ReadmitsCluster, cancellationToken);
        if (cluster.State == ClusterState.Decommissioned)
        {
            return (cluster, (ProblemCodes.ClusterDecommissioned, "The cluster was decommissioned since. Enrol this machine as a new one."));
        }

        var keys = await db.Set<ClusterKeyRow>().Where(row => row.ClusterId == cluster.Id).ToListAsync(cancellationToken);
        if (keys.Exists(row => row.Kid == key.KeyId || request.FurtherKeys.Any(further => KeyIds.Of(further.Spki.Span) == row.Kid)))
        {
            return (cluster, (ProblemCodes.KeyUnsupported, "A key of this cluster from before does not count again. Enrol with an empty data directory, so that new keys are made."));
        }

        foreach (var old in keys.Where(row => row.NotAfter is null))
        {
            old.NotAfter = now;
        }

        var (before, facts) = (cluster.Epoch, request.Facts ?? new Facts());
        cluster.Readmit(now);
        cluster.AgentVersion = WellFormedText.Line(facts.AgentVersion, 100);
        cluster.InstallFingerprint = Cluster.Fingerprint(facts.InstallFingerprint);
        keys.Add(Row(ClusterKeyRow.Identity, key.KeyId, request.PublicKey.ToByteArray()));
        keys.AddRange(request.FurtherKeys.Select(further => Row(ClusterKeyRow.Witness, KeyIds.Of(further.Spki.Span), further.Spki.ToByteArray())));
        db.AddRange(keys.Where(row => row.Admission == cluster.Admission));
        db.Add(new ClusterEpoch { ClusterId = cluster.Id, Epoch = cluster.Epoch, IssuedAt = now, Reason = ClusterEpoch.Readmitted });
        token.UsedAt = now;
        token.UsedBy = cluster.Id;
        token.UsedKey = key.KeyId;
        token.Version++;
        events.Publish(cluster.ToEvent(keys, now));
        events.Audit(new AuditFact("callhome.cluster-readmitted", AuditLog.Customer, "cluster", cluster.Id.ToString())
        {
            CustomerId = cluster.CustomerId,
            ClusterId = cluster.Id,
            Changes = [Change.Add("/key", key.KeyId), Change.Replace("/epoch", before, cluster.Epoch), Change.Add("/trustedFirstContact", request.TrustedFirstContact)],
            Actor = new AuditActor("cluster", cluster.Id.ToString(), "enrollmentToken", TokenId: token.Id),
        });
        return (cluster, null);

        ClusterKeyRow Row(string use, string kid, byte[] spki) => new() { ClusterId = cluster.Id, Kid = kid, Use = use, Spki = spki, NotBefore = now, Admission = cluster.Admission };
    }
}
