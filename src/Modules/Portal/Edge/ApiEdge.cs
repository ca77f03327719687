using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;
using Yarp.ReverseProxy.Configuration;

namespace MissionControl.Portal.Edge;

/// <summary>
/// The one address of the distributed shape: requests for another role's API go to one of its replicas with the caller's own bearer.
/// Nothing is decided here; the role itself asks who calls and what they may.
/// </summary>
internal static class ApiEdge
{
    private const string CaFile = "ca-file";
    private static readonly string[] WellKnown = ["oauth-authorization-server", "openid-configuration"];

    /// <summary>Registers the routes to the roles that run elsewhere; none in the embedded shape.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddReverseProxy().ConfigureHttpClient(static (context, client) => client.SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509Certificate2.CreateFromPem(File.ReadAllText(context.NewMetadata![CaFile])) },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        });
        services.AddSingleton<IProxyConfigProvider>(provider =>
            Routes(provider.GetRequiredService<ModuleCatalog>(), provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<DataDirectory>()));
    }

    /// <summary>Maps them.</summary>
    public static void Map(IEndpointRouteBuilder root)
    {
        var modules = root.ServiceProvider.GetRequiredService<ModuleCatalog>();
        if (modules.Active.Count < modules.All.Count)
        {
            root.MapReverseProxy(static pipeline =>
            {
                pipeline.Use(ForwardAsync);
                pipeline.UseLoadBalancing();
                pipeline.UsePassiveHealthChecks();
            }).OpenToAll("the role that owns the endpoint judges the bearer").OnSurface(Surface.Api);
        }
    }

    private static InMemoryConfigProvider Routes(ModuleCatalog modules, IConfiguration configuration, DataDirectory data)
    {
        var routes = new List<RouteConfig>();
        var clusters = new List<ClusterConfig>();
        foreach (var role in modules.All.Except(modules.Active).Select(module => module.Name))
        {
            var addresses = configuration.GetSection($"Edge:Roles:{role}").Get<string[]>() ?? [];
            routes.Add(new RouteConfig { RouteId = role, ClusterId = role, Match = new RouteMatch { Path = $"/api/v1/{role}/{{**rest}}" } });
            if (role == "identity")
            {
                // Where the issuer's name leads (RFC 8414, 3).
                routes.AddRange(WellKnown.Select(name => new RouteConfig { RouteId = name, ClusterId = role, Match = new RouteMatch { Path = $"/.well-known/{name}", Methods = ["GET"] } }));
            }

            clusters.Add(new ClusterConfig
            {
                ClusterId = role,
                Destinations = addresses.Select((address, i) => (Name: $"{role}-{i}", address)).ToDictionary(entry => entry.Name, entry => new DestinationConfig { Address = entry.address }),
                HealthCheck = new HealthCheckConfig { Passive = new PassiveHealthCheckConfig { Enabled = true, Policy = "TransportFailureRate", ReactivationPeriod = TimeSpan.FromSeconds(5) } },
                Metadata = new Dictionary<string, string> { [CaFile] = configuration["Edge:CaFile"] is { Length: > 0 } file ? file : data.PathOf("keys/ca.pem") },
            });
        }

        return new InMemoryConfigProvider(routes, clusters);
    }

    /// <summary>A read that met a dead replica goes to another one; what failed at last is said as a problem.</summary>
    private static async Task ForwardAsync(HttpContext context, Func<Task> next)
    {
        await next();
        if (context.GetForwarderErrorFeature() is null || context.Response.HasStarted)
        {
            return;
        }

        var proxy = context.GetReverseProxyFeature();
        var others = proxy.AllDestinations.Where(destination => destination != proxy.ProxiedDestination).ToList();
        if (HttpMethods.IsGet(context.Request.Method) && others.Count > 0 && !context.RequestAborted.IsCancellationRequested)
        {
            context.Features.Set<Yarp.ReverseProxy.Forwarder.IForwarderErrorFeature>(null);
            context.Response.Clear();
            proxy.AvailableDestinations = others;
            await next();
        }

        if (context.GetForwarderErrorFeature() is not null && !context.Response.HasStarted)
        {
            context.Response.Clear();
            await Problems.WriteAsync(context, ProblemCodes.RoleUnavailable, $"The role {proxy.Route.Config.RouteId} does not answer. Other roles are not concerned; try again in a moment.");
        }
    }
}
