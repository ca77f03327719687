using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Http;

/// <summary>Marks endpoints of a module.</summary>
/// <param name="Module">The module's name.</param>
public sealed record InModule(string Module);

/// <summary>Enters the module of a request's endpoint, so that its messages go to that module's outbox.</summary>
public static class ModuleRouting
{
    /// <summary>Says which module the endpoints belong to.</summary>
    public static TBuilder InModule<TBuilder>(this TBuilder builder, string module)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new InModule(module)));
        return builder;
    }

    /// <summary>Enters the module for the rest of the request.</summary>
    public static void UseModules(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<InModule>() is { } owner)
        {
            context.RequestServices.GetRequiredService<ModuleScope>().Enter(owner.Module);
        }

        return next(context);
    });
}
