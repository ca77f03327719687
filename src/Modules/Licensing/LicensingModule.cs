using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Licensing.Customers;
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
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new Customer.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddValidation();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api) => CustomersApi.Map(api);
}
