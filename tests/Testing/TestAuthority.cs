using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace MissionControl.Testing;

/// <summary>A certificate authority that is no installation's, and one server certificate of it for this machine: for those whom Mission Control speaks to.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-authority-").FullName;

    /// <summary>Makes both.</summary>
    public TestAuthority()
    {
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var ca = new CertificateRequest("CN=test authority", caKey, HashAlgorithmName.SHA256);
        ca.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = ca.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(5));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(4), [1, 2, 3, 4]);
        File.WriteAllText(CaFile, authority.ExportCertificatePem());
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        Certificate = X509Certificate2.CreateFromPemFile(CertificateFile, KeyFile);
    }

    /// <summary>PEM of the authority.</summary>
    public string CaFile => Path.Combine(root, "ca.pem");

    /// <summary>PEM of the server certificate.</summary>
    public string CertificateFile => Path.Combine(root, "server.pem");

    /// <summary>PEM of its key.</summary>
    public string KeyFile => Path.Combine(root, "server.key");

    /// <summary>The server certificate with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        Certificate.Dispose();
        Directory.Delete(root, recursive: true);
    }
}
