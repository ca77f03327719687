using System.Globalization;
using MissionControl.Licensing.Pricing;

namespace MissionControl.Licensing.Accounts;

/// <summary>Amounts in minor units, and their text.</summary>
internal static class Money
{
    /// <summary>Writes an amount with all digits of its currency: 12.30.</summary>
    public static string Text(long minor, string currency)
    {
        var digits = CurrencyCodes.MinorDigits(currency) ?? 2;
        var (whole, fraction) = Math.DivRem(minor, Unit(digits));
        return digits == 0 ? whole.ToString(CultureInfo.InvariantCulture) : $"{whole.ToString(CultureInfo.InvariantCulture)}.{fraction.ToString(CultureInfo.InvariantCulture).PadLeft(digits, '0')}";
    }

    /// <summary>Reads an amount that is not negative and has no more digits than its currency.</summary>
    public static bool TryRead(string text, string currency, out long minor, out (string Code, string Detail) mistake)
    {
        var digits = CurrencyCodes.MinorDigits(currency) ?? 2;
        minor = 0;
        if (!Nano.TryRead(text, out var nano, out mistake))
        {
            return false;
        }

        var step = Nano.One / Unit(digits);
        if (nano % step != 0)
        {
            mistake = ("too-precise", string.Create(CultureInfo.InvariantCulture, $"{currency} has {digits} digits after the point."));
            return false;
        }

        minor = nano / step;
        return true;
    }

    private static long Unit(int digits) => (long)Math.Pow(10, digits);
}
