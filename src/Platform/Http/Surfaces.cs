using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace MissionControl.Platform.Http;

/// <summary>What a listener serves. Endpoints without a surface belong to the API.</summary>
[Flags]
public enum Surface
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The REST API.</summary>
    Api = 1,

    /// <summary>Pages for people.</summary>
    Portal = 2,

    /// <summary>The clusters' way in.</summary>
    CallHome = 4,

    /// <summary>Health and metrics.</summary>
    Operations = 8,
}

/// <summary>On a connection: what its listener serves. On an endpoint: where it may be reached.</summary>
/// <param name="Value">The surfaces.</param>
public sealed record SurfaceOf(Surface Value);

/// <summary>Marks an endpoint that checks its callers itself and needs nothing of what stands between routing and it.</summary>
public sealed record GuardsItself;

/// <summary>Keeps each listener to what it is for: a call-home port shows no page, a loopback port takes no cookie.</summary>
public static class SurfaceRouting
{
    /// <summary>Says on which listeners the endpoint is reachable.</summary>
    public static TBuilder OnSurface<TBuilder>(this TBuilder builder, Surface surface)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new SurfaceOf(surface)));
        return builder;
    }

    /// <summary>
    /// Says that the endpoint checks its callers itself: it is called as soon as its listener is known to serve it, without
    /// authentication, authorisation, rate limits and a service scope. Only for what is called ten thousand times a second.
    /// </summary>
    public static TBuilder GuardsItself<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(new GuardsItself()));
        return builder;
    }

    /// <summary>Answers 404 to requests for endpoints that the listener does not serve.</summary>
    public static void UseSurfaces(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (context.GetEndpoint() is { } endpoint)
        {
            var wanted = endpoint.Metadata.GetMetadata<SurfaceOf>()?.Value ?? Surface.Api;
            var served = context.Features.Get<SurfaceOf>()?.Value ?? Surface.None;
            if ((wanted & served) == 0)
            {
                context.SetEndpoint(null);
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            }

            if (endpoint is { RequestDelegate: { } answer } && endpoint.Metadata.GetMetadata<GuardsItself>() is not null)
            {
                return answer(context);
            }
        }

        return next(context);
    });
}
