using System.Net.Security;
using System.Security.Cryptography;
using MissionControl.Platform.Data;

namespace MissionControl.Host;

/// <summary>
/// The certificate that this process shows. Another that is put in its place is shown to whoever connects from then on, without a
/// restart. Told apart by its bytes: where a directory is mounted whole, as Kubernetes does, a link's time says nothing.
/// </summary>
internal sealed class ServerCertificate(DataDirectory data, IConfiguration configuration, Shape shape, TimeProvider time)
{
    private readonly Lock sync = new();
    private Shown? shown;

    /// <summary>The chain that is shown, made once for all connections so that TLS sessions resume.</summary>
    public SslStreamCertificateContext Chain => Now().Chain;

    /// <summary>When it ends.</summary>
    public DateTimeOffset End => new(Now().Chain.TargetCertificate.NotAfter.ToUniversalTime());

    /// <summary>Looks whether there is another; embedded, one that ends soon is renewed.</summary>
    /// <returns>True when another is shown from now on.</returns>
    /// <exception cref="CryptographicException">What is there is no certificate with its key; the one before stays.</exception>
    /// <exception cref="IOException">It cannot be read; the one before stays.</exception>
    public bool Refresh()
    {
        var (certificate, chain) = Certificates.Server(data, configuration, shape, time.GetUtcNow());
        var digest = Convert.ToHexString(SHA256.HashData([.. chain.Prepend(certificate).SelectMany(each => each.RawData)]));
        lock (sync)
        {
            if (shown?.Digest == digest)
            {
                certificate.Dispose();
                chain.ToList().ForEach(each => each.Dispose());
                return false;
            }

            var isFirst = shown is null;
            shown = new Shown(digest, SslStreamCertificateContext.Create(certificate, chain, offline: true));
            return !isFirst;
        }
    }

    private Shown Now()
    {
        if (shown is null)
        {
            Refresh();
        }

        return shown!;
    }

    private sealed record Shown(string Digest, SslStreamCertificateContext Chain);
}
