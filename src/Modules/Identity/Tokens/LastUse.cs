using Microsoft.EntityFrameworkCore;
using MissionControl.Identity.Leaks;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.Tokens;

/// <summary>When a token last opened a door, and from where.</summary>
/// <param name="At">When, as its role told.</param>
/// <param name="From">The address.</param>
internal sealed record LastUse(DateTimeOffset At, string From)
{
    /// <summary>The last uses of some tokens in one query; of those that were never let in there is none.</summary>
    public static async Task<IReadOnlyDictionary<string, LastUse>> OfAsync(ControlPlaneDbContext db, IEnumerable<string> tokens, CancellationToken cancellationToken)
    {
        var ids = tokens.ToList();
        var accepted = db.Set<UsedToken>().AsNoTracking().Where(row => ids.Contains(row.TokenId) && row.Accepted > 0);
        var last = accepted.GroupBy(row => row.TokenId).Select(group => new { TokenId = group.Key, LastAt = group.Max(row => row.LastAt) });
        var rows = await accepted.Join(last, row => new { row.TokenId, row.LastAt }, one => one, (row, _) => new { row.TokenId, row.LastAt, row.Address }).ToListAsync(cancellationToken);
        return rows.GroupBy(row => row.TokenId, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.OrderBy(row => row.Address, StringComparer.Ordinal).Select(row => new LastUse(row.LastAt, row.Address)).First(), StringComparer.Ordinal);
    }
}
