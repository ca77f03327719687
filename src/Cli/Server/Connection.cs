using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MissionControl.Contracts;

namespace MissionControl.Cli.Server;

/// <summary>
/// The way to the server. Certificates are always checked; no redirect is followed, since what is sent may be a secret; no cookie is
/// kept; and what is read has an end, in bytes and in time.
/// </summary>
internal sealed class Connection : IDisposable
{
    private const int MostIdentitySays = 256 * 1024;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly SocketsHttpHandler handler;

    /// <summary>Prepares it; nothing is sent yet.</summary>
    /// <param name="server">Where.</param>
    /// <param name="caFile">PEM of a further CA to trust; null: the system's alone.</param>
    /// <exception cref="CommandFailure">The file holds no certificate.</exception>
    public Connection(Uri server, string? caFile)
    {
        handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(20), SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust(caFile) },

            // What goes to this machine goes through no other one.
            UseProxy = !ServerAddress.IsThisMachine(server),
        };
        Identity = new HttpClient(handler, disposeHandler: false) { BaseAddress = server, Timeout = Soon, MaxResponseContentBufferSize = MostIdentitySays };
        Any = new HttpClient(handler, disposeHandler: false) { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        foreach (var client in new[] { Identity, Any })
        {
            client.DefaultRequestHeaders.Add(StepUp.AskHeader, "portal");
        }
    }

    /// <summary>For what identity answers: little, and soon.</summary>
    public HttpClient Identity { get; }

    /// <summary>For any other call; whoever makes it bounds it.</summary>
    public HttpClient Any { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        Identity.Dispose();
        Any.Dispose();
        handler.Dispose();
    }

    // As the agent does: the file adds to the system's roots, and there is no way to trust less than a chain.
    private static X509ChainPolicy? Trust(string? caFile)
    {
        if (caFile is null)
        {
            return null;
        }

        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(caFile);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CommandFailure($"The file of the CA cannot be read: {exception.Message}");
        }

        if (policy.CustomTrustStore.Count == 0)
        {
            throw new CommandFailure($"{caFile} holds no certificate in PEM.");
        }

        using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        system.Open(OpenFlags.ReadOnly);
        policy.CustomTrustStore.AddRange(system.Certificates);
        return policy;
    }
}
