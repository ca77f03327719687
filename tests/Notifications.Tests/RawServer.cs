using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MissionControl.Notifications.Tests;

/// <summary>Takes connections over TLS and answers whatever comes with bytes of its own; with none it says nothing.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 certificate;
    private readonly byte[] answer;

    public RawServer(X509Certificate2 certificate, string answer)
    {
        this.certificate = certificate;
        this.answer = Encoding.UTF8.GetBytes(answer);
        listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}/");

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true)
        {
            _ = AnswerAsync(await listener.AcceptTcpClientAsync());
        }
    }

    private async Task AnswerAsync(TcpClient taken)
    {
        using var client = taken;
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(certificate);
        var buffer = new byte[65536];
        while (await tls.ReadAsync(buffer) > 0)
        {
            await tls.WriteAsync(answer);
        }
    }
}
