using System.Collections.Frozen;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace MissionControl.Notifications;

/// <summary>A mail as it is sent: the same words as text and as HTML.</summary>
/// <param name="Subject">One line.</param>
/// <param name="Text">Paragraphs, separated by empty lines.</param>
internal sealed record Letter(string Subject, string Text)
{
    /// <summary>The text as HTML: nothing in it is markup, whoever wrote the words that were filled in, and nothing in it is a link.</summary>
    public string Html()
    {
        var html = new StringBuilder("""<!doctype html><html><head><meta charset="utf-8"></head><body style="font:16px/1.5 system-ui,sans-serif;max-width:38em;margin:1.5em;color:#1d2733">""");
        foreach (var paragraph in Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            html.Append("<p>").Append(WebUtility.HtmlEncode(paragraph.Trim()).Replace("\n", "<br>", StringComparison.Ordinal)).Append("</p>");
        }

        return html.Append("</body></html>").ToString();
    }
}

/// <summary>What mails say: one embedded file for each, the subject in its first line, words to fill in between braces.</summary>
internal static partial class Templates
{
    private static readonly FrozenDictionary<string, string> Files = Load();

    /// <summary>Names of all templates.</summary>
    public static IEnumerable<string> Names => Files.Keys;

    /// <summary>The words that a template wants.</summary>
    public static IEnumerable<string> WordsOf(string name) => Blank().Matches(Files[name]).Select(match => match.Groups[1].Value).Distinct();

    /// <summary>Fills a template in. A word of several lines becomes one line, so that nobody adds a paragraph to what we say.</summary>
    /// <exception cref="InvalidDataException">There is no such template, or a word is missing.</exception>
    public static Letter Fill(string name, IReadOnlyDictionary<string, string> words)
    {
        var template = Files.GetValueOrDefault(name) ?? throw new InvalidDataException($"There is no template '{name}'.");
        var filled = Blank().Replace(template, match => words.TryGetValue(match.Groups[1].Value, out var word)
            ? Space().Replace(word, " ")
            : throw new InvalidDataException($"The template '{name}' wants the word '{match.Groups[1].Value}'."));
        var end = filled.IndexOf('\n', StringComparison.Ordinal);
        return new Letter(filled[..end].Trim(), filled[end..].Trim());
    }

    private static FrozenDictionary<string, string> Load()
    {
        var assembly = typeof(Templates).Assembly;
        return assembly.GetManifestResourceNames().ToFrozenDictionary(name => name, name =>
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return reader.ReadToEnd().ReplaceLineEndings("\n");
        });
    }

    [GeneratedRegex(@"\{([a-z]+)\}")]
    private static partial Regex Blank();

    [GeneratedRegex(@"[\s\p{C}]+")]
    private static partial Regex Space();
}
