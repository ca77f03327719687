using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using MissionControl.Platform.Http;

namespace MissionControl.Platform.Security;

/// <summary>
/// The networks that the vendor's staff works from, when the operator names some (<c>Network:StaffNetworks</c>): pages and API refuse
/// staff from elsewhere, whatever they hold. A session is asked for at the page; the call that the portal then makes for it comes from
/// the portal's own address.
/// </summary>
public sealed class StaffNetworks
{
    private readonly IReadOnlyList<IPNetwork> networks;
    private readonly IReadOnlyList<IPNetwork> portals;

    /// <summary>Reads the configuration, which was validated at start.</summary>
    public StaffNetworks(IConfiguration configuration)
    {
        networks = Read(configuration, "Network:StaffNetworks");
        portals = [.. Read(configuration, "Network:TrustedProxies"), IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")];
    }

    /// <summary>Whether staff may be at this address.</summary>
    public bool Admits(IPAddress? address) => networks.Count == 0 || Holds(networks, address);

    /// <summary>Whether staff may make this call of the API.</summary>
    internal bool Admits(HttpContext http, bool isSession) => Admits(http.Connection.RemoteIpAddress)
        || (isSession && http.Features.Get<SurfaceOf>()?.Value.HasFlag(Surface.Portal) != true && Holds(portals, http.Connection.RemoteIpAddress));

    private static bool Holds(IReadOnlyList<IPNetwork> networks, IPAddress? address)
    {
        var plain = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        return plain is not null && networks.Any(network => network.Contains(plain));
    }

    private static List<IPNetwork> Read(IConfiguration configuration, string key) => (configuration.GetSection(key).Get<string[]>() ?? []).Select(IPNetwork.Parse).ToList();
}
