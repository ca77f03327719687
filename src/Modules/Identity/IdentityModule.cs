using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Identity.Sessions;
using MissionControl.Identity.Tokens;
using MissionControl.Identity.Views;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;

namespace MissionControl.Identity;

/// <summary>The role <c>identity</c>: API tokens, sessions and saved views.</summary>
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
        model.ApplyConfiguration(new SavedView.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddValidation();
        host.Services.AddSingleton<UserTokenKey>();
        host.Services.AddHostedService<IdentityStart>();
        host.Services.AddSweeper<TellUserKeys>();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Purge<ApiToken>("token", "who may call the API, and could", personal: true, Term.Days(400, 90, 1200), "after it expired", row => row.ExpiresAt);
        records.Purge<Session>("session", "who was signed in", personal: true, Term.Days(400, 30, 400), "after it expired", row => row.ExpiresAt);
        records.Keep("view", "filters of lists that somebody named", personal: true, "until it is deleted", typeof(SavedView));
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        TokensApi.Map(api);
        SessionsApi.Map(api);
        ViewsApi.Map(api);
    }
}
