using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Catalog;
using MissionControl.Platform.Data;

namespace MissionControl.Host;

/// <summary>
/// A small CA and the server certificates that it signs. Embedded, the first start makes both in the data directory, for this machine's
/// names. Distributed, <c>admin keys make</c> makes them, hands each role its own, and keeps the CA's key to itself; no process makes
/// any. Configured certificates replace them in both shapes.
/// </summary>
internal static class Certificates
{
    public const string CaFile = "certificates/ca.pem";

    /// <summary>What a role of the distributed shape is handed: certificate and private key in one file, so that a renewal is whole or not at all.</summary>
    public const string HandedOutFile = "keys/server.pem";

    /// <summary>The CA of all roles, by which the portal's edge knows them.</summary>
    public const string HandedOutCaFile = "keys/ca.pem";

    private const string ServerFile = "certificates/server.pem";
    private const string ServerKeyFile = "certificates/server.key.pem";
    private const string CaKeyFile = "certificates/ca.key.pem";
    private const string IssuedDirectory = "certificates/roles";
    private const int Days = 397;
    private static readonly string[] Configurable = ["Tls:CertificateFile", "Tls:KeyFile", "Edge:CaFile"];

    /// <summary>From so many days before its end a certificate is renewed, or its end is warned of.</summary>
    public static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>Loads the configured certificate, or the one that was handed out, or, embedded, the data directory's, which is made or renewed when it has less than 30 days left.</summary>
    /// <returns>The certificate with its key, and those that stand after it in its file, by which clients find the way to their root.</returns>
    public static (X509Certificate2 Certificate, X509Certificate2Collection Chain) Server(DataDirectory data, IConfiguration configuration, Shape shape, DateTimeOffset now)
    {
        if (configuration["Tls:CertificateFile"] is { Length: > 0 } file)
        {
            return (Load(file, configuration["Tls:KeyFile"]), After(file));
        }

        if (shape.IsDistributed)
        {
            return (Load(data.PathOf(HandedOutFile), null), After(data.PathOf(HandedOutFile)));
        }

        var path = data.PathOf(ServerFile);
        if (File.Exists(path))
        {
            try
            {
                var existing = Load(path, data.PathOf(ServerKeyFile));
                if (existing.NotAfter.ToUniversalTime() - now.UtcDateTime > RenewBefore)
                {
                    return (existing, []);
                }

                existing.Dispose();
            }
            catch (CryptographicException)
            {
                // A crash between the writes of its two files: another is made, as in place of one that ends.
            }
        }

        using var ca = Authority(data, now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue(ca, key, ["localhost", Dns.GetHostName(), "127.0.0.1", "::1"], now);
        WritePrivate(data.PathOf(ServerKeyFile), key.ExportPkcs8PrivateKeyPem());
        WritePrivate(path, certificate.ExportCertificatePem());
        return (certificate.CopyWithPrivateKey(key), []);
    }

    /// <summary>What a process of the distributed shape lacks to speak TLS; each a sentence that says how to get it.</summary>
    public static IEnumerable<string> Missing(string root, IConfiguration configuration, IReadOnlyList<string> roles)
    {
        foreach (var key in Configurable.Where(key => configuration[key] is { Length: > 0 } file && !File.Exists(file)))
        {
            yield return $"{key} names {configuration[key]}, which is not there.";
        }

        var server = Path.GetFullPath(Path.Combine(root, HandedOutFile));
        if (string.IsNullOrEmpty(configuration["Tls:CertificateFile"]) && !File.Exists(server))
        {
            yield return $"{server} is missing, the server certificate and its key. In the distributed shape no process makes certificates. Make them with 'missioncontrol admin keys make --data DIR --hand-out OUT --name {roles[0]}=NAME', where NAME is a further name by which it is called, and give every replica of {roles[0]} the files of OUT/{roles[0]}; or set Tls:CertificateFile and Tls:KeyFile.";
        }

        var ca = Path.GetFullPath(Path.Combine(root, HandedOutCaFile));
        if (roles.Contains("portal") && roles.Count < ModuleList.All.Count && string.IsNullOrEmpty(configuration["Edge:CaFile"]) && !File.Exists(ca))
        {
            yield return $"{ca} is missing, the CA of the roles' certificates, by which the role portal knows them. 'missioncontrol admin keys make' hands it out with the portal's keys; or set Edge:CaFile.";
        }
    }

    /// <summary>Makes a role a new certificate and hands it out with the CA; what the role had before goes on being good until its end.</summary>
    /// <param name="data">Where the CA is, and its key stays.</param>
    /// <param name="target">The directory of what is handed out.</param>
    /// <param name="role">The role.</param>
    /// <param name="names">Further names by which it is called; null: those of its last certificate.</param>
    /// <param name="now">The present instant.</param>
    /// <returns>What happened, in words.</returns>
    /// <exception cref="InvalidOperationException">The CA's key is not here, and the role has no certificate.</exception>
    public static string HandOut(DataDirectory data, string target, string role, IReadOnlyList<string>? names, DateTimeOffset now)
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(target, role)).FullName, Path.GetFileName(HandedOutFile));
        if (File.Exists(data.PathOf(CaFile)) && !File.Exists(data.PathOf(CaKeyFile)))
        {
            return File.Exists(file)
                ? $"kept {file}: {data.PathOf(CaKeyFile)} is not here, without which no new one can be made"
                : throw new InvalidOperationException($"{data.PathOf(CaKeyFile)} is missing, and {file} cannot be made without it: bring it back from where it is kept. Nothing was made in its place.");
        }

        // Both taken away, as into a safe: a new one would be trusted by none that runs.
        if (!File.Exists(data.PathOf(CaFile)) && (File.Exists(file) || Directory.Exists(data.PathOf(IssuedDirectory))))
        {
            throw new InvalidOperationException($"{data.PathOf(CaFile)} is missing, and certificates that it signed are in use: bring it back, with its key, from where they are kept. Nothing was made in its place.");
        }

        using var ca = Authority(data, now);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issued = data.PathOf(Path.Combine(IssuedDirectory, $"{role}.pem"));
        string[] all = [.. new[] { "localhost", role, $"missioncontrol-{role}", "127.0.0.1", "::1" }.Concat(names ?? NamesOf(issued)).Distinct(StringComparer.OrdinalIgnoreCase)];
        using var certificate = Issue(ca, key, all, now);
        WritePrivate(Path.Combine(target, role, Path.GetFileName(HandedOutCaFile)), ca.ExportCertificatePem());
        WritePrivate(file, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        WritePrivate(issued, certificate.ExportCertificatePem());
        return $"made {file}: good until {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd} for {string.Join(", ", all)}";
    }

    /// <summary>The server certificates that were made here, each in words.</summary>
    public static IEnumerable<string> List(DataDirectory data)
    {
        var roles = Directory.Exists(Path.Combine(data.Root, IssuedDirectory)) ? Directory.EnumerateFiles(Path.Combine(data.Root, IssuedDirectory), "*.pem").Order(StringComparer.Ordinal) : Enumerable.Empty<string>();
        foreach (var file in new[] { data.PathOf(CaFile), data.PathOf(ServerFile) }.Concat(roles).Where(File.Exists))
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
            yield return $"{"certificate",-14} until {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd} {file} {string.Join(", ", NamesOf(file))}".TrimEnd();
        }
    }

    /// <exception cref="CryptographicException">There is no certificate, or the key is of another.</exception>
    private static X509Certificate2 Load(string file, string? keyFile)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(file, keyFile);
        }
        catch (ArgumentException mismatch)
        {
            throw new CryptographicException($"{keyFile ?? file} is not the key of the certificate in {file}.", mismatch);
        }
    }

    private static X509Certificate2Collection After(string file)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(file);
        return [.. all.Skip(1)];
    }

    private static IReadOnlyList<string> NamesOf(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
        return [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString())))];
    }

    private static X509Certificate2 Issue(X509Certificate2 ca, ECDsa key, IEnumerable<string> names, DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=Mission Control", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(ca, true, false));
        var end = new DateTimeOffset(ca.NotAfter.ToUniversalTime());
        return request.Create(ca, now.AddHours(-1), now.AddDays(Days) < end ? now.AddDays(Days) : end, RandomNumberGenerator.GetBytes(16));
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
