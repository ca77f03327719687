using System.Globalization;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Pricing;
using MissionControl.Licensing.Rating;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Accounts;

/// <summary>Amounts in minor units, and their text.</summary>
internal static class Money
{
    /// <summary>Writes an amount with all digits of its currency: 12.30.</summary>
    public static string Text(long minor, string currency) => Quantity.Format(minor, Currencies.Exponent(currency));

    /// <summary>An amount, as the API tells it.</summary>
    public static MoneyItem Item(long minor, string currency) => new(Text(minor, currency), currency);

    /// <summary>Reads an amount that is not negative and has no more digits than its currency.</summary>
    public static bool TryRead(string text, string currency, out long minor, out (string Code, string Detail) mistake)
    {
        var digits = Currencies.Exponent(currency);
        minor = 0;
        if (!Nano.TryRead(text, out var nano, out mistake))
        {
            return false;
        }

        var step = (long)Rounding.Power(Rounding.PriceScale - digits);
        if (nano % step != 0)
        {
            mistake = ("too-precise", string.Create(CultureInfo.InvariantCulture, $"{currency} has {digits} digits after the point."));
            return false;
        }

        minor = nano / step;
        return true;
    }
}
