using System.Text;
using MissionControl.Protocol.Tokens;

namespace MissionControl.Cli.Scan;

/// <summary>
/// Rules for other scanners, from the one definition. They know regular expressions of RE2 alone and so cannot ask the checksum:
/// they may find a look-alike that <c>mc scan</c> does not.
/// </summary>
internal static class LeakRules
{
    /// <summary>Names of the forms there are, each with what writes it.</summary>
    public static IReadOnlyDictionary<string, Func<string>> Formats { get; } = new Dictionary<string, Func<string>>(StringComparer.Ordinal) { ["gitleaks"] = Gitleaks, ["trufflehog"] = Trufflehog };

    private static string Gitleaks()
    {
        var text = new StringBuilder(Head("gitleaks")).Append("\ntitle = \"Mission Control\"\n");
        foreach (var kind in TokenKind.All)
        {
            // A literal string of TOML: nothing in it is escaped.
            text.Append($"""

                [[rules]]
                id = "{Name(kind)}"
                description = "Mission Control: {kind.Name}"
                regex = '''{kind.Pattern}'''
                keywords = ["{kind.Prefix}"]

                [[rules.allowlists]]
                regexTarget = "line"
                regexes = ['''{TextScanner.AllowMarker}''']

                """);
        }

        return text.ToString();
    }

    private static string Trufflehog()
    {
        var text = new StringBuilder(Head("trufflehog")).Append("\ndetectors:\n");
        foreach (var kind in TokenKind.All)
        {
            text.Append($"""
                  - name: {Name(kind)}
                    keywords:
                      - {kind.Prefix}
                    regex:
                      token: '{kind.Pattern}'

                """);
        }

        return text.ToString();
    }

    private static string Head(string format) => $"# Finds the tokens of Mission Control. Written from their definition by `mc scan --rules {format}`; docs/leaks.md says how to use it.\n";

    private static string Name(TokenKind kind) => $"mission-control-{kind.Name.ToLowerInvariant().Replace(' ', '-')}";
}
