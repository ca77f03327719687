using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Licensing;

/// <summary>The role <c>licensing</c>.</summary>
public sealed class LicensingModule : IModule
{
    /// <inheritdoc />
    public string Name => "licensing";

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
