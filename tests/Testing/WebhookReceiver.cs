using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MissionControl.Testing;

/// <summary>A webhook's receiver over TLS, which verifies as Standard Webhooks says.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;

    private WebhookReceiver(WebApplication app, int port)
    {
        this.app = app;
        Address = new Uri($"https://localhost:{port}/hook");
    }

    /// <summary>Where it is.</summary>
    public Uri Address { get; }

    /// <summary>How it answers.</summary>
    public Func<HttpResponse, int> Answers
    {
        set => AnswersAsync = response => Task.FromResult(value(response));
    }

    /// <summary>How it answers, in its own time.</summary>
    public Func<HttpResponse, Task<int>> AnswersAsync { get; set; } = _ => Task.FromResult(204);

    /// <summary>All that it was sent.</summary>
    public ConcurrentQueue<(string Id, string Timestamp, string Signatures, string ContentType, byte[] Body)> Requests { get; } = new();

    /// <summary>Starts one.</summary>
    public static async Task<WebhookReceiver> StartAsync(X509Certificate2 certificate)
    {
        var port = Ports.Free();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listener => listener.UseHttps(certificate)));
        var app = builder.Build();
        var receiver = new WebhookReceiver(app, port);
        app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            var headers = context.Request.Headers;
            receiver.Requests.Enqueue((headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(), headers["webhook-signature"].ToString(), context.Request.ContentType!, body.ToArray()));
            context.Response.StatusCode = await receiver.AnswersAsync(context.Response);
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

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
