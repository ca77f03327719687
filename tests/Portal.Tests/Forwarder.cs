using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MissionControl.Portal.Tests;

/// <summary>Stands between the portal and the API: a role that is down answers 503 as an edge would, everything else passes.</summary>
public sealed class Forwarder : IAsyncDisposable
{
    private static readonly string[] NotForwarded = ["Host", "Connection", "Transfer-Encoding", "Content-Length", "Content-Type"];
    private readonly ConcurrentDictionary<string, bool> down = new();
    private readonly HttpClient client;
    private readonly WebApplication app;

    private Forwarder(WebApplication app, Uri api)
    {
        this.app = app;
        client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = api };
    }

    /// <summary>What the portal asked of the API, in order.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Its address.</summary>
    public Uri Address => new(app.Urls.First());

    /// <summary>Starts one on a free port.</summary>
    public static async Task<Forwarder> StartAsync(Uri api)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var forwarder = new Forwarder(app, api);
        app.Run(forwarder.ForwardAsync);
        await app.StartAsync();
        return forwarder;
    }

    /// <summary>Silences a role until what is returned is disposed.</summary>
    public IDisposable Silence(string role)
    {
        down[role] = true;
        return new Again(() => down.TryRemove(role, out _));
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        client.Dispose();
    }

    private async Task ForwardAsync(HttpContext http)
    {
        Asked.Enqueue(http.Request.Path + http.Request.QueryString.Value);
        if (http.Request.Path.Value!.Split('/') is [_, "api", "v1", var role, ..] && down.ContainsKey(role))
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        using var request = new HttpRequestMessage(new HttpMethod(http.Request.Method), http.Request.Path + http.Request.QueryString.Value);
        if (http.Request.ContentType is not null)
        {
            var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            request.Content = new ByteArrayContent(body.ToArray());
            request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
        }

        foreach (var header in http.Request.Headers.Where(header => !NotForwarded.Contains(header.Key, StringComparer.OrdinalIgnoreCase)))
        {
            request.Headers.TryAddWithoutValidation(header.Key, (IEnumerable<string?>)header.Value);
        }

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, http.RequestAborted);
        http.Response.StatusCode = (int)response.StatusCode;
        http.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        if (response.Headers.ETag is { } tag)
        {
            http.Response.Headers.ETag = tag.ToString();
        }

        if (response.StatusCode != HttpStatusCode.NoContent)
        {
            await response.Content.CopyToAsync(http.Response.Body, http.RequestAborted);
        }
    }

    private sealed class Again(Action again) : IDisposable
    {
        public void Dispose() => again();
    }
}
