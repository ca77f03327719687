using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace MissionControl.Testing;

/// <summary>A client that trusts one CA and nothing else, follows no redirect and keeps no cookie: what comes is what was answered.</summary>
public static class TrustingClient
{
    /// <summary>Makes it.</summary>
    /// <param name="address">Where its relative addresses lead.</param>
    /// <param name="caFile">PEM file of the CA.</param>
    /// <param name="bearer">Sent with every request.</param>
    /// <param name="before">Sees every request before it is sent.</param>
    public static HttpClient Create(Uri address, string caFile, string? bearer = null, DelegatingHandler? before = null)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(File.ReadAllText(caFile)));
        HttpMessageHandler wire = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy } };
        if (before is not null)
        {
            before.InnerHandler = wire;
            wire = before;
        }

        var client = new HttpClient(wire) { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = bearer is null ? null : new AuthenticationHeaderValue("Bearer", bearer);
        return client;
    }
}
