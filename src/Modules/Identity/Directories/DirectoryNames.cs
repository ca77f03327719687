using System.Globalization;
using System.Text;

namespace MissionControl.Identity.Directories;

/// <summary>Names as directories and people write them.</summary>
internal static class DirectoryNames
{
    public const int Longest = 200;

    /// <summary>Whether somebody can be looked for by it: something that can be seen, of whole characters, none of which controls anything.</summary>
    public static bool IsName(string name) => name.Trim().Length > 0 && name.EnumerateRunes().All(rune => rune.Value != 0xFFFD && !Rune.IsControl(rune) && Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));

    /// <summary>
    /// What a group of the configuration and one of the directory are compared by: directories do not tell capitals from small letters
    /// (caseIgnoreMatch), and write a DN with or without a space behind its commas.
    /// </summary>
    public static string KeyOfGroup(string text) => IsDn(text) ? KeyOfDn(text) : text.Trim().ToUpperInvariant();

    /// <summary>The same of a name that a group calls itself; null: it looks like a DN, which it is not, or like everybody.</summary>
    public static string? KeyOfGroupName(string name) => IsDn(name) || name.Trim() == Federation.Provider.Everybody ? null : KeyOfGroup(name);

    public static string KeyOfDn(string dn)
    {
        var key = new StringBuilder(dn.Length);
        var isBetween = false;
        for (var i = 0; i < dn.Length; i++)
        {
            // A comma that is escaped is part of a value (RFC 4514, 2.4), and so is the space behind it.
            if (dn[i] == '\\' && i + 1 < dn.Length)
            {
                key.Append(dn[i++]);
                isBetween = false;
            }
            else if (dn[i] == ' ' && isBetween)
            {
                continue;
            }
            else
            {
                isBetween = dn[i] == ',';
            }

            key.Append(dn[i]);
        }

        return key.ToString().ToUpperInvariant();
    }

    private static bool IsDn(string text) => text.Contains('=', StringComparison.Ordinal);
}
