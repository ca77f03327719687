using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Fleet.Tests;

/// <summary>Silence that is ours, and silence that is the clusters'.</summary>
public sealed class StandstillTests : SteppedFleet
{
    private long sent;

    [Fact]
    public async Task While_nothing_is_delivered_for_30_minutes_nobody_is_late_and_one_incident_says_why()
    {
        using var cluster = await OnlineAsync();
        var dispatchers = Hosted("OutboxDispatcher").ToList();
        foreach (var dispatcher in dispatchers)
        {
            await dispatcher.StopAsync(CancellationToken.None);
        }

        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(30); passed += Step)
        {
            Time.Advance(Step);
            await SendWatermarkAsync("r1");
            await SweepAsync();
            if (passed.Minutes % 5 == 0)
            {
                Assert.Equal("online", (await ClusterAsync(cluster)).Liveness);
            }
        }

        var during = Assert.Single(await IncidentsAsync());
        Assert.Equal(("intake-stalled", "open"), (during.Kind, during.State));
        Assert.NotNull((await Host.Admin.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary"))!.IntakeStalledSince);
        await cluster.AuthorizeAsync();
        await cluster.CheckInAsync(cluster.Health());

        foreach (var dispatcher in dispatchers)
        {
            await dispatcher.StartAsync(CancellationToken.None);
        }

        await Eventually.TrueAsync(async () => await WatermarkOfAsync("r1") == sent, "the newest watermark has come through");
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(1); passed += Step)
        {
            await SweepAsync();
            Assert.Equal("online", (await ClusterAsync(cluster)).Liveness);
            Time.Advance(Step);
            await DeliverWatermarkAsync("r1");
        }

        var after = Assert.Single(await IncidentsAsync());
        Assert.Equal(("intake-stalled", "closed"), (after.Kind, after.State));
        Assert.Contains("watermark", after.Cause, StringComparison.Ordinal);
        Assert.Null((await Host.Admin.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary"))!.IntakeStalledSince);
    }

    [Theory]
    [InlineData(true)] // fleet is stopped, the others go on
    [InlineData(false)] // the database does not answer: nobody writes anything
    public async Task While_fleet_does_not_judge_for_30_minutes_nobody_is_late_and_one_incident_says_why(bool watermarksArrive)
    {
        using var cluster = await OnlineAsync();
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromMinutes(30); passed += Step)
        {
            Time.Advance(Step);
            if (watermarksArrive)
            {
                await DeliverWatermarkAsync("r1");
            }
        }

        await SweepAsync();
        Assert.Equal("online", (await ClusterAsync(cluster)).Liveness);
        await DeliverWatermarkAsync("r1");
        await SweepAsync();
        Assert.Equal("online", (await ClusterAsync(cluster)).Liveness);

        var incident = Assert.Single(await IncidentsAsync());
        Assert.Equal(("judging-stopped", "closed"), (incident.Kind, incident.State));
    }

    [Fact]
    public async Task One_fresh_replica_is_enough_and_when_the_last_falls_silent_deadlines_stand_still()
    {
        using var cluster = await OnlineAsync();
        await DeliverWatermarkAsync("r2");
        await PassAsync(TimeSpan.FromSeconds(60), "r2");
        Assert.Empty(await IncidentsAsync());
        await PassAsync(TimeSpan.FromSeconds(60), "r2");
        Assert.Equal("late", (await ClusterAsync(cluster)).Liveness);

        await PassAsync(TimeSpan.FromMinutes(20), replica: null);

        Assert.Equal("late", (await ClusterAsync(cluster)).Liveness);
        Assert.Equal("intake-stalled", Assert.Single(await IncidentsAsync()).Kind);
    }

    [Fact]
    public async Task A_replica_whose_clock_was_ahead_is_no_proof_afterwards_that_intake_delivers()
    {
        using var cluster = await OnlineAsync();
        await DeliverWatermarkAsync("r2", ahead: TimeSpan.FromHours(1));

        await PassAsync(TimeSpan.FromMinutes(20), replica: null);

        Assert.Equal("online", (await ClusterAsync(cluster)).Liveness);
        Assert.Equal("intake-stalled", Assert.Single(await IncidentsAsync()).Kind);
    }

    [Fact]
    public async Task A_silent_cluster_becomes_late_missing_and_well_again_and_the_heartbeat_rule_says_so()
    {
        using var cluster = await OnlineAsync();
        Assert.Equal("green", await HeartbeatAsync(cluster));
        await PassAsync(TimeSpan.FromSeconds(130), "r1");
        Assert.Equal("late", (await ClusterAsync(cluster)).Liveness);
        await PassAsync(TimeSpan.FromMinutes(9), "r1");
        var missing = await ClusterAsync(cluster);
        Assert.Equal(("missing", true, "green"), (missing.Liveness, missing.Stale, missing.Health));
        Assert.Equal("yellow", await HeartbeatAsync(cluster));
        var silence = (await Host.Admin.GetFromJsonAsync<HealthDocument>($"/api/v1/fleet/clusters/{cluster.Id}/health"))!.Indicators.Single(indicator => indicator.Id == "heartbeat");
        Assert.Equal(missing.LastContact!.Value.AddMinutes(10), silence.Since!.Value, TimeSpan.FromSeconds(1));
        await PassAsync(TimeSpan.FromMinutes(51), "r1");
        Assert.Equal("red", await HeartbeatAsync(cluster));

        await cluster.AuthorizeAsync();
        await cluster.CheckInAsync(cluster.Health());
        await Eventually.TrueAsync(async () => (await ClusterAsync(cluster)).LastContact > missing.LastContact, "the check-in is known");
        await PassAsync(Step, "r1");

        Assert.Equal(("online", "green"), ((await ClusterAsync(cluster)).Liveness, await HeartbeatAsync(cluster)));
        var events = await Host.Admin.GetFromJsonAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{cluster.Id}/events");
        Assert.Equal(["liveness-online", "liveness-missing"], events!.Items.Select(happened => happened.Kind));
        Assert.Empty(await IncidentsAsync());
    }

    [Fact]
    public async Task When_many_vanish_at_once_they_are_held_for_15_minutes_under_one_incident()
    {
        var clusters = new List<TestCluster>();
        for (var i = 0; i < 22; i++)
        {
            clusters.Add(await OnlineAsync());
        }

        await PassAsync(TimeSpan.FromMinutes(12), "r1");
        var held = await Host.Admin.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary");
        Assert.Equal(22, held!.ByLiveness["late"]);
        var incident = Assert.Single(await IncidentsAsync());
        Assert.Equal(("mass-outage", "open", 22), (incident.Kind, incident.State, incident.Clusters));

        await clusters[0].AuthorizeAsync();
        await clusters[0].CheckInAsync(clusters[0].Health());
        await Eventually.TrueAsync(async () => (await ClusterAsync(clusters[0])).LastContact > incident.BeganAt, "one is heard again");
        await PassAsync(TimeSpan.FromMinutes(9), "r1");
        await clusters[0].AuthorizeAsync();
        var again = Time.GetUtcNow();
        await clusters[0].CheckInAsync(clusters[0].Health());
        await Eventually.TrueAsync(async () => (await ClusterAsync(clusters[0])).LastContact >= again, "it is heard once more");
        await PassAsync(TimeSpan.FromMinutes(6.5), "r1");

        var released = await Host.Admin.GetFromJsonAsync<FleetSummary>("/api/v1/fleet/summary");
        Assert.Equal(21, released!.ByLiveness["missing"]);
        Assert.Equal("closed", Assert.Single(await IncidentsAsync()).State);
        clusters.ForEach(cluster => cluster.Dispose());
    }

    [Fact]
    public async Task Missing_usage_turns_yellow_and_red_and_green_again_when_it_comes()
    {
        using var cluster = await OnlineAsync();
        Assert.Equal("unknown", await StatusAsync(cluster, "usage-gap"));
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(HourNow() - 2)));
        await UntilAsync("green");
        Time.Advance(TimeSpan.FromHours(6.25));
        await UntilAsync("yellow");
        Assert.Equal("yellow", (await ClusterAsync(cluster)).Health);
        Time.Advance(TimeSpan.FromHours(42));
        await UntilAsync("red");
        Assert.Equal("No usage has come for 48 h.", (await ClusterAsync(cluster)).WorstReason);

        // What health says in between leaves it as it is.
        await cluster.AuthorizeAsync();
        await cluster.CheckInAsync(cluster.Health());
        await Eventually.TrueAsync(async () => (await ClusterAsync(cluster)).LastContact > Time.GetUtcNow().AddMinutes(-1), "the check-in is known");
        Assert.Equal("red", (await ClusterAsync(cluster)).Health);
        await cluster.CheckInAsync(cluster.Usage(cluster.Window(HourNow() - 1)));
        await UntilAsync("green");
        Assert.Equal("green", (await ClusterAsync(cluster)).Health);

        Task UntilAsync(string status) => UsageGapAsync(cluster, status);
    }

    [Fact]
    public async Task Of_a_site_that_hands_in_bundles_no_usage_is_missed_before_the_next_one_is_due()
    {
        using var cluster = await OnlineAsync();
        Time.Advance(TimeSpan.FromSeconds(1));
        await cluster.HandInAsync(cluster.Part(cluster.Request(cluster.Usage(cluster.Window(HourNow() - 2)))));
        await Eventually.TrueAsync(async () => (await ClusterAsync(cluster)).ExpectedEverySeconds > 3600, "fleet knows that it hands in bundles");
        Time.Advance(TimeSpan.FromDays(6.9));
        await UsageGapAsync(cluster, "unknown");
        Assert.Equal("unknown", await StatusAsync(cluster, "heartbeat"));
        Time.Advance(TimeSpan.FromHours(2.4 + 6.25));
        await UsageGapAsync(cluster, "yellow");
        Assert.Equal("red", await StatusAsync(cluster, "heartbeat"));
    }

    private Task UsageGapAsync(TestCluster cluster, string status) => Eventually.TrueAsync(async () =>
    {
        await RunAsync("fleet.rejudge-health");
        return await StatusAsync(cluster, "usage-gap") == status;
    }, $"usage-gap is {status}");

    [Fact]
    public async Task A_suspected_clone_is_red_and_green_again_when_a_person_names_the_true_one()
    {
        using var cluster = await OnlineAsync();
        using var refused = await cluster.SendAsync("checkin", cluster.Request(cluster.Health(1, health => health.Nodes[0].CpuPercent = 50)));
        await Eventually.TrueAsync(async () => (await ClusterAsync(cluster)).CloneSuspected, "fleet knows of the clone");
        var suspected = await ClusterAsync(cluster);
        Assert.Equal(("red", "Two senders speak as this cluster."), (suspected.Health, suspected.WorstReason));
        Assert.Equal("red", await StatusAsync(cluster, "clone-suspected"));

        using var confirmed = await Host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{cluster.Id}/epochs/{cluster.Epoch}/confirm", new { reason = "the copy was stopped" });
        Assert.True(confirmed.IsSuccessStatusCode, await confirmed.Content.ReadAsStringAsync());

        await Eventually.TrueAsync(async () => !(await ClusterAsync(cluster)).CloneSuspected, "fleet knows that it is settled");
        Assert.Equal(("green", "green"), ((await ClusterAsync(cluster)).Health, await StatusAsync(cluster, "clone-suspected")));
    }

    private int HourNow() => (int)(Time.GetUtcNow().ToUnixTimeSeconds() / 3600);

    // As a callhome replica sends it: through its outbox.
    private async Task SendWatermarkAsync(string replica)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("callhome");
        var now = Time.GetUtcNow();
        sent = now.ToUnixTimeMilliseconds();
        scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new IntakeWatermark(replica, now, sent));
        await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync();
    }

    private async Task<long?> WatermarkOfAsync(string replica)
    {
        await using var scope = Host.Services.CreateAsyncScope();
        var at = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<IntakeReplica>().Where(row => row.Replica == replica).Select(row => (DateTimeOffset?)row.At).SingleOrDefaultAsync();
        return at?.ToUnixTimeMilliseconds();
    }

    private Task<string> HeartbeatAsync(TestCluster cluster) => StatusAsync(cluster, "heartbeat");

    private async Task<string> StatusAsync(TestCluster cluster, string rule) =>
        (await Host.Admin.GetFromJsonAsync<HealthDocument>($"/api/v1/fleet/clusters/{cluster.Id}/health"))!.Indicators.Single(indicator => indicator.Id == rule).Status;
}
