using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent.Machine;

/// <summary>A certificate to watch.</summary>
/// <param name="Path">PEM file; of a chain the first certificate counts.</param>
/// <param name="Purpose">cluster, gateway or call-home.</param>
public sealed record WatchedCertificate(string Path, string Purpose);

/// <summary>Reads when certificates expire, and nothing else of them. A key in the same file is not looked at.</summary>
public sealed class CertificateFiles(IReadOnlyList<WatchedCertificate> watched)
{
    private readonly Dictionary<string, (string Text, Certificate Read)> known = [];

    /// <summary>Files that could not be read the last time, with the reason.</summary>
    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <summary>All that can be read. Whether a file changed is seen by its text: where a directory is mounted whole, it is a link whose time never changes.</summary>
    public IReadOnlyList<Certificate> Read()
    {
        var certificates = new List<Certificate>();
        var problems = new List<string>();
        foreach (var each in watched)
        {
            try
            {
                var text = File.ReadAllText(each.Path);
                if (!known.TryGetValue(each.Path, out var entry) || entry.Text != text)
                {
                    using var certificate = X509Certificate2.CreateFromPem(text);
                    entry = (text, new Certificate { Purpose = each.Purpose, Issuer = certificate.Issuer, NotAfterMs = new DateTimeOffset(certificate.NotAfter.ToUniversalTime()).ToUnixTimeMilliseconds() });
                    known[each.Path] = entry;
                }

                certificates.Add(entry.Read.Clone());
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
            {
                problems.Add($"{each.Path}: {exception.Message}");
            }
        }

        Problems = problems;
        return certificates;
    }
}
