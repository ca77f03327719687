using System.Globalization;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.FleetSimulator;
using MissionControl.Protocol.Documents;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The simulated fleet through the same door as everybody: what its counters say is what billing reads.</summary>
public abstract class SimulationTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly IInstallation installation;
    private readonly TimeProvider time;

    private protected SimulationTests(IInstallation installation, TimeProvider time) => (this.installation, this.time) = (installation, time);

    [Fact]
    public async Task What_the_counters_of_a_cluster_say_is_what_the_billing_api_says()
    {
        const int Hours = 30;
        await using var fleet = await SimulatedFleet.BeginAsync(installation, time, new Options(Clusters: 3, Seed: 7, HistoryHours: Hours, new Faults()));
        var until = UsageWindow.HourOf(fleet.Began);
        var names = await fleet.NewAsync();
        foreach (var (index, name) in new[] { "Oslo", "Lisbon", "Vienna" }.Index())
        {
            var report = await fleet.UsageAsync(names[name].Id, until - Hours, until);
            Assert.Equal((0, 0), (report.Completeness.IncompleteHours, report.Completeness.ParkedHours));
            var source = new SimulatedCluster(name, Mood.Healthy, 7 + index, time);
            var before = source.Read(UsageWindow.StartOf(until - Hours)).Counters;
            var after = source.Read(UsageWindow.StartOf(until)).Counters;
            foreach (var meter in after.Select(counter => counter.Meter).Distinct())
            {
                var expected = after.Where(counter => counter.Meter == meter).Sum(counter => counter.Value) - before.Where(counter => counter.Meter == meter).Sum(counter => counter.Value);
                Assert.Equal(expected, decimal.Parse(report.Series.Single(series => series.Meter == meter).Total, CultureInfo.InvariantCulture));
            }
        }
    }

    [Fact]
    public async Task A_bad_network_restarts_and_wrong_clocks_neither_lose_nor_double_anything()
    {
        const int Clusters = 4, Hours = 12;
        await using var fleet = await SimulatedFleet.BeginAsync(
            installation, time, new Options(Clusters, Seed: 11, Hours, new Faults { Loss = 0.15, DelayMs = 300, Duplicates = 0.3, Reordering = 0.3, ClockSkewSeconds = 600, Restarts = 0.2 }));
        var now = UsageWindow.HourOf(fleet.Began);
        var (from, until) = (now - Hours + 1, now - 1);
        var clusters = await fleet.NewAsync();
        for (var i = 0; i < Clusters; i++)
        {
            await fleet.VerifyDataPointsAsync(i, clusters[FleetSimulation.NameOf(i)].Id, from, until);
        }

        Assert.All((await fleet.NewAsync()).Values, cluster => Assert.False(cluster.CloneSuspected));
    }

    [Fact]
    public async Task Ten_hours_of_a_bad_network_and_restarts_cost_nothing_but_patience_and_no_memory()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1", "A longer proof: infra/dev test --long.");
        const int Clusters = 24;
        await using var fleet = await SimulatedFleet.BeginAsync(
            installation, time, new Options(Clusters, Seed: 23, HistoryHours: 0, new Faults { Loss = 0.05, DelayMs = 300, Duplicates = 0.1, Reordering = 0.1, ClockSkewSeconds = 600, Restarts = 0.01 }));
        var clusters = await fleet.NewAsync();
        await PassAsync(TimeSpan.FromHours(3));
        var settled = GC.GetTotalMemory(forceFullCollection: true);
        await PassAsync(TimeSpan.FromHours(10));
        var after = GC.GetTotalMemory(forceFullCollection: true);
        Assert.True(after < (settled * 1.1) + (16 << 20), $"{settled >> 20} MiB were alive after three hours, {after >> 20} MiB after ten");
        var now = UsageWindow.HourOf(fleet.Began);
        for (var i = 0; i < Clusters; i++)
        {
            await fleet.VerifyDataPointsAsync(i, clusters[FleetSimulation.NameOf(i)].Id, now + 1, now + 9);
        }

        Assert.All((await fleet.NewAsync()).Values, cluster => Assert.False(cluster.CloneSuspected));

        Task PassAsync(TimeSpan passed) => Eventually.TrueAsync(() => time.GetUtcNow() >= fleet.Began + passed, $"{passed.TotalHours} hours have passed", TimeSpan.FromMinutes(30));
    }

    [Fact]
    public async Task A_copied_machine_that_speaks_beside_its_original_is_noticed()
    {
        await using var fleet = await SimulatedFleet.BeginAsync(installation, time, new Options(Clusters: 2, Seed: 3, HistoryHours: 0, new Faults { Clones = 1 }));

        await Eventually.TrueAsync(async () => (await fleet.NewAsync()).Values.Count(cluster => cluster.CloneSuspected) == 1, "exactly one of the clusters is suspected to have a clone");
    }

    [Fact]
    public async Task A_cluster_that_falls_silent_goes_missing_while_the_others_stay_online()
    {
        await using var fleet = await SimulatedFleet.BeginAsync(installation, time, new Options(Clusters: 6, Seed: 5, HistoryHours: 0, new Faults()));

        // A machine that is busy for as long as intake may stand still delays the judgement, as it should; it does not change it. Late is no silence: in a world twenty times as fast, two seconds of this machine's is more than the slack that a check-in has.
        Dictionary<string, string> found = [];
        await Eventually.TrueAsync(
            async () => (found = (await fleet.NewAsync()).ToDictionary(cluster => cluster.Key, cluster => cluster.Value.Liveness))[FleetSimulation.NameOf(5)] == "missing" && found.Values.Count(liveness => liveness is "online" or "late") == 5,
            () => $"exactly the silent cluster is missing; last seen: {string.Join(", ", found.Select(cluster => $"{cluster.Key} {cluster.Value}"))}", TimeSpan.FromMinutes(4));
    }

    private sealed record Options(int Clusters, int Seed, int HistoryHours, Faults Faults);

    /// <summary>A fleet while it runs; of the clusters in the installation those are its own that were not there before.</summary>
    private sealed class SimulatedFleet(HttpClient admin, FleetSimulation simulation, HashSet<Guid> before, Options options, TimeProvider time) : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private Task running = Task.CompletedTask;

        public DateTimeOffset Began { get; } = time.GetUtcNow();

        public static async Task<SimulatedFleet> BeginAsync(IInstallation installation, TimeProvider time, Options options)
        {
            var admin = installation.Admin();
            await Eventually.TrueAsync(async () => (await admin.GetAsync(new Uri("/api/v1/licensing/customers", UriKind.Relative))).IsSuccessStatusCode, "the administrator's token opens the API");
            var before = (await ClustersAsync(admin)).Select(cluster => cluster.Id).ToHashSet();
            var simulation = new FleetSimulation(
                new SimulationOptions
                {
                    Api = installation.Portal, CallHome = installation.CallHomes[0], CaFile = installation.CaFile, ApiToken = installation.AdminToken,
                    Clusters = options.Clusters, Seed = options.Seed, HistoryHours = options.HistoryHours, Faults = options.Faults,
                }, time);
            var fleet = new SimulatedFleet(admin, simulation, before, options, time);
            fleet.running = simulation.RunAsync(null, fleet.stop.Token);
            return fleet;
        }

        /// <summary>Its clusters by name, once all are there.</summary>
        public async Task<Dictionary<string, ClusterSummary>> NewAsync()
        {
            List<ClusterSummary> found = [];
            await Eventually.TrueAsync(async () => (found = (await ClustersAsync(admin)).Where(cluster => !before.Contains(cluster.Id)).ToList()).Count == options.Clusters, "every cluster is there", Patience);
            return found.ToDictionary(cluster => cluster.Name);
        }

        /// <summary>What billing reads of a cluster, once every hour is there.</summary>
        public async Task<UsageReport> UsageAsync(Guid cluster, int from, int until)
        {
            var report = new UsageReport(default, default, "", "", null, null, new UsageCompleteness(0, 0, 0, 0, 0), 0, [], [], 0, default);
            var query = $"/api/v1/licensing/usage?cluster={cluster}&from={Text(from)}&to={Text(until)}&granularity=day&groupBy=cluster";
            await Eventually.TrueAsync(async () => (report = (await admin.GetFromJsonAsync<UsageReport>(query))!).Completeness.ReceivedHours == until - from, "every hour of the cluster is in the ledger", Patience);
            return report;
        }

        /// <summary>What billing reads of the cluster at this place is what its counters say.</summary>
        public async Task VerifyDataPointsAsync(int place, Guid cluster, int from, int until)
        {
            var report = await UsageAsync(cluster, from, until);
            Assert.Equal(0, report.Completeness.DisputedHours);
            var source = new SimulatedCluster(FleetSimulation.NameOf(place), Mood.Healthy, options.Seed + place, time);
            Assert.Equal(DataPoints(source, until) - DataPoints(source, from), decimal.Parse(report.Series.Single(series => series.Meter == "data_points").Total, CultureInfo.InvariantCulture));

            static decimal DataPoints(SimulatedCluster source, int hour) => source.Read(UsageWindow.StartOf(hour)).Counters.Where(counter => counter.Meter == "data_points").Sum(counter => counter.Value);
        }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
            simulation.Dispose();
            admin.Dispose();
            stop.Dispose();
        }

        private static async Task<IReadOnlyList<ClusterSummary>> ClustersAsync(HttpClient admin) => (await admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters?limit=500"))!.Items;

        private static string Text(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
    }
}

/// <summary>Back-off waits for minutes; in a world where time passes twenty times as fast that is seconds.</summary>
public abstract class FastFixture : IAsyncLifetime
{
    internal FastTime Time { get; } = new(TimeProvider.System.GetUtcNow(), 20);

    internal IInstallation Installation { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Installation = await StartAsync(Time);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await (Installation?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private protected abstract Task<IInstallation> StartAsync(TimeProvider time);
}

/// <summary>One host in a fast world.</summary>
public sealed class FastEmbeddedFixture : FastFixture
{
    private protected override async Task<IInstallation> StartAsync(TimeProvider time) => await EmbeddedHost.StartAsync(time);
}

/// <summary>A host for every replica in a fast world.</summary>
public sealed class FastDistributedFixture : FastFixture
{
    private protected override async Task<IInstallation> StartAsync(TimeProvider time) => await DistributedInstallation.StartAsync(time);
}

/// <summary>A fleet of one process.</summary>
public sealed class EmbeddedSimulationTests(FastEmbeddedFixture fixture) : SimulationTests(fixture.Installation, fixture.Time), IClassFixture<FastEmbeddedFixture>;

/// <summary>A fleet of many replicas.</summary>
public sealed class DistributedSimulationTests(FastDistributedFixture fixture) : SimulationTests(fixture.Installation, fixture.Time), IClassFixture<FastDistributedFixture>;
