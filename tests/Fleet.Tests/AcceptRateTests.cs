using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Fleet.Tests;

/// <summary>What is held back when intake accepts much less than usual, and what is not.</summary>
public sealed class AcceptRateTests : SteppedFleet
{
    private int rounds;

    [Fact]
    public async Task When_a_third_falls_silent_at_once_those_are_held_for_15_minutes_under_one_incident()
    {
        var clusters = await EnrolAsync(25);
        await LiveAsync(clusters, TimeSpan.FromMinutes(9));
        Assert.Empty(await IncidentsAsync());

        // Too few for the number of missing clusters to tell.
        var (gone, alive) = (clusters[..10], clusters[10..]);
        await LiveAsync(alive, TimeSpan.FromMinutes(4));
        var incident = Assert.Single(await IncidentsAsync());
        Assert.Equal(("mass-outage", "open", 10), (incident.Kind, incident.State, incident.Clusters));
        Assert.Contains("15 clusters are heard of", incident.Cause, StringComparison.Ordinal);
        Assert.Contains("25 were", incident.Cause, StringComparison.Ordinal);

        await LiveAsync(alive, TimeSpan.FromMinutes(10));
        Assert.Equal((10, 0), await LateAndMissingAsync());
        await LiveAsync(alive, TimeSpan.FromMinutes(5));

        Assert.Equal((0, 10), await LateAndMissingAsync());
        var after = Assert.Single(await IncidentsAsync());
        Assert.Equal("closed", after.State);
        Assert.Contains("10 were still silent", after.Cause, StringComparison.Ordinal);
        Dispose(gone, alive);
    }

    [Fact]
    public async Task When_they_are_heard_again_the_incident_ends_and_nobody_was_missing()
    {
        var clusters = await EnrolAsync(25);
        await LiveAsync(clusters, TimeSpan.FromMinutes(9));
        await LiveAsync(clusters[10..], TimeSpan.FromMinutes(5));
        Assert.Equal("open", Assert.Single(await IncidentsAsync()).State);

        await LiveAsync(clusters, TimeSpan.FromMinutes(2));

        var incident = Assert.Single(await IncidentsAsync());
        Assert.Equal("closed", incident.State);
        Assert.Contains("heard again", incident.Cause, StringComparison.Ordinal);
        Assert.Equal((0, 0), await LateAndMissingAsync());
        Dispose(clusters);
    }

    [Fact]
    public async Task A_slow_decline_holds_nothing()
    {
        var clusters = await EnrolAsync(30);
        await LiveAsync(clusters, TimeSpan.FromMinutes(9));

        for (var gone = 1; gone <= 12; gone++)
        {
            await LiveAsync(clusters[gone..], TimeSpan.FromMinutes(2));
        }

        Assert.Empty(await IncidentsAsync());
        Assert.InRange((await LateAndMissingAsync()).Missing, 7, 9);
        Dispose(clusters);
    }

    [Fact]
    public async Task A_small_fleet_holds_nothing()
    {
        var clusters = await EnrolAsync(15);
        await LiveAsync(clusters, TimeSpan.FromMinutes(9));

        await LiveAsync(clusters[8..], TimeSpan.FromMinutes(12));

        Assert.Empty(await IncidentsAsync());
        Assert.Equal((0, 8), await LateAndMissingAsync());
        Dispose(clusters);
    }

    [Fact]
    public async Task Many_that_are_suspended_are_no_fall()
    {
        var clusters = await EnrolAsync(25);
        await LiveAsync(clusters, TimeSpan.FromMinutes(9));
        foreach (var cluster in clusters[..10])
        {
            using var suspended = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/suspend", new { reason = "unpaid" });
            Assert.True(suspended.IsSuccessStatusCode);
        }

        await Eventually.TrueAsync(async () => (await SummaryAsync()).Total == 25 && await SuspendedAsync() == 10, "fleet knows of the suspensions");
        await LiveAsync(clusters[10..], TimeSpan.FromMinutes(5));

        Assert.Empty(await IncidentsAsync());
        Dispose(clusters);
    }

    [Fact]
    public async Task Many_that_are_resumed_after_long_are_missing_until_they_are_heard_and_no_mass_outage()
    {
        var clusters = await EnrolAsync(22);
        var request = new { filter = new { state = "active" }, reason = "unpaid", expectedCount = 22 };
        (await Host.Admin.PostAsJsonAsync("/api/v1/callhome/clusters/suspend", request)).EnsureSuccessStatusCode();
        await RunAsync("callhome.work-tasks", "callhome");
        await Eventually.TrueAsync(async () => await SuspendedAsync() == 22, "fleet knows of the suspensions");
        await PassAsync(TimeSpan.FromMinutes(30), "r1");
        Assert.Equal((0, 0), await LateAndMissingAsync());

        (await Host.Admin.PostAsJsonAsync("/api/v1/callhome/clusters/resume", request with { filter = new { state = "suspended" } })).EnsureSuccessStatusCode();
        await RunAsync("callhome.work-tasks", "callhome");
        await Eventually.TrueAsync(async () => await SuspendedAsync() == 0, "fleet knows that they are resumed");
        await PassAsync(Step, "r1");

        Assert.Equal((0, 22), await LateAndMissingAsync());
        Assert.Empty(await IncidentsAsync());
        Dispose(clusters);
    }

    private async Task<List<TestCluster>> EnrolAsync(int count)
    {
        var clusters = new List<TestCluster>();
        for (var i = 0; i < count; i++)
        {
            clusters.Add(await OnlineAsync());
        }

        return clusters;
    }

    /// <summary>Time goes by; these clusters check in every 56 s.</summary>
    private async Task LiveAsync(List<TestCluster> clusters, TimeSpan by)
    {
        for (var passed = TimeSpan.Zero; passed < by; passed += Step * 4)
        {
            await PassAsync(Step * 4, "r1");
            var from = Time.GetUtcNow();
            foreach (var cluster in clusters)
            {
                if (rounds % 8 == 0 || passed == TimeSpan.Zero)
                {
                    await cluster.AuthorizeAsync();
                }

                await cluster.CheckInAsync(cluster.Health());
            }

            rounds++;
            await Eventually.TrueAsync(async () => await HeardSinceAsync(from) == clusters.Count, "the check-ins are known");
        }
    }

    private async Task<int> HeardSinceAsync(DateTimeOffset from)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("the test looks at every cluster");
        return await db.Set<LastContact>().CountAsync(contact => contact.ReceivedAt >= from);
    }

    private async Task<int> SuspendedAsync()
    {
        await using var scope = Host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("the test looks at every cluster");
        return await db.Set<FleetCluster>().CountAsync(cluster => cluster.State == "suspended");
    }

    private async Task<(int Late, int Missing)> LateAndMissingAsync()
    {
        var summary = await SummaryAsync();
        return ((int)summary.ByLiveness.GetValueOrDefault("late"), (int)summary.ByLiveness.GetValueOrDefault("missing"));
    }

    private async Task<FleetSummary> SummaryAsync() => (await Host.Admin.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary"))!;

    private static void Dispose(params List<TestCluster>[] groups) => groups.SelectMany(group => group).ToList().ForEach(cluster => cluster.Dispose());
}
