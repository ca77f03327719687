using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Host;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Web;

/// <summary>A certificate of one's own, with those between it and its root, and another in its place while the host runs.</summary>
public sealed class ServerCertificateTests : IAsyncLifetime
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("mc-certificate-");
    private readonly ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa betweenKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private X509Certificate2 root = null!;
    private X509Certificate2 between = null!;
    private ControlPlane host = null!;

    private string ChainFile => Path.Combine(directory.FullName, "current", "chain.pem");

    public async ValueTask InitializeAsync()
    {
        var now = DateTimeOffset.UtcNow;
        root = Authority("CN=Root", rootKey).CreateSelfSigned(now.AddDays(-1), now.AddYears(1));
        using (var issued = Authority("CN=Between", betweenKey).Create(root, now.AddDays(-1), now.AddDays(300), [1]))
        {
            between = issued.CopyWithPrivateKey(betweenKey);
        }

        Mount("first");
        var data = Directory.CreateDirectory(Path.Combine(directory.FullName, "data", "certificates")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(data, "certificates", "ca.pem"), root.ExportCertificatePem());

        // Clocks and timers run ten times as fast: the host looks each second.
        host = await ControlPlane.StartAsync(data, new FastTime(now, 10), new Dictionary<string, string?> { ["Tls:CertificateFile"] = ChainFile, ["Tls:KeyFile"] = Path.Combine(directory.FullName, "current", "key.pem") });
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        foreach (var thing in new IDisposable[] { rootKey, betweenKey, root, between })
        {
            thing.Dispose();
        }

        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_replaced_certificate_is_shown_without_a_restart_and_a_spoilt_one_never()
    {
        Assert.Equal("CN=first", await SubjectAsync());
        var open = host.Client(host.Portal);
        Assert.Equal(HttpStatusCode.OK, (await open.GetAsync(new Uri("/signin", UriKind.Relative))).StatusCode);

        // As Kubernetes does it: the directory is another, the paths are the same links as before.
        Mount("second");
        await Eventually.TrueAsync(async () => await SubjectAsync() == "CN=second", "the second certificate is shown");
        Assert.Equal(HttpStatusCode.OK, (await open.GetAsync(new Uri("/signin", UriKind.Relative))).StatusCode);

        // Half of it, or the key of another: the one before stays, and what is right again is taken.
        var certificate = host.Services.GetRequiredService<ServerCertificate>();
        Mount("third", key: false);
        Assert.ThrowsAny<CryptographicException>(() => certificate.Refresh());
        Mount("fourth", spoilt: true);
        Assert.ThrowsAny<CryptographicException>(() => certificate.Refresh());
        Assert.Equal("CN=second", await SubjectAsync());
        Mount("fifth");
        await Eventually.TrueAsync(async () => await SubjectAsync() == "CN=fifth", "the fifth certificate is shown");
        open.Dispose();
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private void Mount(string name, bool key = true, bool spoilt = false)
    {
        var target = Directory.CreateDirectory(Path.Combine(directory.FullName, name)).FullName;
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", own, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(between, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(90), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(target, "chain.pem"), spoilt ? "-----BEGIN CERTIFICATE-----\nAAAA" : certificate.ExportCertificatePem() + "\n" + between.ExportCertificatePem());
        File.WriteAllText(Path.Combine(target, "key.pem"), (key ? own : other).ExportPkcs8PrivateKeyPem());
        var link = Path.Combine(directory.FullName, "current");
        if (Directory.Exists(link))
        {
            Directory.Delete(link);
        }

        Directory.CreateSymbolicLink(link, target);
    }

    private async Task<string> SubjectAsync()
    {
        using var tls = await ConnectAsync();
        return tls.RemoteCertificate!.Subject;
    }

    // Trusts the root alone, so that the certificate between must have been sent.
    private async Task<SslStream> ConnectAsync()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(root.RawData));
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, host.Portal.Port);
        var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = policy });
        return tls;
    }
}
