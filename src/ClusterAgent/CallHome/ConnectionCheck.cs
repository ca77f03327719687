using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace MissionControl.ClusterAgent.CallHome;

/// <summary>A hop on the way to Mission Control.</summary>
/// <param name="Name">dns, proxy, connection, tls, service, clock or credentials.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Problem">What is wrong and what to do; null when it is good.</param>
public sealed record Hop(string Name, string Detail, string? Problem = null);

/// <summary>Walks the way to Mission Control hop by hop, and stops at the first that fails.</summary>
internal static class ConnectionCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task<IReadOnlyList<Hop>> RunAsync(Uri server, string? caFile, ProxyServer? proxy, FileIdentity? identity, CancellationToken cancellationToken)
    {
        var hops = new List<Hop>();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        try
        {
            // Behind a proxy it is the proxy that must find the server.
            var first = proxy?.Address ?? server;
            if (!Add(await DnsAsync(first, deadline.Token)))
            {
                return hops;
            }

            using var socket = new TcpClient();
            if (!Add(await ConnectAsync(socket, first, proxy is null ? "connection" : "proxy", deadline.Token)))
            {
                return hops;
            }

            if (proxy is not null && !Add(await TunnelAsync(socket.GetStream(), server, proxy, deadline.Token)))
            {
                return hops;
            }

            if (server.Scheme == Uri.UriSchemeHttps && !Add(await TlsAsync(socket.GetStream(), server, caFile, deadline.Token)))
            {
                return hops;
            }

            using var http = Transport.Create(server, caFile, proxy);
            foreach (var ask in new[] { ServiceAsync(http, identity, deadline.Token), CredentialsAsync(http, identity, deadline.Token) })
            {
                await foreach (var hop in ask)
                {
                    if (!Add(hop))
                    {
                        return hops;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            hops.Add(new Hop("time", "", $"No answer within {Patience.TotalSeconds} s after {(hops.Count == 0 ? "the start" : hops[^1].Name)}."));
        }

        return hops;

        bool Add(Hop hop)
        {
            hops.Add(hop);
            return hop.Problem is null;
        }
    }

    private static async Task<Hop> DnsAsync(Uri address, CancellationToken cancellationToken)
    {
        try
        {
            var found = await Dns.GetHostAddressesAsync(address.Host, cancellationToken);
            return new Hop("dns", $"{address.Host} is {string.Join(", ", found.Take(4).Select(each => each.ToString()))}");
        }
        catch (SocketException exception)
        {
            return new Hop("dns", "", $"{address.Host} cannot be resolved: {exception.Message}. Look at the name and at this machine's name servers.");
        }
    }

    private static async Task<Hop> ConnectAsync(TcpClient socket, Uri address, string name, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, cancellationToken);
            return new Hop(name, $"{address.Host}:{address.Port} accepts connections");
        }
        catch (SocketException exception)
        {
            return new Hop(name, "", $"{address.Host}:{address.Port} cannot be reached: {exception.Message}. {(name == "proxy" ? "Is the proxy's address right?" : "Does a firewall stand between, or is a proxy needed?")}");
        }
    }

    private static async Task<Hop> TunnelAsync(Stream stream, Uri server, ProxyServer proxy, CancellationToken cancellationToken)
    {
        var authority = $"{server.Host}:{server.Port}";
        var credentials = proxy.User is null ? "" : $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{proxy.User}:{proxy.Password}"))}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n"), cancellationToken);
        var answer = await HeadAsync(stream, cancellationToken);
        var status = answer.Split(' ') is [_, var code, ..] && int.TryParse(code, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return status switch
        {
            200 => new Hop("proxy", $"it opens a tunnel to {authority}"),
            407 => new Hop("proxy", "", proxy.User is null ? $"It wants credentials. Give them in proxy.credentialsFile or in {AgentSettings.ProxyCredentialsVariable}." : "It refuses these credentials."),
            403 => new Hop("proxy", "", $"It forbids tunnels to {authority}. Ask its operator to allow that one address."),
            0 => new Hop("proxy", "", "What answers is no HTTP proxy."),
            _ => new Hop("proxy", "", $"It answered {status} and opens no tunnel to {authority}; perhaps it cannot resolve or reach it."),
        };
    }

    // One byte at a time: what follows the head belongs to TLS.
    private static async Task<string> HeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (head.Length < 16 * 1024 && !head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, cancellationToken) == 1)
        {
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    private static async Task<Hop> TlsAsync(Stream stream, Uri server, string? caFile, CancellationToken cancellationToken)
    {
        string? issuer = null;
        var errors = SslPolicyErrors.None;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = server.Host,
            CertificateChainPolicy = Transport.Trust(caFile),
            // Only looks; the errors stand.
            RemoteCertificateValidationCallback = (_, certificate, _, found) =>
            {
                (issuer, errors) = (certificate?.Issuer, found);
                return found == SslPolicyErrors.None;
            },
        };
        await using var tls = new SslStream(stream, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsClientAsync(options, cancellationToken);
            return new Hop("tls", $"{tls.SslProtocol}, certificate issued by {issuer}");
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            return new Hop("tls", "", errors switch
            {
                SslPolicyErrors.None => exception.Message,
                SslPolicyErrors.RemoteCertificateNameMismatch => $"The certificate is for another name than {server.Host} (issued by {issuer}).",
                _ => $"The certificate is issued by {issuer}, which is not trusted here. If that is Mission Control's own CA, or a proxy that inspects TLS, give its CA by --ca or caFile.",
            });
        }
    }

    private static async IAsyncEnumerable<Hop> ServiceAsync(HttpClient http, FileIdentity? identity, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var nobody = new MemoryIdentity();
        var client = new CallHomeClient(http, (IAgentIdentity?)identity ?? nobody, TimeProvider.System);
        Hop service;
        try
        {
            var ping = await client.PingAsync(cancellationToken);
            service = new Hop("service", $"Mission Control {ping.Version} answers");
        }
        catch (Exception exception) when (exception is HttpRequestException or CallHomeException)
        {
            service = new Hop("service", "", exception.Message);
        }

        yield return service;
        if (service.Problem is null)
        {
            var off = client.ClockOffset!.Value.Duration();
            yield return off > TimeSpan.FromMinutes(1)
                ? new Hop("clock", "", $"This machine's clock is {off.TotalSeconds:0} s off. Calling home goes on all the same; set up time synchronisation.")
                : new Hop("clock", $"{off.TotalSeconds:0.0} s off");
        }
    }

    private static async IAsyncEnumerable<Hop> CredentialsAsync(HttpClient http, FileIdentity? identity, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (identity?.Enrollment is not { } enrollment)
        {
            yield break;
        }

        Hop credentials;
        try
        {
            await new CallHomeClient(http, identity, TimeProvider.System).AuthorizeAsync(cancellationToken);
            credentials = new Hop("credentials", $"known as cluster {enrollment.ClusterId}");
        }
        catch (Exception exception) when (exception is HttpRequestException or CallHomeException)
        {
            credentials = new Hop("credentials", "", exception.Message);
        }

        yield return credentials;
    }
}
