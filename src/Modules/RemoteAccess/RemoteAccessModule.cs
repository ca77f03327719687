using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.RemoteAccess;

/// <summary>The role <c>remoteaccess</c>.</summary>
public sealed class RemoteAccessModule : IModule
{
    /// <inheritdoc />
    public string Name => "remoteaccess";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
    }
}
