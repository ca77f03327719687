using System.Collections.Frozen;

namespace MissionControl.Licensing.Rating;

/// <summary>
/// The currencies that ISO 4217 lists as in use and gives a minor unit, and how many digits that has. What it lists without one (gold,
/// special drawing rights, test codes) cannot be billed in.
/// </summary>
internal static class Currencies
{
    private static readonly FrozenDictionary<string, int> Exponents = Read(
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (2, "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"));

    /// <summary>Every code.</summary>
    public static IEnumerable<string> All => Exponents.Keys;

    /// <summary>Digits of the minor unit after the point, 0 to 4; null: no currency that can be billed in.</summary>
    public static int? ExponentOf(string code) => Exponents.TryGetValue(code, out var exponent) ? exponent : null;

    /// <summary>The same, of a code that was checked before.</summary>
    /// <exception cref="RatingException">Nothing can be billed in it.</exception>
    public static int Exponent(string code) => ExponentOf(code) ?? throw new RatingException($"'{code}' is no currency with a minor unit in ISO 4217.");

    private static FrozenDictionary<string, int> Read(params ReadOnlySpan<(int Exponent, string Codes)> lists)
    {
        var all = new Dictionary<string, int>();
        foreach (var (exponent, codes) in lists)
        {
            foreach (var code in codes.Split(' '))
            {
                all.Add(code, exponent);
            }
        }

        return all.ToFrozenDictionary(StringComparer.Ordinal);
    }
}
