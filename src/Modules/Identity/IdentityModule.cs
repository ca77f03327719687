using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Identity;

/// <summary>The role <c>identity</c>: API tokens and sessions.</summary>
public sealed class IdentityModule : IModule
{
    /// <inheritdoc />
    public string Name => "identity";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new ApiToken.Configuration());
        model.ApplyConfiguration(new Session.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddValidation();
        host.Services.AddSingleton<UserTokenKey>();
        host.Services.AddHostedService<IdentityStart>();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        TokensApi.Map(api);
        SessionsApi.Map(api);
    }
}
