using Microsoft.EntityFrameworkCore;
using MissionControl.CallHome.Clusters;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.CallHome.Credentials;

/// <summary>
/// Ends the access that a leaked access token gave: every token of that cluster from before is worth nothing, and the cluster, whose
/// keys did not leak, gets another by its next assertion. One that ended by itself is told of all the same: what prints tokens prints
/// the next one too.
/// </summary>
internal sealed class EndLeakedAccess(ControlPlaneDbContext db, AccessTokens tokens, IEvents events)
{
    public const string Kind = "c";

    /// <summary>Judges the access tokens among what was found, within what the caller saves.</summary>
    public async Task<IReadOnlyList<JudgedToken>> ApplyAsync(IEnumerable<LeakedToken> found, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var read = found.Where(one => one.Kind == Kind).Select(one => (Found: one, Token: tokens.TryIdentify(one.Untagged, one.SecretSha256, out var token) ? token : (AccessToken?)null)).ToList();
        var ids = read.Select(one => one.Token?.ClusterId).OfType<Guid>().Distinct().ToList();
        var clusters = ids.Count == 0 ? [] : await db.Set<Cluster>().Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);

        // By the generations before: of two tokens of one cluster in one report the second is not dead already because of the first.
        var before = clusters.ToDictionary(one => one.Key, one => one.Value.AccessGeneration);
        var judged = read.ConvertAll(one => Judge(one.Found, one.Token, one.Token is { } token ? clusters.GetValueOrDefault(token.ClusterId) : null, before, now));
        await EndAsync([.. judged.Where(one => one.Outcome == "revoked").Select(one => one.ClusterId!.Value).Distinct().Select(id => clusters[id])], now, cancellationToken);
        return judged;
    }

    private static JudgedToken Judge(LeakedToken found, AccessToken? token, Cluster? cluster, Dictionary<Guid, long> before, DateTimeOffset now)
    {
        if (token is not { } access || cluster is null)
        {
            return new JudgedToken(found.IncidentId, "unknown", null, null, null, null);
        }

        var outcome = access.ExpiresAt <= now.ToUnixTimeSeconds() ? "was-expired" : access.Generation < before[cluster.Id] || cluster.State == ClusterState.Decommissioned ? "was-revoked" : "revoked";
        return new JudgedToken(found.IncidentId, outcome, cluster.CustomerId, cluster.Id, cluster.Name, null);
    }

    private async Task EndAsync(IReadOnlyList<Cluster> clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (clusters.Count == 0)
        {
            return;
        }

        var ids = clusters.Select(cluster => cluster.Id).ToList();
        var keys = (await db.Set<ClusterKeyRow>().Where(row => ids.Contains(row.ClusterId)).ToListAsync(cancellationToken)).ToLookup(row => row.ClusterId);
        foreach (var cluster in clusters)
        {
            cluster.EndAccess(now);
            events.Publish(cluster.ToEvent([.. keys[cluster.Id]], now));
            events.Audit(new AuditFact("callhome.cluster-access-ended", AuditLog.Customer, "cluster", cluster.Id.ToString()) { CustomerId = cluster.CustomerId, ClusterId = cluster.Id, Reason = "an access token leaked", Changes = [Change.Replace("/accessGeneration", cluster.AccessGeneration - 1, cluster.AccessGeneration)] });
        }
    }
}
