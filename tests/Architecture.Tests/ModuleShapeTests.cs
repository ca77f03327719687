using MissionControl.Catalog;
using MissionControl.Platform.Modules;

namespace MissionControl.Architecture.Tests;

/// <summary>A module is its one public type; everything else is its own affair.</summary>
public sealed class ModuleShapeTests
{
    public static TheoryData<string> Names => [.. ModuleList.All.Select(module => module.Name)];

    [Fact]
    public void The_catalog_holds_the_nine_roles() => Assert.Equal(
        ["audit", "callhome", "fleet", "identity", "licensing", "notifications", "portal", "remoteaccess", "updates"],
        ModuleList.All.Select(module => module.Name).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_module_exports_exactly_one_type(string name)
    {
        var module = ModuleList.All.Single(candidate => candidate.Name == name).GetType();

        // The Razor compiler makes every component public, whatever it is asked for: pages are not an interface to other roles.
        // What a component is handed must be as public as the component; it lives beside it.
        var exported = module.Assembly.GetExportedTypes().Where(type => !IsComponent(type) && !type.Namespace!.StartsWith("MissionControl.Portal.Look", StringComparison.Ordinal));

        Assert.Equal([module], exported);
        Assert.True(module.IsSealed && typeof(IModule).IsAssignableFrom(module));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_assembly_of_a_module_uses_another_module(string name)
    {
        var assemblies = ModuleList.All.Select(module => module.GetType().Assembly.GetName().Name).ToHashSet();
        var own = ModuleList.All.Single(candidate => candidate.Name == name).GetType().Assembly;

        Assert.DoesNotContain(own.GetReferencedAssemblies().Select(reference => reference.Name), assemblies.Contains);
    }

    private static bool IsComponent(Type type)
    {
        for (var ancestor = type.BaseType; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (ancestor.FullName == "Microsoft.AspNetCore.Components.ComponentBase")
            {
                return true;
            }
        }

        return type.FullName!.EndsWith("._Imports", StringComparison.Ordinal);
    }
}
