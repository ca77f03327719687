using System.Collections.Frozen;

namespace MissionControl.Licensing.Accounts;

/// <summary>ISO 4217, as far as invoices are written in it: the codes in use, and the digits of their minor units.</summary>
internal static class CurrencyCodes
{
    private const string Two =
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS " +
        "KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT " +
        "TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

    private const string None = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
    private const string Three = "BHD IQD JOD KWD LYD OMR TND";

    private static readonly FrozenDictionary<string, int> Digits =
        Of(Two, 2).Concat(Of(None, 0)).Concat(Of(Three, 3)).ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Digits of the minor unit; null: there is no such currency.</summary>
    public static int? MinorDigits(string code) => Digits.TryGetValue(code, out var digits) ? digits : null;

    private static IEnumerable<KeyValuePair<string, int>> Of(string codes, int digits) => codes.Split(' ').Select(code => KeyValuePair.Create(code, digits));
}
