using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Notifications;

/// <summary>The role <c>notifications</c>.</summary>
public sealed class NotificationsModule : IModule
{
    /// <inheritdoc />
    public string Name => "notifications";

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
