using System.Net.Security;
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

    private readonly Waits waits;

    /// <summary>Prepares it; nothing is sent yet.</summary>
    /// <param name="server">Where.</param>
    /// <param name="ca">PEM of a further CA to trust; null: the system's alone.</param>
    public Connection(Uri server, string? ca)
    {
        var handler = Handler(server, ca);
        waits = new Waits(handler);
        Identity = new HttpClient(waits, disposeHandler: false) { BaseAddress = server, Timeout = Soon, MaxResponseContentBufferSize = MostIdentitySays };
        Any = new HttpClient(handler, disposeHandler: false) { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        foreach (var client in new[] { Identity, Any })
        {
            client.DefaultRequestHeaders.Add(StepUp.AskHeader, StepUp.InPortal);
        }
    }

    /// <summary>For what identity answers: little, and soon.</summary>
    public HttpClient Identity { get; }

    /// <summary>How long identity wants to be left alone, as it said last (<c>Retry-After</c>); null: it said nothing.</summary>
    public TimeSpan? RetryAfter => waits.After;

    /// <summary>For any other call; whoever makes it bounds it.</summary>
    public HttpClient Any { get; }

    /// <summary>The same to any server: certificates are checked, no redirect is followed and no cookie kept.</summary>
    public static SocketsHttpHandler Handler(Uri server, string? ca) => new()
    {
        AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(20), SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = CaCertificates.Trust(ca) },

        // What goes to this machine goes through no other one.
        UseProxy = !ServerAddress.IsThisMachine(server),
    };

    /// <inheritdoc />
    public void Dispose()
    {
        Identity.Dispose();
        Any.Dispose();
        waits.Dispose(); // And the handler in it.
    }

    /// <summary>Remembers what the client of the API does not say.</summary>
    private sealed class Waits(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public TimeSpan? After { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            After = null;
            var response = await base.SendAsync(request, cancellationToken);
            After = response.Headers.RetryAfter is { } header ? header.Delta ?? header.Date - TimeProvider.System.GetUtcNow() : null;
            return response;
        }
    }
}
