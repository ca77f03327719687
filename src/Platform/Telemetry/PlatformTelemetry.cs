using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Http;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace MissionControl.Platform.Telemetry;

/// <summary>Health, metrics and traces.</summary>
public static class PlatformTelemetry
{
    /// <summary>Registers the Prometheus text and, when <c>Telemetry:OtlpEndpoint</c> is set, export by OTLP.</summary>
    public static void AddPlatformTelemetry(this IServiceCollection services)
    {
        services.AddSingleton<PrometheusText>();
        services.AddHostedService<OtlpExport>();
    }

    /// <summary><c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>, on the operations listener only.</summary>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("").AllowAnonymous().OnSurface(Surface.Operations).ExcludeFromDescription();
        operations.MapGet("/health/live", static () => Results.Json(new { status = "live" })).WithName("Live").WithSummary("The process runs");
        operations.MapGet("/health/ready", static (Readiness readiness) => Results.Json(
                new { status = readiness.IsReady ? "ready" : "unready", missing = readiness.Missing }, statusCode: readiness.IsReady ? 200 : 503))
            .WithName("Ready").WithSummary("The process may be sent traffic");
        operations.MapGet("/metrics", static (PrometheusText metrics) => Results.Text(metrics.Write(), "text/plain; version=0.0.4")).WithName("Metrics").WithSummary("Metrics in the Prometheus text format");
    }

    private sealed class OtlpExport(IConfiguration configuration, PrometheusText prometheus) : IHostedService, IDisposable
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
                    .WithMetrics(metrics => metrics.AddMeter("MissionControl.*", "Microsoft.AspNetCore.*").AddOtlpExporter(Target))
                    .WithTracing(traces => traces.AddSource("MissionControl.*", "Microsoft.AspNetCore").AddOtlpExporter(Target)));
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
