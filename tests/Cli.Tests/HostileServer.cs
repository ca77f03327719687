using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using MissionControl.Testing;

namespace MissionControl.Cli.Tests;

/// <summary>A server that is none of ours, on loopback; says what a test wants it to say.</summary>
internal sealed class HostileServer : IAsyncDisposable
{
    private readonly WebApplication app;

    private HostileServer(WebApplication app) => this.app = app;

    public string Address => app.Urls.Single();

    /// <summary>What was asked, in order.</summary>
    public List<string> Asked { get; } = [];

    public static async Task<HostileServer> StartAsync(Func<HttpContext, Task> answer, TestAuthority? authority = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"{(authority is null ? "http" : "https")}://127.0.0.1:0").ConfigureKestrel(options =>
        {
            options.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            options.ConfigureHttpsDefaults(https => https.ServerCertificate = authority!.Certificate);
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        var server = new HostileServer(builder.Build());
        server.app.Run(context =>
        {
            lock (server.Asked)
            {
                server.Asked.Add($"{context.Request.Method} {context.Request.Path}");
            }

            return context.Request.Path == "/api/v1/identity/sessions/trade" ? context.Response.WriteAsJsonAsync(new { accessToken = "a.user.token-that-nobody-reads", expiresAt = "2030-01-01T00:00:00Z" }) : answer(context);
        });
        await server.app.StartAsync();
        return server;
    }

    /// <summary>A server of the files in a directory, which is none of ours either.</summary>
    public static Task<HostileServer> ServingAsync(string directory) => StartAsync(context => ServeAsync(context, directory));

    /// <summary>Answers with the file of that path.</summary>
    public static async Task ServeAsync(HttpContext context, string directory)
    {
        var file = $"{directory}{context.Request.Path}";
        if (File.Exists(file))
        {
            await context.Response.Body.WriteAsync(await File.ReadAllBytesAsync(file));
        }
        else
        {
            context.Response.StatusCode = 404;
        }
    }

    /// <summary>A workspace that is signed in there.</summary>
    public Workspace Workspace()
    {
        var space = new Workspace();
        SignedInHost.Keep(space, $$"""{"server": "{{Address}}", "session": "a-session-of-somebody"}""");
        space.NeverSays("a.user.token-that-nobody-reads");
        return space;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
