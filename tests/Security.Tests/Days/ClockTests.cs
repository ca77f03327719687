using System.Net;
using System.Net.Http.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome;
using MissionControl.CallHome.Credentials;
using MissionControl.Contracts.Api.CallHome;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Days;

/// <summary>The host's clock is stepped, both ways: credentials do not outlive their time, nothing waits for the clock to catch up, and nobody is called late because of it.</summary>
public sealed class ClockTests
{
    [Theory]
    [InlineData(-60)]
    [InlineData(60)]
    [InlineData(-60 * 24)]
    [InlineData(60 * 24)]
    public async Task After_a_step_of_the_clock_everything_goes_on_within_seconds(int minutes)
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var host = await ControlPlane.StartAsync(time: time);
        var customer = await host.CreateCustomerAsync();
        using var heard = await TestCluster.EnrollAsync(host, customer.Id, "heard");
        using var silent = await TestCluster.EnrollAsync(host, customer.Id, "silent");
        await heard.CheckInAsync(heard.Health(), heard.Event("before"));
        await silent.CheckInAsync(silent.Health());
        await Eventually.TrueAsync(async () => await LivenessAsync(host, heard) == "online" && await LivenessAsync(host, silent) == "online", "both are online");
        var assertion = heard.Assertion(await heard.NonceAsync());
        var (revoked, token) = await host.ClientWithTokenAsync(customer.Id, "fleet:read");

        time.Advance(TimeSpan.FromMinutes(minutes));
        var stepped = time.GetUtcNow();

        // What was sealed or issued under the other clock counts no longer; asking anew helps at once.
        using var old = await heard.SendAsync("checkin", heard.Request(heard.Health()));
        using var replay = await heard.SendAsync("token", new TokenRequest { Assertion = assertion });
        await Answers.RefusedAsync("access-token-invalid", old, "an access token of the other clock");
        await Answers.RefusedAsync("use-nonce", replay, "a nonce of the other clock");
        await heard.AuthorizeAsync();

        // News are delivered, and nobody is called late; contact and silence count by the new clock, whichever way it went.
        Assert.True((await heard.CheckInAsync(heard.Health(bend: health => health.Nodes[0].Version = "2.0.0"), heard.Event("after"))).AcceptedAboveAck.Count > 0);
        await Eventually.TrueAsync(async () => (await host.Admin.GetStringAsync(new Uri($"/api/v1/fleet/clusters/{heard.Id}/events", UriKind.Relative))).Contains("after", StringComparison.Ordinal), "the event after the step is stored");
        await Eventually.TrueAsync(async () => (await ClusterAsync(host, heard)) is { Version: "2.0.0", LastContact: { } contact } && contact >= stepped && contact < stepped.AddMinutes(5), "contact and health after the step count");
        await Eventually.TrueAsync(async () => await JudgedAtAsync(host) is { } judged && judged > stepped.AddSeconds(2) && judged < stepped.AddMinutes(5), "liveness was judged by the new clock");

        Assert.Equal(("online", "online"), (await LivenessAsync(host, heard), await LivenessAsync(host, silent)));

        // Revocation and suspension hold as fast as ever.
        using var gone = await host.Admin.PostAsync(new Uri($"/api/v1/identity/tokens/{token.Id}/revoke", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        await Eventually.TrueAsync(async () => (await revoked.GetAsync(new Uri("/api/v1/fleet/clusters", UriKind.Relative))).StatusCode == HttpStatusCode.Unauthorized, "the revoked token opens nothing");
        using var suspended = await host.Admin.PostAsJsonAsync($"/api/v1/callhome/clusters/{heard.Id}/suspend", new ReasonRequest("a test says so"));
        using var unheard = await heard.SendAsync("checkin", heard.Request(heard.Health()));
        await Answers.RefusedAsync("cluster-suspended", unheard, "a suspended cluster");
        revoked.Dispose();
        Assert.Empty(await Answers.ParkedAsync(host.Admin));
    }

    [Fact]
    public void An_access_token_of_a_clock_since_put_back_is_worth_nothing()
    {
        var directory = Directory.CreateTempSubdirectory("mc-clock-").FullName;
        var time = new ManualTime(DateTimeOffset.UtcNow);
        using var tokens = new AccessTokens(new SealingKeys(new DataDirectory(directory), new CallHomeOptions(), time), time);
        time.Advance(TimeSpan.FromHours(1));
        var ahead = tokens.Seal(Guid.CreateVersion7());
        Assert.True(tokens.TryOpen(ahead, out _));

        time.Advance(TimeSpan.FromHours(-1));

        Assert.False(tokens.TryOpen(ahead, out _));
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_message_that_waits_for_a_time_far_off_is_delivered_now()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var host = await ControlPlane.StartAsync(time: time);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        await using (var transaction = await db.BeginWriteAsync())
        {
            db.Outbox("licensing").Add(new OutboxMessage
            {
                Id = Guid.CreateVersion7(now), Type = "licensing.customer-changed", Key = "k", CreatedAt = now.AddHours(1), NextAttemptAt = now.AddHours(1),
                Payload = Platform.Messaging.MessageJson.Write(new Contracts.Events.Licensing.CustomerChanged(Guid.CreateVersion7(now), "Late", "eu", "active", 1)),
            });
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }

        await Eventually.TrueAsync(async () => !await db.Outbox("licensing").AnyAsync(), "the message of a clock since put back is delivered");
    }

    private static async Task<ClusterSummary> ClusterAsync(ControlPlane host, TestCluster cluster) => (await host.Admin.GetFromJsonAsync<ClusterSummary>($"/api/v1/fleet/clusters/{cluster.Id}"))!;

    private static async Task<string> LivenessAsync(ControlPlane host, TestCluster cluster)
    {
        using var response = await host.Admin.GetAsync(new Uri($"/api/v1/fleet/clusters/{cluster.Id}", UriKind.Relative));
        return response.IsSuccessStatusCode ? (await response.Content.ReadFromJsonAsync<ClusterSummary>())!.Liveness : "unknown";
    }

    private static async Task<DateTimeOffset?> JudgedAtAsync(ControlPlane host)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<IntakeClock>().AsNoTracking().Select(row => (DateTimeOffset?)row.JudgedAt).SingleOrDefaultAsync();
    }
}
