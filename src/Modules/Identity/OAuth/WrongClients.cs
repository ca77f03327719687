using System.Collections.Concurrent;
using System.Net;

namespace MissionControl.Identity.OAuth;

/// <summary>Bounds wrong tries at the token endpoint, by address; and how many refusals of clients that had the right proof go to the log.</summary>
internal sealed class WrongClients(TimeProvider time) : StrangersLimit(atOnce: 60, perSecond: 1)
{
    private const int Free = 30;
    private const int MostAddresses = 10_000;
    private static readonly TimeSpan Each = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, long> until = new(StringComparer.Ordinal);

    /// <summary>Whether this address may try now.</summary>
    public bool MayTry(IPAddress? address) => !until.TryGetValue(KeyOf(address), out var full) || full - Now() < Free * (long)Each.TotalMilliseconds;

    /// <summary>Counts a wrong try: each is forgotten after a few seconds.</summary>
    public void Count(IPAddress? address)
    {
        if (until.Count >= MostAddresses)
        {
            foreach (var old in until.Where(one => one.Value <= Now()))
            {
                until.TryRemove(old);
            }

            if (until.Count >= MostAddresses)
            {
                until.Clear();
            }
        }

        until.AddOrUpdate(KeyOf(address), _ => Now() + (long)Each.TotalMilliseconds, (_, before) => Math.Max(before, Now()) + (long)Each.TotalMilliseconds);
    }

    /// <summary>Whether one more refusal may go to the log.</summary>
    public bool MayBeTold() => MayDo();

    private long Now() => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Who has an IPv6 address has a /64 of them.</summary>
    private static string KeyOf(IPAddress? address)
    {
        var plain = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        return plain is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } ? Convert.ToHexString(plain.GetAddressBytes().AsSpan(0, 8)) : plain?.ToString() ?? "unknown";
    }
}
