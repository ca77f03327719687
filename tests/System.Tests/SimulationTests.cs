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
            var before = source.Read(UsageWindow.StartOf(until - Hours));
            var after = source.Read(UsageWindow.StartOf(until));
            foreach (var meter in after.Select(counter => counter.Meter).Distinct())
            {
                var expected = after.Where(counter => counter.Meter == meter).Sum(counter => counter.Value) - before.Where(counter => counter.Meter == meter).Sum(counter => counter.Value);
                var total = report.Series.Single(series => series.Meter == meter && series.Group == names[name]).Total;
                Assert.Equal(expected, decimal.Parse(total, CultureInfo.InvariantCulture));
            }
        }
    }

    private static string Text(int hour) => UsageWindow.Text(UsageWindow.StartOf(hour));
}
