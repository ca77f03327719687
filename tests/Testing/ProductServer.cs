using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace MissionControl.Testing;

/// <summary>A product that answers the agent's GET, over a real socket.</summary>
public sealed class ProductServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private ProductServer(WebApplication app) => this.app = app;

    /// <summary>Where its document is.</summary>
    public Uri Url => new(new Uri(app.Urls.Single()), "/mission-control");

    /// <summary>Starts it on a free port.</summary>
    /// <param name="document">The document now; null: it answers 503.</param>
    public static async Task<ProductServer> StartAsync(Func<string?> document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapGet("/mission-control", () => document() is { } json ? Results.Text(json, "application/json") : Results.StatusCode(503));
        await app.StartAsync();
        return new ProductServer(app);
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => app.DisposeAsync();
}
