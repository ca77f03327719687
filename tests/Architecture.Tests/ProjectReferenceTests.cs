using System.Xml.Linq;

namespace MissionControl.Architecture.Tests;

/// <summary>Who may reference whom, read from the project files: the compiler drops unused references, this does not.</summary>
public sealed class ProjectReferenceTests
{
    private static readonly string[] ForModules = ["Platform", "Contracts", "Protocol", "Trust"];

    // Protocol is what customers get and references nothing of ours. Platform may read it for the token format (ADR 0006), and so may
    // Cli, which looks for leaked tokens: the definition that it scans by and writes rules from is the one that makes them.
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Protocol"] = [],
        ["Trust"] = [],
        ["Contracts"] = ["Protocol"],
        ["Platform"] = ["Contracts", "Trust", "Protocol"],
        ["Modules/*"] = ForModules,
        ["Modules/Portal"] = [.. ForModules, "Client"],
        ["Catalog"] = ["Modules/*", "Platform"],
        ["Storage/*"] = ["Platform", "Catalog"],
        ["Storage/SqlServer"] = ["Platform", "Catalog", "Storage/SqlServer.Types"],
        ["Storage/SqlServer.Types"] = [],
        ["Host"] = ["Catalog", "Platform", "Storage/*"],
        ["Client"] = ["Contracts"],
        ["ClusterAgent"] = ["Protocol", "Trust"],
        ["FleetSimulator"] = ["ClusterAgent", "Client"],
        ["Cli"] = ["Client", "Trust", "Protocol"],
    };

    public static TheoryData<string> Projects => [.. Repository.Files
        .Where(file => file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".csproj", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_the_layout_allows(string file)
    {
        var project = NameOf(file);
        Assert.True(RuleFor(project) is not null, $"src/{project} is not part of the layout; say in this test what it may reference.");

        var foreign = References(file).Where(reference => !RuleFor(project)!.Any(rule => Matches(rule, reference))).ToList();

        Assert.True(foreign.Count == 0, $"{project} must not reference {string.Join(", ", foreign)}.");
    }

    [Fact]
    public void No_module_references_another()
    {
        var crossings = Projects
            .Select(row => row.Data)
            .Where(file => NameOf(file).StartsWith("Modules/", StringComparison.Ordinal))
            .SelectMany(file => References(file).Where(reference => reference.StartsWith("Modules/", StringComparison.Ordinal)).Select(reference => $"{NameOf(file)} → {reference}"));

        Assert.Empty(crossings);
    }

    [Fact]
    public void The_bus_library_stays_behind_the_platform()
    {
        var users = Projects.Select(row => row.Data).Where(file => NameOf(file) is not ("Platform" or "Contracts")
            && Xml(file).Descendants("PackageReference").Any(package => package.Attribute("Include")?.Value.StartsWith("MassTransit", StringComparison.Ordinal) == true));

        Assert.Empty(users);
    }

    private static string[]? RuleFor(string project) =>
        Allowed.GetValueOrDefault(project) ?? (project.Contains('/', StringComparison.Ordinal) ? Allowed.GetValueOrDefault(project.Split('/')[0] + "/*") : null);

    private static bool Matches(string rule, string reference) =>
        rule == reference || (rule.EndsWith("/*", StringComparison.Ordinal) && reference.StartsWith(rule[..^1], StringComparison.Ordinal) && reference != "Storage/SqlServer.Types");

    private static IEnumerable<string> References(string file) => Xml(file).Descendants("ProjectReference").Select(reference =>
    {
        var path = Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(file)!, reference.Attribute("Include")!.Value.Replace('\\', '/')));
        return NameOf(Path.GetRelativePath(Repository.Root, path));
    });

    private static XDocument Xml(string file) => XDocument.Parse(Repository.Read(file));

    private static string NameOf(string file) => Path.GetDirectoryName(file)!.Replace('\\', '/')["src/".Length..];
}
