namespace MissionControl.Platform.Modules;

/// <summary>All modules of the product, and those whose role runs in this process.</summary>
public sealed class ModuleCatalog
{
    /// <summary>Takes the modules and the names of the active roles; <c>all</c> activates every one.</summary>
    /// <exception cref="ArgumentException">A role is unknown; the message lists the known ones.</exception>
    public ModuleCatalog(IReadOnlyList<IModule> all, IReadOnlyCollection<string> roles)
    {
        ArgumentNullException.ThrowIfNull(all);
        ArgumentNullException.ThrowIfNull(roles);
        All = all;
        var unknown = roles.FirstOrDefault(role => role != AllRoles && all.All(module => module.Name != role));
        if (unknown is not null)
        {
            throw new ArgumentException($"There is no role '{unknown}'. Choose from: all, {string.Join(", ", all.Select(module => module.Name))}.");
        }

        Active = roles.Contains(AllRoles) ? all : [.. all.Where(module => roles.Contains(module.Name))];
    }

    /// <summary>The value of <c>--role</c> that runs everything in one process.</summary>
    public const string AllRoles = "all";

    /// <summary>Every module; all of them contribute to the model.</summary>
    public IReadOnlyList<IModule> All { get; }

    /// <summary>The modules whose role runs here.</summary>
    public IReadOnlyList<IModule> Active { get; }
}
