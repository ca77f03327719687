using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.ClusterLogs;

/// <summary>How the logs of customers and those of their clusters fit.</summary>
internal static class ClusterLogCounts
{
    /// <summary>For each customer that has a cluster with a log of its own.</summary>
    public static async Task<Dictionary<Guid, AuditReconciliation>> ReadAsync(ControlPlaneDbContext db, IReadOnlyList<Guid> customers, CancellationToken cancellationToken)
    {
        var missing = await db.Set<Unmatched>().AsNoTracking()
            .Where(row => customers.Contains(row.CustomerId) && !row.Found && !db.Set<Unmatched>().Any(other => other.ClusterId == row.ClusterId && other.Epoch == row.Epoch && other.Side == row.Side && other.Reference == row.Reference && other.Found))
            .GroupBy(row => row.CustomerId).Select(group => new { group.Key, Count = group.LongCount() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
        var logs = await db.Set<ClusterLog>().AsNoTracking().Where(row => customers.Contains(row.CustomerId))
            .GroupBy(row => row.CustomerId).Select(group => new { group.Key, Count = group.LongCount(), Refused = group.LongCount(row => row.Refusal != null) }).ToListAsync(cancellationToken);
        return logs.ToDictionary(group => group.Key, group => new AuditReconciliation(group.Count, missing.GetValueOrDefault(group.Key), group.Refused));
    }
}
