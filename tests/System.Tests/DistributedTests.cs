using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>Two processes of each role over a real broker and a real database, each of them stopped and killed under load.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedTests(DistributedFixture fixture)
{
    private const int SenderCount = 4;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);
    private readonly DistributedInstallation installation = fixture.Installation;

    // Fails when the publish is given its deadline as a token: the role's publisher is then blocked for good once the broker died.
    [Fact]
    public async Task Whatever_was_acknowledged_before_any_process_died_is_stored_exactly_once()
    {
        var senders = await Senders.EnrollAsync(installation, SenderCount);
        foreach (var process in installation.Replicas.Where(process => process.Number == 1 && process.Roles is "callhome" or "licensing" or "fleet"))
        {
            await UnderLoadAsync(senders, async () =>
            {
                await process.KillAsync();
                await process.StartAsync();
            });
        }

        await UnderLoadAsync(senders, async () =>
        {
            await installation.RabbitMq.KillAsync();
            await installation.RabbitMq.StartAsync();
        });
        await UnderLoadAsync(senders, async () =>
        {
            await installation.Postgres.KillAsync();
            await installation.Postgres.StartAsync();
        });
        await Senders.VerifyAsync(installation, senders);
        installation.AssertNothingCritical();
    }

    [Fact]
    public async Task A_suspension_holds_on_every_replica_within_five_seconds_with_the_broker_down()
    {
        var sender = Assert.Single(await Senders.EnrollAsync(installation, 1));
        using var load = new CancellationTokenSource();
        var running = sender.SendUntilAsync(load.Token, Pace);
        await MoreAsync([sender], "the cluster is answered");
        await load.CancelAsync();
        await running;

        await installation.RabbitMq.StopAsync();
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        using var suspended = await admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{sender.ClusterId}/suspend", new { reason = "test" });
        Assert.True(suspended.IsSuccessStatusCode, await suspended.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () => await sender.IsRefusedEverywhereAsync("cluster-suspended"), "every replica refuses the cluster", TimeSpan.FromSeconds(5));

        await installation.RabbitMq.StartAsync();
        await Eventually.TrueAsync(async () => (await admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{sender.ClusterId}"))!.State == "suspended", "fleet learns of it once the broker is back");
    }

    [Theory]
    [InlineData(60)]
    [InlineData(-60)]
    public async Task A_replica_whose_clock_is_stepped_takes_and_suspends_as_before_and_nothing_is_lost_or_late(int minutes)
    {
        var clock = new ManualTime(TimeProvider.System.GetUtcNow());
        await using var door = await installation.OpenDoorAsync(clock);
        var everywhere = await Senders.EnrollAsync(installation, 2, [.. installation.CallHomes, door.Address]);
        var there = Assert.Single(await Senders.EnrollAsync(installation, 1, door.Address));
        List<Sender> all = [.. everywhere, there];
        await UnderLoadAsync(all, () =>
        {
            clock.Advance(TimeSpan.FromMinutes(minutes));
            return Task.CompletedTask;
        });

        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        foreach (var sender in everywhere)
        {
            ClusterSummary? cluster = null;
            await Eventually.TrueAsync(async () => (cluster = await admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{sender.ClusterId}"))!.LastContact is not null, "fleet heard of the cluster");
            Assert.Equal("online", cluster!.Liveness);
            Assert.True(cluster.LastContact < TimeProvider.System.GetUtcNow().AddMinutes(1), $"last contact {cluster.LastContact:u}");
        }

        using var suspended = await admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{there.ClusterId}/suspend", new { reason = "test" });
        Assert.True(suspended.IsSuccessStatusCode, await suspended.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(async () => await there.IsRefusedEverywhereAsync("cluster-suspended"), "the stepped replica refuses the cluster", TimeSpan.FromSeconds(5));
        await UnderLoadAsync(everywhere, () =>
        {
            clock.Advance(TimeSpan.FromMinutes(-minutes));
            return Task.CompletedTask;
        });
        await Senders.VerifyAsync(installation, all);
    }

    [Fact]
    public async Task When_the_disk_of_the_database_is_full_nothing_acknowledged_is_lost_and_all_roles_recover_without_a_restart()
    {
        // Consumers must fail first, before intake has nowhere left to write: that takes minutes. Embedded it is run always.
        Assert.SkipUnless(Environment.GetEnvironmentVariable("MC_TEST_LONG") == "1", "A longer proof: infra/dev test --long.");
        Assert.SkipUnless(installation.Postgres.SmallDisk is not null, "Needs root and a server of our own: its data lie on a small tmpfs.");
        var senders = await Senders.EnrollAsync(installation, SenderCount);
        using var admin = installation.Client(installation.Portal, installation.AdminToken);
        var ballast = Path.Combine(installation.Postgres.SmallDisk!, "ballast");
        await UnderLoadAsync(senders, async () =>
        {
            Ballast.Fill(ballast);
            try
            {
                // What is half empty takes some more; then there is nowhere to put anything.
                await Eventually.TrueAsync(() => senders.TrueForAll(sender => sender.Unstored > 0), "check-ins are refused while the disk is full", TimeSpan.FromMinutes(3));
                await Eventually.TrueAsync(async () => await CreateAsync(admin) is (HttpStatusCode.ServiceUnavailable, "storage-unavailable"), "a change is refused while the disk is full", TimeSpan.FromMinutes(3));
                using var read = await admin.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative));
                Assert.Equal(HttpStatusCode.OK, read.StatusCode);
            }
            finally
            {
                File.Delete(ballast);
            }
        });
        await Eventually.TrueAsync(async () => await CreateAsync(admin) is (HttpStatusCode.Created, _), "changes are taken again");
        await Senders.VerifyAsync(installation, senders);
        installation.AssertNothingCritical();
    }

    private static async Task<(HttpStatusCode Status, string? Code)> CreateAsync(HttpClient admin)
    {
        using var response = await admin.PostAsJsonAsync("/api/v1/licensing/customers", new CreateCustomerRequest("Any", "eu"));
        return (response.StatusCode, response.IsSuccessStatusCode ? null : (await response.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);
    }

    [Fact]
    public async Task A_role_that_is_down_is_named_and_the_others_go_on()
    {
        using var admin = installation.Client(installation.Of("portal")[1].Portal, installation.AdminToken);
        foreach (var process in installation.Of("audit"))
        {
            await process.KillAsync();
        }

        using var missing = await admin.GetAsync(new Uri("/api/v1/audit/entries", UriKind.Relative));
        using var there = await admin.GetAsync(new Uri("/api/v1/fleet/summary", UriKind.Relative));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (missing.StatusCode, there.StatusCode));
        Assert.Equal("role-unavailable", (await missing.Content.ReadFromJsonAsync<ProblemDocument>())!.Code);
        foreach (var process in installation.Of("audit"))
        {
            await process.StartAsync();
        }

        await Eventually.TrueAsync(async () => (await admin.GetAsync(new Uri("/api/v1/audit/entries", UriKind.Relative))).IsSuccessStatusCode, "the role answers again");
    }

    [Theory]
    [InlineData("fleet", "licensing.record-usage", "callhome.items-received")]
    [InlineData("licensing", "fleet.record-health", "callhome.cluster-changed")]
    [InlineData("callhome", "licensing.record-usage", "callhome.set-desired-state")]
    [InlineData("identity", "callhome.apply-desired-state", "licensing.legal-hold-changed")]
    [InlineData("audit", "callhome.keep-customer", "identity.user-keys-changed")]
    [InlineData("updates", "callhome.apply-desired-state", "callhome.set-desired-state")]
    [InlineData("remoteaccess", "identity.keep-token", "identity.token-changed")]
    [InlineData("notifications", "fleet.record-events", "licensing.customer-changed")]
    [InlineData("portal", "audit.append-entry", "identity.token-changed")]
    public async Task A_role_is_refused_what_is_anothers_at_the_broker(string role, string queue, string exchange)
    {
        var factory = new ConnectionFactory { Uri = installation.RabbitMq.Address, UserName = Grants.LoginOf(role), Password = installation.RabbitMq.Password };
        await using var connection = await factory.CreateConnectionAsync();

        Assert.Equal(403, await RefusedAsync(connection, channel => channel.BasicGetAsync(queue, autoAck: false)));
        Assert.Equal(403, await RefusedAsync(connection, channel => channel.QueueDeleteAsync(queue)));
        Assert.Equal(403, await RefusedAsync(connection, channel => channel.QueueBindAsync(queue, "audit.entry", "")));

        // A forged message: a token that nobody issued, items that no cluster sent. Round the exchange straight into the queue there is no way either.
        Assert.Equal(403, await RefusedAsync(connection, channel => PublishAsync(channel, exchange, "")));
        Assert.Equal(403, await RefusedAsync(connection, channel => PublishAsync(channel, "", queue)));

        // What is its own it may: a role that is refused everything would pass for a guarded one.
        await using var own = await ConfirmingAsync(connection);
        await own.BasicGetAsync($"{role}.keep-token", autoAck: false);
    }

    /// <summary>Publishes, and waits for what the broker says to it.</summary>
    private static async Task PublishAsync(IChannel channel, string exchange, string routingKey) =>
        await channel.BasicPublishAsync(exchange, routingKey, mandatory: false, body: "{}"u8.ToArray());

    private static Task<IChannel> ConfirmingAsync(IConnection connection) =>
        connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));

    private static async Task<int> RefusedAsync(IConnection connection, Func<IChannel, Task> does)
    {
        await using var channel = await ConfirmingAsync(connection);
        return (await Assert.ThrowsAnyAsync<OperationInterruptedException>(() => does(channel))).ShutdownReason!.ReplyCode;
    }

    /// <summary>Something happens while everybody sends; afterwards everybody is answered again within 30 s.</summary>
    private static async Task UnderLoadAsync(IReadOnlyList<Sender> senders, Func<Task> happens)
    {
        using var load = new CancellationTokenSource();
        var running = senders.Select(sender => sender.SendUntilAsync(load.Token, Pace)).ToList();
        await MoreAsync(senders, "everybody is answered before");
        await happens();
        await MoreAsync(senders, "everybody is answered after");
        await load.CancelAsync();
        await Task.WhenAll(running);
    }

    private static Task MoreAsync(IReadOnlyList<Sender> senders, string what)
    {
        var targets = senders.Select(sender => sender.Acknowledged.Count + 20).ToList();
        return Eventually.TrueAsync(() => senders.Select((sender, i) => sender.Acknowledged.Count >= targets[i]).All(reached => reached), what);
    }
}
