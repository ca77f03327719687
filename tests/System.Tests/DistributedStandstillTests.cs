using System.Net.Http.Json;
using Google.Protobuf;
using MissionControl.ClusterAgent;
using MissionControl.ClusterAgent.CallHome;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>Half an hour in which the broker, the database or fleet itself is away: the silence is ours, and no cluster pays for it.</summary>
[Collection(Shapes.DistributedSetClock)]
public sealed class DistributedStandstillTests(SetClockDistributedFixture fixture)
{
    private readonly DistributedInstallation installation = (DistributedInstallation)fixture.Installation;
    private readonly ManualTime time = fixture.Time;
    private long seq;

    [Fact]
    public async Task While_the_broker_is_stopped_check_ins_are_taken_and_nobody_is_late()
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        var (identity, client) = await OnlineAsync(admin);
        using (identity)
        {
            var began = time.GetUtcNow();
            await installation.RabbitMq.StopAsync();
            time.Advance(TimeSpan.FromSeconds(16));
            await Eventually.TrueAsync(async () => await StalledAsync(admin) is not null, "fleet knows that nothing comes through");
            for (var i = 0; i < 10; i++)
            {
                time.Advance(TimeSpan.FromMinutes(3));
                await CheckInAsync(identity, client);
                Assert.Equal("online", (await ClusterAsync(admin, identity)).Liveness);
            }

            await installation.RabbitMq.StartAsync();
            await WellAgainAsync(admin, identity, began);
        }
    }

    [Fact]
    public async Task While_the_database_is_stopped_nobody_is_late()
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        var (identity, _) = await OnlineAsync(admin);
        using (identity)
        {
            var began = time.GetUtcNow();
            await installation.Postgres.StopAsync();
            time.Advance(TimeSpan.FromMinutes(30));
            await installation.Postgres.StartAsync();
            await WellAgainAsync(admin, identity, began);
        }
    }

    [Fact]
    public async Task While_fleet_is_stopped_check_ins_are_taken_and_nobody_is_late()
    {
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        var (identity, client) = await OnlineAsync(admin);
        using (identity)
        {
            var began = time.GetUtcNow();
            await installation.KillAsync("fleet");
            try
            {
                time.Advance(TimeSpan.FromMinutes(30));
                await CheckInAsync(identity, client);
            }
            finally
            {
                await installation.StartAgainAsync("fleet");
            }

            await WellAgainAsync(admin, identity, began);
        }
    }

    private async Task<(MemoryIdentity Identity, CallHomeClient Client)> OnlineAsync(HttpClient admin)
    {
        await Eventually.TrueAsync(async () => await StalledAsync(admin) is null && (await IncidentsAsync(admin, default)).All(incident => incident.State == "closed"), "what was before is over");
        var identity = new MemoryIdentity();
        var client = new CallHomeClient(installation.Client(installation.CallHomes[0]), identity, time);
        var enrolled = await client.EnrollAsync((await Senders.TokenAsync(admin, await Senders.CustomerAsync(admin))).Token, new Facts { Name = "steady" }, true, CancellationToken.None);
        identity.Enrollment = new Enrollment(installation.CallHomes[0], Guid.Parse(enrolled.ClusterId), enrolled.Epoch, "", true, 60, 10);
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await CheckInAsync(identity, client);
                return true;
            }
            catch (CallHomeException refusal) when (refusal.Code == "storage-unavailable")
            {
                // Its connections were cut by the test before.
                return false;
            }
        }, "a check-in is taken");
        await Eventually.TrueAsync(async () => (await TryClusterAsync(admin, identity))?.Liveness == "online", "the cluster is online");
        return (identity, client);
    }

    /// <summary>Sends health, which is acknowledged.</summary>
    private async Task CheckInAsync(MemoryIdentity identity, CallHomeClient client)
    {
        var item = new Item { Seq = seq + 1, Type = "health", AtMs = time.GetUtcNow().ToUnixTimeMilliseconds(), Body = new Health { IntervalS = 60 }.ToByteString() };
        var request = new CheckInRequest { ClusterId = identity.Enrollment!.ClusterId.ToString(), Epoch = identity.Enrollment.Epoch, LowestKept = seq + 1, Items = { item } };
        CheckInResponse answer;
        try
        {
            answer = await client.CheckInAsync(request, CancellationToken.None);
        }
        catch (CallHomeException refusal) when (refusal.Code == "access-token-invalid")
        {
            // It ended while the clock was moved.
            answer = await client.CheckInAsync(request, CancellationToken.None);
        }

        Assert.Equal(++seq, answer.Ack);
    }

    /// <summary>Deadlines run again, from now on: the cluster was never late, and one incident says why.</summary>
    private async Task WellAgainAsync(HttpClient admin, MemoryIdentity identity, DateTimeOffset began)
    {
        IReadOnlyList<IncidentItem> incidents = [];
        await Eventually.TrueAsync(async () =>
        {
            incidents = await IncidentsAsync(admin, began);
            return incidents.Count > 0 && incidents.All(incident => incident.State == "closed") && await StalledAsync(admin) is null;
        }, "the incident has begun and ended", TimeSpan.FromSeconds(60));
        var incident = Assert.Single(incidents);
        Assert.Contains(incident.Kind, new[] { "intake-stalled", "judging-stopped" });
        Assert.Equal("online", (await ClusterAsync(admin, identity)).Liveness);
        var events = await admin.GetFromJsonAsync<Page<EventItem>>($"/api/v1/fleet/clusters/{identity.Enrollment!.ClusterId}/events");
        Assert.DoesNotContain(events!.Items, happened => happened.Kind.StartsWith("liveness-", StringComparison.Ordinal));
    }

    private static async Task<IReadOnlyList<IncidentItem>> IncidentsAsync(HttpClient admin, DateTimeOffset from)
    {
        using var response = await admin.GetAsync(new Uri("/api/v1/fleet/incidents", UriKind.Relative));
        return response.IsSuccessStatusCode ? [.. (await response.Content.ReadFromJsonAsync<Page<IncidentItem>>())!.Items.Where(incident => incident.EndedAt is null || incident.EndedAt > from)] : [];
    }

    private static async Task<DateTimeOffset?> StalledAsync(HttpClient admin)
    {
        using var response = await admin.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative));
        return response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<FleetSummary>())!.IntakeStalledSince : DateTimeOffset.UnixEpoch;
    }

    private static async Task<ClusterSummary> ClusterAsync(HttpClient admin, MemoryIdentity identity) =>
        await TryClusterAsync(admin, identity) ?? throw new InvalidOperationException("Fleet does not know the cluster.");

    private static async Task<ClusterSummary?> TryClusterAsync(HttpClient admin, MemoryIdentity identity)
    {
        using var response = await admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{identity.Enrollment!.ClusterId}", UriKind.Relative));
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<ClusterSummary>() : null;
    }
}
