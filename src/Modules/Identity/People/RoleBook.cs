using MissionControl.Platform.Security;

namespace MissionControl.Identity.People;

/// <summary>A role that people can hold.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Title">The same in words.</param>
/// <param name="Kind">staff or customerUser.</param>
/// <param name="Scopes">What it permits.</param>
internal sealed record PersonRole(string Name, string Title, string Kind, IReadOnlyList<string> Scopes);

/// <summary>Every role there is. What a person may do is the union of the roles it holds.</summary>
internal static class RoleBook
{
    /// <summary>The role that may do everything.</summary>
    public const string Administrator = "administrator";

    /// <summary>The role that manages a customer's people.</summary>
    public const string CustomerAdministrator = "customer-administrator";

    private static readonly string[] Reading = ["callhome:read", "fleet:read", "licensing:read", "notifications:read"];

    /// <summary>All roles, staff first, the least first.</summary>
    public static readonly IReadOnlyList<PersonRole> All =
    [
        new("viewer", "Viewer", Person.Staff, [.. Reading, "system:read"]),
        new("support-engineer", "Support engineer", Person.Staff, [.. Reading, "system:read", "fleet:write", "callhome:write"]),
        new("release-manager", "Release manager", Person.Staff, [.. Reading, "system:read", "updates:read", "updates:write"]),
        new("billing", "Billing", Person.Staff, ["fleet:read", "licensing:read", "licensing:write", "notifications:read"]),
        new("security-officer", "Security officer", Person.Staff, [.. Reading, "system:read", "audit:read", "audit:write", "identity:read", "identity:write", "notifications:write"]),
        new(Administrator, "Administrator", Person.Staff, [Scopes.Everything]),
        new("customer-viewer", "Viewer", Person.CustomerUser, Reading),
        new(CustomerAdministrator, "Administrator", Person.CustomerUser, [.. Reading, "callhome:write", "fleet:write", "audit:read", "audit:write", "identity:read", "identity:write", "notifications:write"]),
    ];

    /// <summary>A role by name; null: there is none.</summary>
    public static PersonRole? Find(string? name) => All.FirstOrDefault(role => role.Name == name);

    /// <summary>What somebody with these roles may do, separated by spaces.</summary>
    public static string ScopesOf(IEnumerable<string> roles)
    {
        var scopes = roles.Select(Find).OfType<PersonRole>().SelectMany(role => role.Scopes).Distinct(StringComparer.Ordinal).ToList();
        return scopes.Contains(Scopes.Everything) ? Scopes.Everything : string.Join(' ', scopes);
    }

    /// <summary>Whether somebody with these rights may give a role: nobody gives more than they hold.</summary>
    public static bool MayGrant(string granted, PersonRole role) => role.Scopes.All(scope => Scopes.Include(granted, scope));
}
