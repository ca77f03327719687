using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MissionControl.Catalog;
using MissionControl.Fleet.Health;
using MissionControl.Host;

namespace MissionControl.Architecture.Tests;

/// <summary>Pages of the docs that are written from the code, and what must agree with them.</summary>
public sealed partial class GeneratedPagesTests
{
    [Fact]
    public void The_page_of_log_events_is_what_the_code_logs()
    {
        var text = new StringBuilder("""
            # Log events

            Logs are JSON lines on standard output. `EventId` is stable: alarms may rest on it. Below `Warning` nothing needs a person. What to do: [operations](../operations.md#what-each-alarm-means).

            Written from the code by `infra/dev docs`.

            | event | level | from | text |
            | --- | --- | --- | --- |

            """);
        var events = Repository.SourceFiles.SelectMany(file => LogEvent().Matches(Repository.Read(file)).Select(match => (file, match)))
            .OrderBy(entry => int.Parse(entry.match.Groups["id"].Value, CultureInfo.InvariantCulture));
        foreach (var (file, match) in events)
        {
            text.Append("| ").Append(match.Groups["id"].Value).Append(" | ").Append(match.Groups["level"].Value).Append(" | ").Append(PartOf(file))
                .Append(" | ").Append(match.Groups["text"].Value.Replace("|", "\\|", StringComparison.Ordinal)).Append(" |\n");
        }

        GoldenFile.Check("docs/api/log-events.md", text.ToString());
    }

    [Fact]
    public void The_page_of_configuration_is_what_verify_config_knows()
    {
        var text = new StringBuilder("""
            # Configuration

            Every key there is. In a file: JSON, sections nested. In the environment: `MissionControl__Section__Key`. A key that is not here is refused by `missioncontrol verify-config`.

            Written from the code by `infra/dev docs`.

            | key | meaning |
            | --- | --- |

            """);
        foreach (var (key, meaning) in ConfigurationKeys.Known)
        {
            text.Append("| `").Append(key).Append("` | ").Append(meaning).Append(" |\n");
        }

        GoldenFile.Check("docs/api/configuration.md", text.ToString());
    }

    [Fact]
    public void The_page_of_health_rules_is_what_fleet_judges_by()
    {
        var text = new StringBuilder("""
            # Health rules

            What makes a cluster yellow or red. A rule whose signal is not reported is unknown, and unknown is never taken for green. A cluster is as well as its worst known rule. Where a time is given, the threshold must have been passed for so long, counted from the last time it was not; what has been so since the first message counts at once. A state ends only when the value has come back by the margin. Rules marked ° are shown and do not colour the cluster; rules marked * do not while the cluster says that somebody works on it.

            Written from the code by `infra/dev docs`.

            | rule | signal | yellow | red | what follows | usual cause | what to do |
            | --- | --- | --- | --- | --- | --- | --- |

            """);
        foreach (var rule in Rules.All.Values.OrderBy(rule => rule.Id, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{rule.Id}` v{rule.Version}{(rule.Colours ? "" : " °")}{(rule.RestsInMaintenance ? " *" : "")} | {rule.Signal}{(rule.Margin > 0 ? $" (margin {rule.Margin})" : "")} | {Threshold(rule, rule.Warning, rule.WarningFor)} | {Threshold(rule, rule.Critical, rule.CriticalFor)} | {rule.Impact} | {rule.Cause} | {rule.Action} |\n");
        }

        GoldenFile.Check("docs/api/health-rules.md", text.ToString());
    }

    [Fact]
    public void Every_option_that_is_bound_is_a_known_key()
    {
        var types = ModuleList.All.Select(module => module.GetType().Assembly).Append(typeof(Platform.Modules.IModule).Assembly).Distinct()
            .SelectMany(assembly => assembly.GetTypes()).ToLookup(type => type.Name);
        var unknown = Repository.SourceFiles
            .SelectMany(file => Binding().Matches(Repository.Read(file)))
            .SelectMany(match => types[match.Groups["type"].Value]
                .SelectMany(type => type.GetProperties())
                .Where(property => property.SetMethod is not null)
                .Select(property => $"{match.Groups["section"].Value}:{property.Name}"))
            .Where(key => !ConfigurationKeys.Known.Keys.Any(known => key == known || key.StartsWith(known + ":", StringComparison.OrdinalIgnoreCase) || known.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase)));

        Assert.Empty(unknown);
    }

    [Fact]
    public void Links_between_pages_lead_somewhere()
    {
        var broken = Repository.Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal)).SelectMany(file => Link().Matches(Repository.Read(file))
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal) && !Exists(file, target))
            .Select(target => $"{file}: {target}"));

        Assert.Empty(broken);
    }

    [Fact]
    public void The_operations_page_names_every_option_of_run()
    {
        var page = Repository.Read("docs/operations.md");

        Assert.DoesNotContain(Option().Matches(Repository.Read("src/Host/Commands/MissionControlCommand.cs")).Select(match => match.Groups["name"].Value),
            option => !page.Contains($"`{option}", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_test_that_a_page_names_exists()
    {
        var tests = string.Concat(Repository.Files.Where(file => file.StartsWith("tests/", StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal)).Select(Repository.Read));
        var named = Repository.Files.Where(file => file.EndsWith(".md", StringComparison.Ordinal)).SelectMany(file => TestName().Matches(Repository.Read(file)).Select(match => match.Groups["name"].Value)).Distinct().ToList();

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, name => !tests.Contains($" {name}(", StringComparison.Ordinal));
    }

    private static string Threshold(Rule rule, double? value, TimeSpan wait) => (value, rule.Unit) switch
    {
        (null, _) => "",
        (_, "") => "when so",
        _ => string.Create(CultureInfo.InvariantCulture, $"{(rule.FallingIsBad ? "≤" : "≥")} {value} {rule.Unit}{(wait == TimeSpan.Zero ? "" : wait < TimeSpan.FromHours(1) ? $" for {wait.TotalMinutes} min" : $" for {wait.TotalHours} h")}"),
    };

    private static string PartOf(string file) => file.Split('/') is ["src", "Modules", var module, ..] ? module.ToLowerInvariant() : file.Split('/')[1];

    private static bool Exists(string file, string target)
    {
        var parts = target.Split('#');
        var page = parts[0].Length == 0 ? file : Path.GetRelativePath(Repository.Root, Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(file)!, parts[0])));
        var path = Path.Combine(Repository.Root, page);
        return (File.Exists(path) || Directory.Exists(path))
            && (parts.Length == 1 || Heading().Matches(File.ReadAllText(path)).Any(match => Anchor(match.Groups["text"].Value) == parts[1]));
    }

    private static string Anchor(string heading) => NotInAnchor().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex("\\[LoggerMessage\\(\\s*(?:EventId\\s*=\\s*)?(?<id>\\d+),\\s*(?:Level\\s*=\\s*)?LogLevel\\.(?<level>\\w+),\\s*(?:Message\\s*=\\s*)?\"(?<text>(?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex LogEvent();

    [GeneratedRegex("AddOptions<(?<type>\\w+)>\\(\\)\\s*\\.BindConfiguration\\(\"(?<section>[\\w:]+)\"")]
    private static partial Regex Binding();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("new\\(\"(?<name>--[a-z-]+)\"\\)")]
    private static partial Regex Option();

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("`(?<name>[A-Z][a-z0-9]*(?:_[A-Za-z0-9]+){2,})`")]
    private static partial Regex TestName();

    [GeneratedRegex("[^a-z0-9 _-]")]
    private static partial Regex NotInAnchor();
}
