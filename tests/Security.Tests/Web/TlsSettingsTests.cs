using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>Which TLS is spoken is the operator's to say, and 1.2 the least that can be said.</summary>
public sealed class TlsSettingsTests
{
    [Fact]
    public async Task By_default_1_2_and_1_3_are_spoken()
    {
        await using var host = await ControlPlane.StartAsync();

        Assert.Equal(SslProtocols.Tls12, (await NegotiateAsync(host, SslProtocols.Tls12)).Protocol);
        Assert.Equal(SslProtocols.Tls13, (await NegotiateAsync(host, SslProtocols.Tls12 | SslProtocols.Tls13)).Protocol);
    }

    [Fact]
    public async Task The_least_version_and_the_suites_are_those_that_are_configured()
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Tls:MinimumVersion"] = "1.3", ["Tls:CipherSuites:0"] = "TLS_CHACHA20_POLY1305_SHA256" });

        Assert.Equal((SslProtocols.Tls13, TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256), await NegotiateAsync(host, SslProtocols.Tls12 | SslProtocols.Tls13));
        await Assert.ThrowsAnyAsync<Exception>(() => NegotiateAsync(host, SslProtocols.Tls12));
    }

    private static async Task<(SslProtocols Protocol, TlsCipherSuite Suite)> NegotiateAsync(ControlPlane host, SslProtocols offered)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(host.CaFile)));
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, host.CallHome.Port);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy, EnabledSslProtocols = offered });
        return (tls.SslProtocol, tls.NegotiatedCipherSuite);
    }
}
