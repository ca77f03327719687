using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>How the agent reaches Mission Control.</summary>
public static class Transport
{
    /// <summary>A client that always checks certificates: against the system's roots, and an extra CA where one is given.</summary>
    /// <param name="server">Call-home address.</param>
    /// <param name="caFile">PEM of a further CA, of Mission Control itself or of a TLS-inspecting proxy.</param>
    /// <param name="proxy">HTTP proxy; its user and password may stand in the environment's proxy settings.</param>
    public static HttpClient Create(Uri server, string? caFile, Uri? proxy) => new(Handler(caFile, proxy)) { BaseAddress = server, Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>The handler alone, for those who share connections.</summary>
    public static SocketsHttpHandler Handler(string? caFile, Uri? proxy)
    {
        var handler = new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10), ConnectTimeout = TimeSpan.FromSeconds(20), UseCookies = false, AllowAutoRedirect = false };
        if (caFile is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(caFile);
            using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
            system.Open(OpenFlags.ReadOnly);
            policy.CustomTrustStore.AddRange(system.Certificates);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        if (proxy is not null)
        {
            var credentials = proxy.UserInfo.Split(':', 2);
            handler.Proxy = new WebProxy(proxy) { Credentials = credentials.Length == 2 ? new NetworkCredential(Uri.UnescapeDataString(credentials[0]), Uri.UnescapeDataString(credentials[1])) : null };
        }

        return handler;
    }
}
