using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace MissionControl.Platform.Telemetry;

/// <summary>Health, metrics and traces.</summary>
public static class PlatformTelemetry
{
    /// <summary>Registers the Prometheus text and, when <c>Telemetry:OtlpEndpoint</c> is set, export by OTLP.</summary>
    public static void AddPlatformTelemetry(this IServiceCollection services)
    {
        // Until its version 11 the framework says nothing of a request in its trace unless it is told to.
        AppContext.SetSwitch("Microsoft.AspNetCore.Hosting.SuppressActivityOpenTelemetryData", false);
        services.AddSingleton<PrometheusText>();
        services.AddHostedService<OtlpExport>();
    }

    /// <summary>Where traces are exported: what the framework does not say of a request in its trace, by the names of OpenTelemetry's conventions.</summary>
    public static void UseTraces(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetRequiredService<IConfiguration>()["Telemetry:OtlpEndpoint"] is not { Length: > 0 })
        {
            return;
        }

        app.Use(static async (context, next) =>
        {
            await next(context);
            if (context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true } trace)
            {
                trace.SetTag("http.response.status_code", context.Response.StatusCode);
                trace.SetStatus(context.Response.StatusCode >= StatusCodes.Status500InternalServerError ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
                if ((context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is { } route)
                {
                    trace.SetTag("http.route", route);

                    // The method as the framework tells it: one that is unknown does not become a name.
                    trace.DisplayName = $"{trace.GetTagItem("http.request.method")} {route}";
                }
            }
        });
    }

    /// <summary><c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>, on the operations listener only.</summary>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("").AllowAnonymous().OnSurface(Surface.Operations).ExcludeFromDescription();
        operations.MapGet("/health/live", static () => Results.Json(new { status = "live" })).WithName("Live").WithSummary("The process runs");
        operations.MapGet("/health/ready", static (Readiness readiness) => Results.Json(
                new { status = readiness.IsReady ? "ready" : "unready", missing = readiness.Missing, warnings = readiness.Warnings }, statusCode: readiness.IsReady ? 200 : 503))
            .WithName("Ready").WithSummary("The process may be sent traffic");
        operations.MapGet("/metrics", static (PrometheusText metrics) => Results.Text(metrics.Write(), "text/plain; version=0.0.4")).WithName("Metrics").WithSummary("Metrics in the Prometheus text format");
    }

    private sealed class OtlpExport(IConfiguration configuration, ModuleCatalog modules, ProcessIdentity process, PrometheusText prometheus) : IHostedService, IDisposable
    {
        // Held so that measuring begins with the process, not with the first scrape.
        private readonly PrometheusText prometheus = prometheus;
        private OpenTelemetrySdk? sdk;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            if (configuration["Telemetry:OtlpEndpoint"] is { Length: > 0 } endpoint)
            {
                void Target(OtlpExporterOptions otlp) => otlp.Endpoint = new Uri(endpoint);
                sdk = OpenTelemetrySdk.Create(telemetry => telemetry
                    .ConfigureResource(resource => resource
                        .AddService("missioncontrol", serviceVersion: ReplicaHeartbeat.Version, autoGenerateServiceInstanceId: false, serviceInstanceId: process.Instance)
                        .AddAttributes([new("missioncontrol.roles", modules.Active.Select(module => module.Name).ToArray())]))
                    .WithMetrics(metrics => metrics.AddMeter("MissionControl.*", "Microsoft.AspNetCore.*").AddOtlpExporter(Target))
                    .WithTracing(traces => traces.AddSource("MissionControl.*", "Microsoft.AspNetCore").AddProcessor(new MaskTokens()).AddOtlpExporter(Target)));
            }

            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
            sdk?.Dispose();
            prometheus.Dispose();
        }
    }
}
