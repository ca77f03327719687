using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MissionControl.Notifications.Tests;

/// <summary>A syslog server over TLS: reads messages by the length in front of them (RFC 5425).</summary>
internal sealed class SyslogServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 certificate;
    private readonly bool reads;
    private readonly List<SslStream> open = [];

    public SyslogServer(X509Certificate2 certificate, bool reads = true)
    {
        this.reads = reads;
        this.certificate = certificate;
        listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"syslog+tls://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}");

    public ConcurrentQueue<string> Messages { get; } = new();

    public void Dispose()
    {
        listener.Dispose();
        open.ForEach(one => one.Dispose());
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var taken = await listener.AcceptTcpClientAsync();
            if (reads)
            {
                _ = TakeAsync(taken);
            }
            else
            {
                // Taken, and no byte read of it as long as this server is there.
                var tls = new SslStream(taken.GetStream());
                await tls.AuthenticateAsServerAsync(certificate);
                open.Add(tls);
            }
        }
    }

    private async Task TakeAsync(TcpClient taken)
    {
        using var client = taken;
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(certificate);
        var length = 0;
        var one = new byte[1];
        while (await tls.ReadAsync(one) == 1)
        {
            if (one[0] != ' ')
            {
                length = (length * 10) + one[0] - '0';
                continue;
            }

            var message = new byte[length];
            await tls.ReadExactlyAsync(message);
            Messages.Enqueue(Encoding.UTF8.GetString(message));
            length = 0;
        }
    }
}
