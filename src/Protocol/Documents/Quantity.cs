using System.Globalization;

namespace MissionControl.Protocol.Documents;

/// <summary>
/// Quantities as text on the wire and as scaled 64-bit integers everywhere else: never a binary fraction, never a rounding. The
/// grammar is <c>(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?</c>.
/// </summary>
public static class Quantity
{
    /// <summary>Digits before the point.</summary>
    public const int MaxWholeDigits = 18;

    /// <summary>Digits after the point, and the largest scale of a meter.</summary>
    public const int MaxScale = 9;

    /// <summary>Whether a text follows the grammar.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> text) => TrySplit(text, out _, out _);

    /// <summary>Reads a text as an integer of units of 10^-scale.</summary>
    /// <param name="text">The quantity.</param>
    /// <param name="scale">0 to 9.</param>
    /// <param name="scaled">value × 10^scale.</param>
    /// <returns>False when it is malformed, has more digits after the point than the scale, or does not fit 63 bits.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, int scale, out long scaled)
    {
        scaled = 0;
        if (!TrySplit(text, out var whole, out var fraction) || fraction.Length > scale)
        {
            return false;
        }

        Int128 value = long.Parse(whole, NumberStyles.None, CultureInfo.InvariantCulture);
        for (var i = 0; i < scale; i++)
        {
            value = (value * 10) + (i < fraction.Length ? fraction[i] - '0' : 0);
        }

        if (value > long.MaxValue)
        {
            return false;
        }

        scaled = (long)value;
        return true;
    }

    /// <summary>Writes a scaled integer with exactly <paramref name="scale"/> digits after the point.</summary>
    public static string Format(Int128 scaled, int scale)
    {
        var digits = Int128.Abs(scaled).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        var text = scale == 0 ? digits : $"{digits[..^scale]}.{digits[^scale..]}";
        return Int128.IsNegative(scaled) ? $"-{text}" : text;
    }

    /// <summary>A well-formed text in units of 10^-9, whatever its meter's scale.</summary>
    internal static Int128 Parse(ReadOnlySpan<char> text)
    {
        if (!TrySplit(text, out var whole, out var fraction))
        {
            throw new FormatException("That is not a quantity.");
        }

        Int128 value = long.Parse(whole, NumberStyles.None, CultureInfo.InvariantCulture);
        for (var i = 0; i < MaxScale; i++)
        {
            value = (value * 10) + (i < fraction.Length ? fraction[i] - '0' : 0);
        }

        return value;
    }

    /// <summary>Units of 10^-9 as text, without zeros that say nothing.</summary>
    internal static string Text(Int128 value)
    {
        var text = Format(value, MaxScale).TrimEnd('0');
        return text.EndsWith('.') ? text[..^1] : text;
    }

    private static bool TrySplit(ReadOnlySpan<char> text, out ReadOnlySpan<char> whole, out ReadOnlySpan<char> fraction)
    {
        var point = text.IndexOf('.');
        whole = point < 0 ? text : text[..point];
        fraction = point < 0 ? [] : text[(point + 1)..];
        return whole.Length is >= 1 and <= MaxWholeDigits && (whole.Length == 1 || whole[0] != '0') && !whole.ContainsAnyExceptInRange('0', '9')
            && (point < 0 || fraction.Length is >= 1 and <= MaxScale) && !fraction.ContainsAnyExceptInRange('0', '9');
    }
}
