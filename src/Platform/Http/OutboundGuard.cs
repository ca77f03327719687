using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace MissionControl.Platform.Http;

/// <summary>
/// Connects to where people may send us: the public internet, and for the vendor's own receivers networks that the operator named. The name is resolved once and just
/// these addresses are used, so that a name that changes between the look and the connection (DNS rebinding) leads nowhere.
/// </summary>
public sealed class OutboundGuard
{
    // Of the IANA registries of special-purpose addresses those that are not globally reachable, and the ways to write an IPv4 address in IPv6.
    private static readonly IPNetwork[] Special =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(IPNetwork.Parse),
    ];

    // Of IPv6 nothing else is handed out for the public internet.
    private static readonly IPNetwork PublicV6 = IPNetwork.Parse("2000::/3");

    private readonly IPNetwork[] allowed;
    private readonly X509Certificate2Collection authorities = [];

    private readonly string setting;

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> resolve;

    /// <summary>Reads what the operator named.</summary>
    /// <param name="allowedNetworks">Networks besides the public internet.</param>
    /// <param name="caFile">PEM of authorities that are trusted besides the system's.</param>
    /// <param name="setting">The key of the networks, for whoever reads that an address is forbidden.</param>
    /// <param name="resolve">Finds the addresses of a name; null: as the system does.</param>
    public OutboundGuard(IEnumerable<string> allowedNetworks, string? caFile, string setting, Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        this.setting = setting;
        this.resolve = resolve ?? Dns.GetHostAddressesAsync;
        allowed = [.. allowedNetworks.Select(IPNetwork.Parse)];
        if (caFile is { Length: > 0 })
        {
            authorities.ImportFromPemFile(caFile);
        }
    }

    /// <summary>A client that connects to where it may, follows no redirect, keeps no cookie and uses no proxy, which would connect for it.</summary>
    /// <param name="isOwn">For a receiver of the vendor's own.</param>
    public HttpClient Client(bool isOwn)
    {
        var http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            MaxResponseHeadersLength = 16,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, isOwn, cancellationToken),
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Trusts(certificate, chain, errors) },
        }) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.ParseAdd("missioncontrol");
        return http;
    }

    /// <summary>Whether an address may be connected to.</summary>
    /// <param name="address">The address.</param>
    /// <param name="isOwn">For a receiver of the vendor's own: a customer names none within the vendor's networks.</param>
    public bool Allows(IPAddress address, bool isOwn)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return (isOwn && Array.Exists(allowed, network => network.Contains(plain)))
            || ((plain.AddressFamily == AddressFamily.InterNetwork || PublicV6.Contains(plain)) && !Array.Exists(Special, network => network.Contains(plain)));
    }

    /// <summary>Opens a connection to a host that may be connected to.</summary>
    /// <exception cref="ForbiddenAddressException">It has no address that may be.</exception>
    /// <exception cref="SocketException">There is no such host, or nobody answers.</exception>
    public async ValueTask<Stream> ConnectAsync(string host, int port, bool isOwn, CancellationToken cancellationToken)
    {
        // An address is no question for the resolver, which has opinions of its own about some.
        var name = host.Trim('[', ']');
        IPAddress[] addresses = IPAddress.TryParse(name, out var literal) ? [literal] : await resolve(name, cancellationToken);
        var usable = Array.FindAll(addresses, address => Allows(address, isOwn));
        if (usable.Length == 0)
        {
            throw new ForbiddenAddressException($"{host} is not on the public internet{(isOwn ? $"; networks besides are named in {setting}" : "")}.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(usable, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Judges a server's certificate: as usual, and by the authorities that the operator named.</summary>
    public bool Trusts(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None || errors != SslPolicyErrors.RemoteCertificateChainErrors || authorities.Count == 0 || certificate is null)
        {
            return errors == SslPolicyErrors.None;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.ExtraStore.AddRange(sent?.ChainElements.Select(element => element.Certificate).ToArray() ?? []);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(copy);
    }
}

/// <summary>A host has no address that may be connected to.</summary>
public sealed class ForbiddenAddressException(string message) : Exception(message);
