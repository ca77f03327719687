using System.Text.RegularExpressions;
using MissionControl.Cli.Scan;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Architecture.Tests;

/// <summary>The rules that others find our tokens by are written from the definition that makes them.</summary>
public sealed partial class LeakRulesTests
{
    [Theory]
    [InlineData("gitleaks", "docs/leaks/gitleaks.toml")]
    [InlineData("trufflehog", "docs/leaks/trufflehog.yaml")]
    public void The_rules_for_other_scanners_are_what_the_definition_says(string format, string file) => GoldenFile.Check(file, LeakRules.Formats[format]());

    [Fact]
    public void The_page_of_leaks_names_every_kind_of_token_and_only_routes_that_there_are()
    {
        var page = Repository.Read("docs/leaks.md");
        var routes = Repository.Read("docs/api/routes.md").Replace(":guid}", "}", StringComparison.Ordinal);

        Assert.All(TokenKind.All, kind => Assert.Contains($"`{kind.Prefix}`", page, StringComparison.Ordinal));
        Assert.All(Route().Matches(page), match => Assert.Contains($"| POST | `{match.Groups["path"].Value}` |", routes, StringComparison.Ordinal));
    }

    [GeneratedRegex("`POST (?<path>[^`]+)`")]
    private static partial Regex Route();
}
