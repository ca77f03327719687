using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Platform.Data;

namespace MissionControl.Host;

/// <summary>
/// Certificates of a first start: a small CA of its own and a server certificate for this machine's names, kept in the data
/// directory. Configured certificates replace them.
/// </summary>
internal static class Certificates
{
    public const string CaFile = "certificates/ca.pem";
    private const string ServerFile = "certificates/server.pem";
    private const string ServerKeyFile = "certificates/server.key.pem";
    private const string CaKeyFile = "certificates/ca.key.pem";

    /// <summary>Loads the configured certificate, or the data directory's, which is made or renewed when it has less than 30 days left.</summary>
    public static X509Certificate2 Server(DataDirectory data, IConfiguration configuration, DateTimeOffset now)
    {
        if (configuration["Tls:CertificateFile"] is { Length: > 0 } file)
        {
            return X509Certificate2.CreateFromPemFile(file, configuration["Tls:KeyFile"]);
        }

        var path = data.PathOf(ServerFile);
        if (File.Exists(path))
        {
            var existing = X509Certificate2.CreateFromPemFile(path, data.PathOf(ServerKeyFile));
            if (existing.NotAfter.ToUniversalTime() - now.UtcDateTime > TimeSpan.FromDays(30))
            {
                return existing;
            }

            existing.Dispose();
        }

        using var ca = Authority(data, now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Mission Control", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddDnsName(Dns.GetHostName());
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(ca, true, false));
        var notAfter = now.AddDays(397) < ca.NotAfter.ToUniversalTime() ? now.AddDays(397) : new DateTimeOffset(ca.NotAfter.ToUniversalTime());
        using var certificate = request.Create(ca, now.AddHours(-1), notAfter, RandomNumberGenerator.GetBytes(16));
        WritePrivate(data.PathOf(ServerKeyFile), key.ExportPkcs8PrivateKeyPem());
        WritePrivate(path, certificate.ExportCertificatePem());
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Authority(DataDirectory data, DateTimeOffset now)
    {
        var path = data.PathOf(CaFile);
        if (File.Exists(path))
        {
            return X509Certificate2.CreateFromPemFile(path, data.PathOf(CaKeyFile));
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Mission Control {Dns.GetHostName()} CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(10));
        WritePrivate(data.PathOf(CaKeyFile), key.ExportPkcs8PrivateKeyPem());
        WritePrivate(path, certificate.ExportCertificatePem());
        return X509Certificate2.CreateFromPemFile(path, data.PathOf(CaKeyFile));
    }

    private static void WritePrivate(string path, string text) => DataDirectory.WritePrivate(path, System.Text.Encoding.ASCII.GetBytes(text));
}
