using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MissionControl.Cli.Server;

/// <summary>
/// The certificates of a further CA, as PEM. They are read from a file once, at sign-in, and kept: whoever can write that file later
/// does not decide whom <c>mc</c> trusts.
/// </summary>
internal static class CaCertificates
{
    /// <summary>More than this is no CA of one's own, but the list of some system.</summary>
    public const int Longest = 64 * 1024;

    private const int LongestFile = 256 * 1024;

    /// <summary>What a file holds: its certificates, and nothing else of it.</summary>
    /// <exception cref="CommandFailure">It cannot be read, holds no certificate, or too many.</exception>
    public static string Read(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var bytes = new byte[LongestFile + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var pem = length > LongestFile ? null : In(Encoding.UTF8.GetString(bytes, 0, length)).ExportCertificatePems();
            return pem switch
            {
                { Length: 0 } => throw new CommandFailure($"{Printable.Line(file)} holds no certificate in PEM."),
                { Length: <= Longest } => pem,
                _ => throw new CommandFailure($"{Printable.Line(file)} is longer than the certificates of one CA. Name a file with those of Mission Control's CA alone."),
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw new CommandFailure($"The file of the CA cannot be read: {Printable.Line(exception.Message)}");
        }
    }

    /// <summary>Whether it can be what was kept.</summary>
    public static bool AreSome(string pem)
    {
        try
        {
            return pem.Length <= Longest && In(pem).Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Whom to trust. As the agent does: they add to the system's roots, and there is no way to trust less than a chain.</summary>
    /// <param name="pem">Certificates; null: the system's alone.</param>
    public static X509ChainPolicy? Trust(string? pem)
    {
        if (pem is null)
        {
            return null;
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(In(pem));
        using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        system.Open(OpenFlags.ReadOnly);
        policy.CustomTrustStore.AddRange(system.Certificates);
        return policy;
    }

    // What is labelled otherwise, such as a private key, is passed over.
    private static X509Certificate2Collection In(string pem)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(pem);
        return certificates;
    }
}
