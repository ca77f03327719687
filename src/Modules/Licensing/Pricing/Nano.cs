using System.Globalization;

namespace MissionControl.Licensing.Pricing;

/// <summary>Decimal text and integers of 10^-9, exactly.</summary>
internal static class Nano
{
    public const long One = 1_000_000_000;

    /// <summary>Digits in all that a price or a limit may have.</summary>
    private const int MostDigits = 15;

    /// <summary>Reads a number that is not negative.</summary>
    /// <param name="text">Digits, and at most nine more after a point.</param>
    /// <param name="value">In 10^-9.</param>
    /// <param name="mistake">What is wrong with it: its code and words.</param>
    public static bool TryRead(string text, out long value, out (string Code, string Detail) mistake)
    {
        value = 0;
        mistake = default;
        var point = text.IndexOf('.', StringComparison.Ordinal);
        var (whole, fraction) = point < 0 ? (text, "") : (text[..point], text[(point + 1)..]);
        if (text.StartsWith('-') && IsNumber(text[1..]))
        {
            mistake = ("negative", $"{Shown(text)} is less than 0.");
        }
        else if (!IsNumber(text))
        {
            mistake = ("invalid-number", $"'{Shown(text)}' is no number: write digits, and if need be a point and digits after it.");
        }
        else if (fraction.Length > 9)
        {
            mistake = ("too-precise", $"{Shown(text)} has {fraction.Length} digits after the point; there are nine at most.");
        }
        else if (whole.TrimStart('0').Length + fraction.Length > MostDigits || !long.TryParse(whole + fraction.PadRight(9, '0'), NumberStyles.None, CultureInfo.InvariantCulture, out value))
        {
            mistake = ("too-large", $"{Shown(text)} is too large: {MostDigits} digits in all and 9223372036.854775807 are the most.");
        }

        return mistake == default;
    }

    /// <summary>Writes it without zeros that say nothing.</summary>
    public static string Text(long value)
    {
        var (whole, fraction) = Math.DivRem(value, One);
        return fraction == 0 ? whole.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{whole}.{fraction:D9}").TrimEnd('0');
    }

    private static bool IsNumber(string text)
    {
        var parts = text.Split('.');
        return parts.Length <= 2 && parts.All(part => part.Length > 0 && part.All(char.IsAsciiDigit)) && (parts[0].Length == 1 || parts[0][0] != '0');
    }

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
