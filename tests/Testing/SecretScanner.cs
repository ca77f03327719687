using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MissionControl.Testing;

/// <summary>Stands in for GitHub's secret scanning: publishes keys, and signs reports by one of them.</summary>
public sealed class SecretScanner : IAsyncDisposable
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly WebApplication app;
    private readonly ConcurrentQueue<(string Id, string Pem, bool IsCurrent)> published = new();
    private int asked;

    private SecretScanner(WebApplication app, int port)
    {
        this.app = app;
        KeysUrl = $"http://127.0.0.1:{port}/meta/public_keys/secret_scanning";
        KeyId = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem() + "\n")));
        Publish(KeyId, key.ExportSubjectPublicKeyInfoPem(), isCurrent: true);
    }

    /// <summary>Where the keys are.</summary>
    public string KeysUrl { get; }

    /// <summary>The id of the key that signs.</summary>
    public string KeyId { get; }

    /// <summary>How often the keys were asked for.</summary>
    public int Asked => Volatile.Read(ref asked);

    /// <summary>Whether the keys can be had.</summary>
    public bool IsAway { get; set; }

    /// <summary>Starts one.</summary>
    public static async Task<SecretScanner> StartAsync()
    {
        var port = Ports.Free();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        var scanner = new SecretScanner(app, port);
        app.Run(async context =>
        {
            Interlocked.Increment(ref scanner.asked);
            context.Response.StatusCode = scanner.IsAway ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            await context.Response.WriteAsync(JsonSerializer.Serialize(new { public_keys = scanner.published.Select(one => new { key_identifier = one.Id, key = one.Pem, is_current = one.IsCurrent }) }));
        });
        await app.StartAsync();
        return scanner;
    }

    /// <summary>Publishes one more key.</summary>
    public void Publish(string id, string pem, bool isCurrent) => published.Enqueue((id, pem, isCurrent));

    /// <summary>Signs a body as GitHub does.</summary>
    public string Sign(byte[] body) => Convert.ToBase64String(key.SignData(body, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    /// <summary>A report of tokens, each with the place where it was found.</summary>
    public static byte[] Body(params (string Token, string Url)[] finds) =>
        JsonSerializer.SerializeToUtf8Bytes(finds.Select(find => new { token = find.Token, type = "mission_control_token", url = find.Url, source = "Commit" }));

    /// <summary>Sends a report.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpClient http, byte[] body) => SendAsync(http, body, KeyId, Sign(body));

    /// <summary>Sends a report with any key id and signature.</summary>
    public static async Task<HttpResponseMessage> SendAsync(HttpClient http, byte[] body, string? keyId, string? signature)
    {
        ArgumentNullException.ThrowIfNull(http);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/identity/leaks/github") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (keyId is not null)
        {
            request.Headers.TryAddWithoutValidation("GITHUB-PUBLIC-KEY-IDENTIFIER", keyId);
        }

        if (signature is not null)
        {
            request.Headers.TryAddWithoutValidation("Github-Public-Key-Signature", signature);
        }

        return await http.SendAsync(request);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        key.Dispose();
    }
}
