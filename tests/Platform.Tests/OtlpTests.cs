using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.Tokens;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Metrics and traces reach a collector over the wire, say whose they are, and carry no secret.</summary>
public sealed class OtlpTests
{
    [Fact]
    public async Task Metrics_and_traces_reach_a_collector_and_name_the_process_but_no_secret()
    {
        await using var collector = await Collector.StartAsync();
        string instance, token, pasted;
        await using (var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Telemetry:OtlpEndpoint"] = collector.Address.ToString() }))
        {
            instance = host.Services.GetRequiredService<ProcessIdentity>().Instance;
            token = host.AdminToken;
            var customer = await host.CreateCustomerAsync();
            using var cluster = await TestCluster.EnrollAsync(host, customer.Id);
            await cluster.CheckInAsync();
            using var read = await host.Admin.GetAsync(new Uri($"/api/v1/licensing/customers/{customer.Id}", UriKind.Relative));

            pasted = TokenText.New('a', out _, out _);
            foreach (var address in new[] { $"/api/v1/identity/tokens/{pasted}", $"/api/v1/licensing/customers?q={pasted}", $"/{pasted}" })
            {
                using var misplaced = await host.Admin.GetAsync(new Uri(address, UriKind.Relative));
            }

            // A span ends after its answer has left. On the same connection nothing is answered before that.
            using var after = await host.Admin.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative));
        }

        // A process that ends hands over what it has.
        Assert.Contains(collector.Received.Keys, path => path.EndsWith("MetricsService/Export", StringComparison.Ordinal));
        Assert.Contains(collector.Received.Keys, path => path.EndsWith("TraceService/Export", StringComparison.Ordinal));
        foreach (var (_, text) in collector.Received)
        {
            Assert.Contains("missioncontrol", text, StringComparison.Ordinal);
            Assert.Contains(instance, text, StringComparison.Ordinal);
            Assert.DoesNotContain(token[(token.LastIndexOf('_') + 1)..], text, StringComparison.Ordinal);
            Assert.DoesNotContain(pasted[TokenScanner.LoggableLength..], text, StringComparison.Ordinal);
        }

        Assert.Contains("missioncontrol.outbox.waiting", collector.Received.Single(call => call.Key.Contains("Metrics", StringComparison.Ordinal)).Value, StringComparison.Ordinal);
        Assert.Contains($"{pasted[..TokenScanner.LoggableLength]}_…", Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(collector.Received.Single(call => call.Key.Contains("Trace", StringComparison.Ordinal)).Value)), StringComparison.Ordinal);
        foreach (var said in new[] { "POST /callhome/v1/checkin", "GET /api/v1/licensing/customers/{id:guid}", "http.route", "http.response.status_code" })
        {
            Assert.Contains(said, collector.Received.Single(call => call.Key.Contains("Trace", StringComparison.Ordinal)).Value, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_collector_that_is_away_hinders_nothing()
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["Telemetry:OtlpEndpoint"] = $"http://127.0.0.1:{Ports.Free()}" });

        var customer = await host.CreateCustomerAsync();
        using var cluster = await TestCluster.EnrollAsync(host, customer.Id);
        await cluster.CheckInAsync();
    }

    /// <summary>What any collector of the protocol is from outside: gRPC over HTTP/2, each call answered with an empty message.</summary>
    private sealed class Collector(WebApplication app) : IAsyncDisposable
    {
        public ConcurrentDictionary<string, string> Received { get; } = new();

        public Uri Address => new(app.Urls.First());

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
            var collector = new Collector(builder.Build());
            await collector.BeginAsync();
            return collector;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task BeginAsync()
        {
            app.Run(async http =>
            {
                using var body = new MemoryStream();
                await http.Request.Body.CopyToAsync(body);
                var text = Encoding.Latin1.GetString(body.ToArray());
                Received.AddOrUpdate(http.Request.Path, text, (_, before) => before + text);
                http.Response.ContentType = "application/grpc";
                http.Response.DeclareTrailer("grpc-status");
                await http.Response.Body.WriteAsync(new byte[5]);
                http.Response.AppendTrailer("grpc-status", "0");
            });
            await app.StartAsync();
        }
    }
}
