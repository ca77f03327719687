using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>An HTTP proxy on the way.</summary>
/// <param name="Address">Its address.</param>
/// <param name="User">Null: it wants no credentials.</param>
/// <param name="Password">In memory only.</param>
public sealed record ProxyServer(Uri Address, string? User = null, string? Password = null)
{
    /// <summary>Credentials are sent in the answer to its 407, by Basic.</summary>
    public IWebProxy ToWebProxy() => new WebProxy(Address) { Credentials = User is null ? null : new NetworkCredential(User, Password) };

    /// <summary>The proxy that the environment names for an address (HTTPS_PROXY, NO_PROXY); null when there is none.</summary>
    public static ProxyServer? FromEnvironment(Uri server)
    {
        if (HttpClient.DefaultProxy.IsBypassed(server) || HttpClient.DefaultProxy.GetProxy(server) is not { } address || address == server)
        {
            return null;
        }

        var credentials = HttpClient.DefaultProxy.Credentials?.GetCredential(address, "Basic");
        return new ProxyServer(address, credentials?.UserName, credentials?.Password);
    }
}

/// <summary>How the agent reaches Mission Control.</summary>
public static class Transport
{
    /// <summary>A client that always checks certificates: against the system's roots, and an extra CA where one is given.</summary>
    /// <param name="server">Call-home address.</param>
    /// <param name="caFile">PEM of a further CA, of Mission Control itself or of a TLS-inspecting proxy.</param>
    /// <param name="proxy">HTTP proxy; null: as the environment says.</param>
    public static HttpClient Create(Uri server, string? caFile, ProxyServer? proxy) => new(Handler(caFile, proxy)) { BaseAddress = server, Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>The handler alone, for those who share connections.</summary>
    public static SocketsHttpHandler Handler(string? caFile, ProxyServer? proxy)
    {
        var handler = new SocketsHttpHandler
        {
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10), ConnectTimeout = TimeSpan.FromSeconds(20), UseCookies = false, AllowAutoRedirect = false,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust(caFile) },
        };
        if (proxy is not null)
        {
            handler.Proxy = proxy.ToWebProxy();
        }

        return handler;
    }

    /// <summary>Whom to trust; null: the system's roots alone.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The file holds no certificate.</exception>
    public static X509ChainPolicy? Trust(string? caFile)
    {
        if (caFile is null)
        {
            return null;
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(caFile);
        using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        system.Open(OpenFlags.ReadOnly);
        policy.CustomTrustStore.AddRange(system.Certificates);
        return policy;
    }
}
