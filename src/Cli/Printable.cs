using System.Globalization;

namespace MissionControl.Cli;

/// <summary>Text of others, for a terminal: a name of a file or a sentence of a server must not steer the terminal of who reads it.</summary>
internal static class Printable
{
    private const int Most = 2000;

    /// <summary>One line, and no longer than can be read.</summary>
    public static string Line(string? text)
    {
        var line = string.Concat((text ?? "").Select(c => Steers(c) ? '?' : c));
        return line.Length <= Most ? line : $"{line[..Most]}…";
    }

    /// <summary>Control characters, and those that turn the direction of what is read or are not seen.</summary>
    public static bool Steers(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
