using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MissionControl.Architecture.Tests.Deploy;

/// <summary>Sample configurations, alert rules and dashboards say only what the code knows.</summary>
public sealed partial class OperationsFilesTests
{
    // Of the web server and the scraper.
    private static readonly string[] Foreign = ["up", "http_server_request_duration", "kestrel_active_connections", "kestrel_rejected_connections"];

    private static IReadOnlyList<string> Metrics { get; } = [.. Foreign, .. Repository.SourceFiles.SelectMany(file => Instrument().Matches(Repository.Read(file)).Select(match => match.Groups["name"].Value.Replace('.', '_').Replace('-', '_')))];

    public static TheoryData<string> Samples => [.. Repository.Files.Where(file => file.StartsWith("infra/config", StringComparison.Ordinal) && file.EndsWith(".json", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_sample_configuration_passes_verify_config(string file)
    {
        using var check = new ConfigCheck();
        var config = Repository.Read(file);
        var distributed = JsonNode.Parse(config)!["RabbitMq"] is not null;
        var environment = distributed ? new Dictionary<string, string> { ["MissionControl__RabbitMq__User"] = "mc_portal" } : [];

        check.Verify(["run", "--role", distributed ? "portal" : "all", "--data", "/data", "--config", file], environment, config, ConfigCheck.NamedSecrets(config));
    }

    [Fact]
    public void Every_sample_stands_in_the_next_configuration_too() => Assert.Equal(
        Samples.Select(row => row.Data).Where(file => file.StartsWith("infra/config/", StringComparison.Ordinal)).Select(Path.GetFileName),
        Samples.Select(row => row.Data).Where(file => file.StartsWith("infra/config-next/", StringComparison.Ordinal)).Select(Path.GetFileName));

    [Fact]
    public void Prometheus_takes_the_alert_rules() => Assert.Contains("SUCCESS", Tools.Run("promtool", ["check", "rules", "infra/alerts/missioncontrol.yml"]), StringComparison.Ordinal);

    [Fact]
    public void Every_alert_rests_on_metrics_that_exist_and_leads_to_a_page()
    {
        var rules = Tools.Yaml(Repository.Read("infra/alerts/missioncontrol.yml")).Single()["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray()).ToList();

        Assert.NotEmpty(rules);
        Assert.Empty(rules.SelectMany(rule => Unknown(rule!["expr"].Text())));
        Assert.All(rules, rule =>
        {
            var page = rule!["annotations"]!["runbook"].Text().Split('#');
            Assert.Contains(page[1].Replace('-', ' '), Repository.Read(page[0]).ToLowerInvariant(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Every_panel_shows_metrics_that_exist()
    {
        var panels = JsonNode.Parse(Repository.Read("infra/dashboards/missioncontrol.json"))!["panels"]!.AsArray();

        Assert.NotEmpty(panels);
        Assert.Empty(panels.SelectMany(panel => panel!["targets"]!.AsArray()).SelectMany(target => Unknown(target!["expr"].Text())));
    }

    private static IEnumerable<string> Unknown(string expression)
    {
        var bare = Text().Replace(Selector().Replace(expression, ""), "");
        return Metric().Matches(Grouping().Replace(bare, "")).Select(match => match.Value)
            .Where(name => !Metrics.Any(metric => name == metric || Suffixes(metric).Contains(name)));
    }

    private static string[] Suffixes(string metric) => [metric + "_total", metric + "_bucket", metric + "_sum", metric + "_count"];

    [GeneratedRegex("Create(?:Counter|Histogram|UpDownCounter|Gauge|Observable\\w+)<\\w+>\\(\\s*\"(?<name>[a-z0-9._-]+)\"")]
    private static partial Regex Instrument();

    [GeneratedRegex("\\{[^}]*\\}|\\[[^\\]]*\\]")]
    private static partial Regex Selector();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Text();

    [GeneratedRegex(@"\b(?:by|without|on|ignoring)\s*\([^)]*\)")]
    private static partial Regex Grouping();

    // A name that is not called as a function and is no operator.
    [GeneratedRegex(@"\b(?!(?:and|or|unless)\b)[a-z][a-z0-9_]*\b(?!\s*\()")]
    private static partial Regex Metric();
}
