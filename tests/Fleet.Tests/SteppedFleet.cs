using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Fleet.Tests;

/// <summary>
/// The real host under a clock that only the test moves, a little less than the 15 s at a time that are still no standstill: its sweepers and its watermark are stopped, and the test
/// runs them when their turn comes.
/// </summary>
public abstract class SteppedFleet : IAsyncLifetime
{
    private protected static readonly TimeSpan Step = TimeSpan.FromSeconds(14);
    private protected SteppedTime Time { get; } = new(DateTimeOffset.Parse("2026-03-01T12:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
    private protected ControlPlane Host { get; private set; } = null!;
    private Guid customer;

    public async ValueTask InitializeAsync()
    {
        Host = await ControlPlane.StartAsync(time: Time, configuration: new Dictionary<string, string?> { ["CallHome:EnrollmentsPerSecond"] = "1000" });
        customer = (await Host.CreateCustomerAsync()).Id;
        foreach (var service in Hosted("SweeperHost").Concat(Hosted("Watermark")))
        {
            await service.StopAsync(CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();

    private protected async Task<TestCluster> OnlineAsync()
    {
        var cluster = await TestCluster.EnrollAsync(Host, customer);
        await cluster.CheckInAsync(cluster.Health());
        await Eventually.TrueAsync(async () => (await TryClusterAsync(cluster))?.LastContact is not null, "the first check-in is known");
        await DeliverWatermarkAsync("r1");
        await SweepAsync();
        Assert.Equal("online", (await ClusterAsync(cluster)).Liveness);
        return cluster;
    }

    private protected IEnumerable<IHostedService> Hosted(string name) => Host.Services.GetServices<IHostedService>().Where(service => service.GetType().Name == name);

    /// <summary>Time goes by; the replica's watermark arrives with every step, and fleet judges.</summary>
    private protected async Task PassAsync(TimeSpan by, string? replica)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += Step)
        {
            Time.Advance(Step);
            if (replica is not null)
            {
                await DeliverWatermarkAsync(replica);
            }

            await SweepAsync();
        }
    }

    private protected Task SweepAsync() => RunAsync("fleet.judge-liveness");

    private protected async Task RunAsync(string sweeper, string module = "fleet")
    {
        await using var scope = Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(module);
        await Host.Services.GetServices<Sweeper>().Single(one => one.Name == sweeper).RunAsync(scope.ServiceProvider, CancellationToken.None);
    }

    private protected async Task DeliverWatermarkAsync(string replica, TimeSpan ahead = default)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync();
        var now = Time.GetUtcNow();
        await new KeepWatermark(db, Time).HandleAsync(new IntakeWatermark(replica, now + ahead, (now + ahead).ToUnixTimeMilliseconds()), new MessageContext(Guid.NewGuid(), now), CancellationToken.None);
        await transaction.CommitAsync();
    }

    private protected async Task<ClusterSummary> ClusterAsync(TestCluster cluster) => (await TryClusterAsync(cluster))!;

    private async Task<ClusterSummary?> TryClusterAsync(TestCluster cluster)
    {
        using var response = await Host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative));
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<ClusterSummary>() : null;
    }

    private protected async Task<IReadOnlyList<IncidentItem>> IncidentsAsync() => (await Host.Admin.GetFromJsonAsync<Page<IncidentItem>>("/api/v1/fleet/incidents"))!.Items;

    /// <summary>A clock that stands until it is moved; timers run on the machine's.</summary>
    private protected sealed class SteppedTime(DateTimeOffset start) : TimeProvider
    {
        private long ticks = start.UtcTicks;

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);

        public void Advance(TimeSpan by) => Interlocked.Add(ref ticks, by.Ticks);
    }
}
