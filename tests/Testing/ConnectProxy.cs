using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MissionControl.Testing;

/// <summary>An HTTP proxy as companies have them: only CONNECT, only with credentials, on a real socket.</summary>
public class ConnectProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly string? credentials;
    private readonly Task accepting;
    private int tunnels;
    private int refused;

    /// <summary>Starts it on a free port.</summary>
    /// <param name="user">Null: it wants no credentials.</param>
    /// <param name="password">Goes with the user.</param>
    public ConnectProxy(string? user = null, string? password = null)
    {
        credentials = user is null ? null : "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>Its address.</summary>
    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

    /// <summary>Tunnels it opened.</summary>
    public int Tunnels => tunnels;

    /// <summary>Requests it answered with 407.</summary>
    public int Refused => refused;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting;
        stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Carries bytes both ways; a TLS-inspecting proxy does more.</summary>
    protected virtual async Task CarryAsync(Stream client, Stream server, string host, CancellationToken cancellationToken)
    {
        await Task.WhenAny(client.CopyToAsync(server, cancellationToken), server.CopyToAsync(client, cancellationToken));
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptTcpClientAsync(stop.Token);
                _ = ServeAsync(client);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                while (await HeadAsync(stream) is { Length: > 0 } head)
                {
                    var lines = head.Split("\r\n");
                    if (credentials is not null && !lines.Contains($"Proxy-Authorization: {credentials}", StringComparer.OrdinalIgnoreCase))
                    {
                        Interlocked.Increment(ref refused);
                        await stream.WriteAsync("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), stop.Token);
                        continue;
                    }

                    var target = lines[0].Split(' ')[1].Split(':');
                    using var server = new TcpClient();
                    await server.ConnectAsync(target[0], int.Parse(target[1], System.Globalization.CultureInfo.InvariantCulture), stop.Token);
                    await stream.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), stop.Token);
                    Interlocked.Increment(ref tunnels);
                    await CarryAsync(stream, server.GetStream(), target[0], stop.Token);
                    return;
                }
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
            {
                // Either side hung up.
            }
        }
    }

    private async Task<string> HeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, stop.Token) == 0)
            {
                return "";
            }

            head.Append((char)one[0]);
        }

        return head.ToString();
    }
}

/// <summary>A proxy that ends TLS with certificates of its own CA, looks at everything, and speaks TLS to the server: what companies inspect with.</summary>
public sealed class InspectingProxy : ConnectProxy
{
    private readonly X509Certificate2 upstreamCa;
    private readonly ECDsa caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 ca;
    private readonly ConcurrentQueue<MemoryStream> seen = new();

    /// <summary>Starts it.</summary>
    /// <param name="upstreamCaFile">The CA of the real server.</param>
    public InspectingProxy(string upstreamCaFile)
    {
        upstreamCa = X509Certificate2.CreateFromPem(File.ReadAllText(upstreamCaFile));
        var request = new CertificateRequest("CN=Inspecting proxy", caKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        ca = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>PEM of its CA.</summary>
    public string CaPem => ca.ExportCertificatePem();

    /// <summary>Bodies that went to a path, byte for byte.</summary>
    public IReadOnlyList<byte[]> Bodies(string path)
    {
        var bodies = new List<byte[]>();
        foreach (var stream in seen)
        {
            byte[] bytes;
            lock (stream)
            {
                bytes = stream.ToArray();
            }

            for (var at = 0; at < bytes.Length;)
            {
                var end = bytes.AsSpan(at).IndexOf("\r\n\r\n"u8);
                if (end < 0)
                {
                    break;
                }

                var head = Encoding.ASCII.GetString(bytes, at, end);
                var length = head.Split("\r\n").Where(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                    .Select(line => int.Parse(line.AsSpan(15), System.Globalization.CultureInfo.InvariantCulture)).FirstOrDefault();
                var body = at + end + 4;
                if (body + length > bytes.Length)
                {
                    break;
                }

                if (head.StartsWith($"POST {path} ", StringComparison.Ordinal))
                {
                    bodies.Add(bytes[body..(body + length)]);
                }

                at = body + length;
            }
        }

        return bodies;
    }

    /// <inheritdoc />
    protected override async Task CarryAsync(Stream client, Stream server, string host, CancellationToken cancellationToken)
    {
        await using var inner = new SslStream(client);
        await using var outer = new SslStream(server);
        using var certificate = CertificateOf(host);
        await inner.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [SslApplicationProtocol.Http11] }, cancellationToken);
        await outer.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = host, ApplicationProtocols = [SslApplicationProtocol.Http11],
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { upstreamCa }, RevocationMode = X509RevocationMode.NoCheck },
            }, cancellationToken);
        var record = new MemoryStream();
        seen.Enqueue(record);
        await Task.WhenAny(LookAsync(inner, outer, record, cancellationToken), outer.CopyToAsync(inner, cancellationToken));
    }

    private static async Task LookAsync(Stream from, Stream to, MemoryStream record, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            lock (record)
            {
                record.Write(buffer, 0, read);
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    private X509Certificate2 CertificateOf(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
        using var issued = request.Create(ca, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}
