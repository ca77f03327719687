using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Groups;
using MissionControl.Platform.Data;

namespace MissionControl.Identity.People;

/// <summary>How held roles are told: what somebody holds now once each, whatever it is held through; what it ever held row by row.</summary>
internal static class HeldRoles
{
    /// <summary>The names of the groups through which these roles are held, of removed ones too.</summary>
    public static async Task<IReadOnlyDictionary<Guid, string>> GroupNamesAsync(ControlPlaneDbContext db, IEnumerable<HeldRole> held, CancellationToken cancellationToken)
    {
        var ids = held.Where(row => !row.IsDirect).Select(row => row.GroupId).Distinct().ToList();
        return ids.Count == 0 ? new Dictionary<Guid, string>() : await db.Set<Group>().AsNoTracking().Where(row => ids.Contains(row.Id)).Select(row => new { row.Id, row.Name }).ToDictionaryAsync(row => row.Id, row => row.Name, cancellationToken);
    }

    /// <summary>Roles that are held now.</summary>
    public static IReadOnlyList<HeldRoleItem> Now(IEnumerable<HeldRole> open, IReadOnlyDictionary<Guid, string> groups) =>
    [
        .. open.GroupBy(row => row.Role).OrderBy(role => role.Key, StringComparer.Ordinal).Select(role => new HeldRoleItem(role.Key, role.Min(row => row.Since), null)
        {
            IsDirect = role.Any(row => row.IsDirect),
            Groups = [.. role.Where(row => !row.IsDirect).Select(row => NameOf(row, groups)).OrderBy(group => group.Name, StringComparer.Ordinal)],
        }),
    ];

    /// <summary>Roles that were held, and through what.</summary>
    public static IReadOnlyList<HeldRoleItem> History(IEnumerable<HeldRole> rows, IReadOnlyDictionary<Guid, string> groups) =>
        [.. rows.Select(row => new HeldRoleItem(row.Role, row.Since, row.Until) { IsDirect = row.IsDirect, Groups = row.IsDirect ? [] : [NameOf(row, groups)] })];

    /// <summary>What somebody holds, each role once, in order.</summary>
    public static IReadOnlyList<string> Names(IEnumerable<HeldRole> open) => [.. open.Select(row => row.Role).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static GroupName NameOf(HeldRole row, IReadOnlyDictionary<Guid, string> groups) => new(row.GroupId, groups.GetValueOrDefault(row.GroupId) ?? "");
}
