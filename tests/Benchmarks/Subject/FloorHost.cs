using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Host;

namespace MissionControl.Benchmarks.Subject;

/// <summary>
/// The product as it is, and in front of it an address that answers an empty POST at once: the floor that its own Kestrel allows,
/// measured in the same process and run.
/// </summary>
internal static class FloorHost
{
    public const string Command = "host";
    public const string Path = "/floor";

    public static async Task<int> RunAsync(string data, string portal, string callHome, string operations, string plain)
    {
        var settings = new HostSettings { Data = data, Portal = new Uri(portal), CallHome = new Uri(callHome), Operations = new Uri(operations), CallHomePlain = new Uri(plain) };
        await using var app = ControlPlaneHost.Build(settings, configure: builder => builder.Services.AddSingleton<IStartupFilter, Floor>());
        await app.RunAsync();
        return 0;
    }

    private sealed class Floor : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(static (context, following) =>
            {
                if (context.Request.Path != Path)
                {
                    return following(context);
                }

                context.Response.StatusCode = StatusCodes.Status202Accepted;
                context.Response.ContentLength = 0;
                return Task.CompletedTask;
            });
            next(app);
        };
    }
}
