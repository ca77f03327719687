using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MissionControl.Testing;

namespace MissionControl.Notifications.Tests;

/// <summary>A webhook's receiver over TLS, which verifies as Standard Webhooks says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication app;

    private Receiver(WebApplication app, int port)
    {
        this.app = app;
        Address = new Uri($"https://localhost:{port}/hook");
    }

    public Uri Address { get; }

    /// <summary>How it answers.</summary>
    public Func<HttpResponse, int> Answers { get; set; } = _ => 204;

    public ConcurrentQueue<(string Id, string Timestamp, string Signatures, string ContentType, byte[] Body)> Requests { get; } = new();

    public static async Task<Receiver> StartAsync(X509Certificate2 certificate)
    {
        var port = Ports.Free();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listener => listener.UseHttps(certificate)));
        var app = builder.Build();
        var receiver = new Receiver(app, port);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var headers = context.Request.Headers;
            receiver.Requests.Enqueue((headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(), headers["webhook-signature"].ToString(), context.Request.ContentType!, body.ToArray()));
            context.Response.StatusCode = receiver.Answers(context.Response);
        });
        await app.StartAsync();
        return receiver;
    }

    /// <summary>Which of a request's signatures a secret makes, worked out by the words of the specification alone.</summary>
    public static bool Verifies(string secret, (string Id, string Timestamp, string Signatures, string ContentType, byte[] Body) request)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        var signature = "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{request.Id}.{request.Timestamp}."), .. request.Body]));
        return request.Signatures.Split(' ').Contains(signature);
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}

/// <summary>A syslog server over TLS: reads messages by the length in front of them (RFC 5425).</summary>
internal sealed class SyslogServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 certificate;

    public SyslogServer(X509Certificate2 certificate)
    {
        this.certificate = certificate;
        listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"syslog+tls://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}");

    public ConcurrentQueue<string> Messages { get; } = new();

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync();
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
}
