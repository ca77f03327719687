using System.Text.RegularExpressions;
using MissionControl.Cli.Scan;
using MissionControl.Protocol.Tokens;
using MissionControl.Testing;
using YamlDotNet.RepresentationModel;

namespace MissionControl.Cli.Tests;

/// <summary>
/// The published rules, read from their files, against the definition. Both scanners search with RE2; the engine here that does not
/// backtrack refuses most of what RE2 lacks, and every pattern is written in what the two share.
/// </summary>
public sealed partial class LeakRulesTests
{
    private static readonly Random Chance = new(20260914);

    public static TheoryData<string> Files => [.. LeakRules.Formats.Keys.Select(format => format == "gitleaks" ? "gitleaks.toml" : "trufflehog.yaml")];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_rules_match_every_token_of_every_kind_and_each_only_its_own(string file)
    {
        var rules = Rules(file);
        Assert.Equal(TokenKind.All.Select(kind => kind.Prefix), rules.Select(rule => rule.Keyword));
        foreach (var kind in TokenKind.All)
        {
            for (var i = 0; i < 300; i++)
            {
                var token = kind.Letter == 'c' ? SealedToken.Format('c', RandomBytes(12 + i)) : TokenText.New(kind.Letter, out _, out _);
                foreach (var rule in rules)
                {
                    Assert.Equal(rule.Keyword == kind.Prefix ? [token] : [], rule.Regex.Matches($"é\"{token}\"").Select(match => match.Value));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_rules_match_exactly_what_has_the_form_of_a_token(string file)
    {
        var rules = Rules(file);
        var found = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = LookAlikes();
            var byRules = rules.SelectMany(rule => rule.Regex.Matches(text).Select(match => (match.Index, match.Length))).Order();
            var byDefinition = Forms(text).ToList();
            found += byDefinition.Count;

            Assert.True(byRules.SequenceEqual(byDefinition), text);
        }

        Assert.InRange(found, 5_000, int.MaxValue);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void The_rules_use_nothing_but_what_every_engine_has(string file) => Assert.All(Rules(file), rule => Assert.Matches(PlainSyntax(), rule.Regex.ToString()));

    [Theory]
    [InlineData("gitleaks", "gitleaks.toml")]
    [InlineData("trufflehog", "trufflehog.yaml")]
    public async Task The_command_writes_what_is_published(string format, string file)
    {
        using var space = new Workspace();

        Assert.Equal((0, Read(file), ""), await space.McAsync("scan", "--rules", format));
    }

    // A rule knows its own kind only, and goes on after what it matched.
    private static IEnumerable<(int Index, int Length)> Forms(string text)
    {
        var ends = new Dictionary<char, int>();
        var at = 0;
        while (TokenScanner.TryFindForm(text.AsSpan(at), out var index, out var length))
        {
            at += index;
            if (ends.GetValueOrDefault(text[at + 2]) <= at)
            {
                ends[text[at + 2]] = at + length;
                yield return (at, length);
            }

            at++;
        }
    }

    // Pieces of tokens, whole and cut, in any order: most of what they make is almost a token.
    private static string LookAlikes() => string.Concat(Enumerable.Range(0, Chance.Next(1, 8)).Select(_ => Chance.Next(9) switch
    {
        0 => $"mc{"eauwscxE"[Chance.Next(8)]}_",
        1 => $"mc{"eauwsc"[Chance.Next(6)]}_{Digits(12)}_",
        2 => $"mc{"eauwsc"[Chance.Next(6)]}_{Digits(Chance.Next(11, 14))}_{Digits(Chance.Next(18, 52))}",
        3 => TokenText.New("eauws"[Chance.Next(5)], out var _, out var _),
        4 => SealedToken.Format('c', RandomBytes(Chance.Next(0, 60))),
        5 => Digits(Chance.Next(1, 60)),
        6 => "_",
        7 => "mca",
        _ => " -é\n.".Substring(Chance.Next(5), 1),
    }));

    private static string Digits(int count) => new([.. Chance.GetItems<char>("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", count)]);

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        Chance.NextBytes(bytes);
        return bytes;
    }

    private static List<(string Keyword, Regex Regex)> Rules(string file) => [.. (file.EndsWith(".toml", StringComparison.Ordinal) ? Toml(Read(file)) : Yaml(Read(file)))
        .Select(rule => (rule.Keyword, new Regex(rule.Pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)))];

    private static IEnumerable<(string Keyword, string Pattern)> Toml(string text) => GitleaksRule().Matches(text).Select(match => (match.Groups["keyword"].Value, match.Groups["regex"].Value));

    private static IEnumerable<(string Keyword, string Pattern)> Yaml(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return ((YamlSequenceNode)yaml.Documents[0].RootNode["detectors"]).Select(detector => (((YamlSequenceNode)detector["keywords"]).Single().ToString(), detector["regex"]["token"].ToString()));
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(SourceTree.Root, "docs", "leaks", file));

    [GeneratedRegex("^\\[\\[rules\\]\\]\nid = \"mission-control-[a-z-]+\"\ndescription = \"[^\"]+\"\nregex = '''(?<regex>.+)'''\nkeywords = \\[\"(?<keyword>mc._)\"\\]\n", RegexOptions.Multiline)]
    private static partial Regex GitleaksRule();

    [GeneratedRegex(@"^mc[a-z]_\[0-9A-Za-z\]\{\d+\}_\[0-9A-Za-z\]\{\d{1,3},?\}$")]
    private static partial Regex PlainSyntax();
}
