using System.Globalization;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>What a log says of itself: so many entries, and this root (C2SP tlog-checkpoint). The text of a signed note.</summary>
/// <param name="Origin">Which log, by the name that never changes.</param>
/// <param name="Size">How many entries, 0 to 2^63 - 1.</param>
/// <param name="Root">Root of the tree over them.</param>
public sealed record Checkpoint(string Origin, long Size, TreeHash Root)
{
    /// <summary>Lines after the third. They are kept and signed, and mean nothing here; own ones are never added.</summary>
    public IReadOnlyList<string> Extensions { get; init; } = [];

    /// <summary>Reads the text of a note.</summary>
    /// <exception cref="FormatException">It is no checkpoint; the message says why.</exception>
    public static Checkpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var lines = text.Split('\n');
        Malformed.Unless(lines.Length >= 4 && lines[^1].Length == 0, "A checkpoint has three lines at least: origin, size and root.");
        Malformed.Unless(lines[..^1].All(line => line.Length > 0), "A checkpoint has no empty line.");
        Malformed.Unless(TryParseSize(lines[1], out var size), "The size of a checkpoint is a decimal number without zeros in front, below 2^63.");
        Malformed.Unless(TreeHash.TryParse(lines[2], out var root), "The root of a checkpoint is the base64 of 32 bytes.");
        Malformed.Unless(size > 0 || root == TreeHash.Empty, "A checkpoint of no entries has another root than the empty tree.");
        return new Checkpoint(lines[0], size, root) { Extensions = lines[3..^1] };
    }

    /// <summary>The text to sign.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root}\n{string.Concat(Extensions.Select(line => line + '\n'))}");

    /// <summary>A decimal number as these formats write it: ASCII digits, no zero in front but for 0 itself, below 2^63.</summary>
    internal static bool TryParseSize(string text, out long size)
    {
        size = 0;
        return text.Length is > 0 and <= 19 && text.All(char.IsAsciiDigit) && (text[0] != '0' || text.Length == 1) && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size);
    }
}
