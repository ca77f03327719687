using System.Globalization;

namespace MissionControl.Cli;

/// <summary>Text of others, for a terminal: a name of a file or a sentence of a server must not steer the terminal of who reads it.</summary>
internal static class Printable
{
    /// <summary>One line.</summary>
    public static string Line(string? text) => string.Concat((text ?? "").Select(c => Steers(c) ? '?' : c));

    /// <summary>Control characters, and those that turn the direction of what is read or are not seen.</summary>
    public static bool Steers(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
