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
public sealed class SimulationTests
{
    [Fact]
    public async Task What_the_counters_of_a_cluster_say_is_what_the_billing_api_says()
    {
        await using var host = await ControlPlane.StartAsync();
        const int Hours = 30;
        using var simulation = new FleetSimulation(
            new SimulationOptions { Api = host.Portal, CallHome = host.CallHome, CaFile = host.CaFile, ApiToken = host.AdminToken, Clusters = 3, Seed = 7, HistoryHours = Hours }, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var until = UsageWindow.HourOf(TimeProvider.System.GetUtcNow());
        var running = simulation.RunAsync(null, stop.Token);

        var report = new UsageReport(default, default, "", "", null, null, new UsageCompleteness(0, 0, 0, 0, 0), [], []);
        var query = $"/api/v1/licensing/usage?from={Text(until - Hours)}&to={Text(until)}&granularity=day&groupBy=cluster";
        await Eventually.TrueAsync(async () => (report = (await host.Admin.GetFromJsonAsync<UsageReport>(query))!).Completeness.ReceivedHours == 3 * Hours, "every hour of every cluster is in the ledger");
        var names = (await host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items.ToDictionary(cluster => cluster.Name, cluster => cluster.Id.ToString());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Assert.Equal((0, 0), (report.Completeness.IncompleteHours, report.Completeness.ParkedHours));
        Assert.Equal(3, names.Count);
        foreach (var (index, name) in new[] { "Oslo", "Lisbon", "Vienna" }.Index())
        {
            var source = new SimulatedCluster(name, Mood.Healthy, 7 + index, TimeProvider.System);
            var before = source.Read(UsageWindow.StartOf(until - Hours)).Counters;
            var after = source.Read(UsageWindow.StartOf(until)).Counters;
            foreach (var meter in after.Select(counter => counter.Meter).Distinct())
            {
                var expected = after.Where(counter => counter.Meter == meter).Sum(counter => counter.Value) - before.Where(counter => counter.Meter == meter).Sum(counter => counter.Value);
                var total = report.Series.Single(series => series.Meter == meter && series.Group == names[name]).Total;
                Assert.Equal(expected, decimal.Parse(total, CultureInfo.InvariantCulture));
            }
        }
    }

    [Fact]
    public async Task A_bad_network_restarts_and_wrong_clocks_neither_lose_nor_double_anything()
    {
        // Back-off waits for minutes; in a world where time passes forty times as fast that is seconds.
        var time = new FastTime(TimeProvider.System.GetUtcNow(), 40);
        await using var host = await ControlPlane.StartAsync(time: time);
        const int Clusters = 4, Hours = 12;
        using var simulation = new FleetSimulation(
            new SimulationOptions
            {
                Api = host.Portal, CallHome = host.CallHome, CaFile = host.CaFile, ApiToken = host.AdminToken, Clusters = Clusters, Seed = 11, HistoryHours = Hours,
                Faults = new Faults { Loss = 0.15, DelayMs = 300, Duplicates = 0.3, Reordering = 0.3, ClockSkewSeconds = 600, Restarts = 0.2 },
            }, time);
        using var stop = new CancellationTokenSource();
        var now = UsageWindow.HourOf(time.GetUtcNow());
        var (from, until) = (now - Hours + 1, now - 1);
        var running = simulation.RunAsync(null, stop.Token);

        var report = new UsageReport(default, default, "", "", null, null, new UsageCompleteness(0, 0, 0, 0, 0), [], []);
        var query = $"/api/v1/licensing/usage?from={Text(from)}&to={Text(until)}&granularity=day&groupBy=cluster";
        await Eventually.TrueAsync(async () => (report = (await host.Admin.GetFromJsonAsync<UsageReport>(query))!).Completeness.ReceivedHours == Clusters * (until - from), "every hour of every cluster is in the ledger");
        var clusters = (await host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Assert.Equal(0, report.Completeness.DisputedHours);
        Assert.All(clusters, cluster => Assert.False(cluster.CloneSuspected));
        foreach (var (index, name) in new[] { "Oslo", "Lisbon", "Vienna", "Osaka" }.Index())
        {
            var source = new SimulatedCluster(name, Mood.Healthy, 11 + index, time);
            var before = source.Read(UsageWindow.StartOf(from)).Counters;
            var expected = source.Read(UsageWindow.StartOf(until)).Counters.Where(counter => counter.Meter == "data_points").Sum(counter => counter.Value) - before.Where(counter => counter.Meter == "data_points").Sum(counter => counter.Value);
            var cluster = clusters.Single(cluster => cluster.Name == name).Id.ToString();
            Assert.Equal(expected, decimal.Parse(report.Series.Single(series => series.Meter == "data_points" && series.Group == cluster).Total, CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task A_copied_machine_that_speaks_beside_its_original_is_noticed()
    {
        var time = new FastTime(TimeProvider.System.GetUtcNow(), 40);
        await using var host = await ControlPlane.StartAsync(time: time);
        using var simulation = new FleetSimulation(
            new SimulationOptions { Api = host.Portal, CallHome = host.CallHome, CaFile = host.CaFile, ApiToken = host.AdminToken, Clusters = 2, Seed = 3, Faults = new Faults { Clones = 1 } }, time);
        using var stop = new CancellationTokenSource();
        var running = simulation.RunAsync(null, stop.Token);

        await Eventually.TrueAsync(async () => (await host.Admin.GetFromJsonAsync<Page<ClusterSummary>>("/api/v1/fleet/clusters"))!.Items.Count(cluster => cluster.CloneSuspected) == 1, "exactly one of the clusters is suspected to have a clone");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static string Text(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}
