using System.Diagnostics.Metrics;
using MissionControl.FleetSimulator;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>A simulated fleet in which each cluster has a connection of its own, as real ones do; counted at the server.</summary>
public sealed class OwnConnectionsTests
{
    private const int Clusters = 40;

    [Theory]
    [InlineData(true, Clusters)]
    [InlineData(false, 4)]
    public async Task Each_cluster_has_its_own_or_all_share_a_few(bool own, int expected)
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:EnrollmentsPerSecond"] = "1000" });
        using var connections = new Connections(host.CallHome.Port);
        using var simulation = new FleetSimulation(
            new SimulationOptions { Api = host.Portal, CallHome = host.CallHome, CaFile = host.CaFile, ApiToken = host.AdminToken, Clusters = Clusters, Connections = 4, OwnConnections = own }, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = simulation.RunAsync(null, stop.Token);

        await Eventually.TrueAsync(() => running.IsCompleted || simulation.Enrolled == Clusters, "all are enrolled");
        await Eventually.TrueAsync(() => running.IsCompleted || connections.Active >= expected, "their connections are open");

        Assert.False(running.IsCompleted);
        Assert.Equal(expected, connections.Active);
        Assert.Equal(expected, connections.Most);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Theory]
    [InlineData(5_000, true, false)]
    [InlineData(5_001, true, true)]
    [InlineData(5_001, false, false)]
    public void More_than_five_thousand_of_them_are_refused_with_the_reason(int clusters, bool own, bool refused)
    {
        var address = new Uri("https://localhost");
        var errors = new SimulationOptions { Api = address, CallHome = address, ApiToken = "", Clusters = clusters, OwnConnections = own }.Errors();

        Assert.Equal(refused, errors.Any(error => error.Contains("--own-connections is for at most 5000 clusters", StringComparison.Ordinal)));
    }

    /// <summary>Connections that a server in this process holds open at a port, by its own count.</summary>
    private sealed class Connections : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly Lock sync = new();

        public Connections(int port)
        {
            listener.InstrumentPublished = (instrument, meter) =>
            {
                if (instrument is { Name: "kestrel.active_connections", Meter.Name: "Microsoft.AspNetCore.Server.Kestrel" })
                {
                    meter.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<long>((_, change, tags, _) =>
            {
                foreach (var (name, value) in tags)
                {
                    if (name == "server.port" && value is int at && at == port)
                    {
                        lock (sync)
                        {
                            Active += (int)change;
                            Most = Math.Max(Most, Active);
                        }
                    }
                }
            });
            listener.Start();
        }

        public int Active { get; private set; }

        public int Most { get; private set; }

        public void Dispose() => listener.Dispose();
    }
}
