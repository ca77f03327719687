using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Telemetry;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>A role says what waits in it and which processes run it, also those that no longer say so themselves.</summary>
public sealed class StatusTests
{
    [Fact]
    public async Task A_role_lists_its_processes_those_that_fell_silent_and_those_that_were_stopped()
    {
        var data = Directory.CreateTempSubdirectory("mc-").FullName;
        try
        {
            string first;
            await using (var host = await ControlPlane.StartAsync(data))
            {
                first = host.Services.GetRequiredService<ProcessIdentity>().Instance;
                await Eventually.TrueAsync(async () => (await StatusAsync(host)) is { Replicas: [{ CertificateEndsAt: not null }] }, "the process said that it runs");
                var status = (await StatusAsync(host))!;
                var replica = Assert.Single(status.Replicas);
                Assert.Equal((first, "running"), (replica.Instance, replica.State));
                Assert.NotEqual("unknown", replica.Version);
                Assert.InRange(replica.DiskFreeBytes!.Value, 1, replica.DiskTotalBytes!.Value);
                Assert.True(replica.CertificateEndsAt > host.Time.GetUtcNow());
                Assert.Equal(("fleet", "sqlite", 0L), (status.Role, status.Database, status.Parked));
                Assert.True(status.DatabaseBytes > 100_000, $"{status.DatabaseBytes} bytes");

                await using var scope = host.Services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
                var then = host.Time.GetUtcNow().AddSeconds(-46);
                db.Replicas("fleet").Add(new Replica { Instance = "of-another-machine", Version = "0.9.0", StartedAt = then, SeenAt = then });
                await db.SaveChangesAsync();
                await host.Services.GetServices<IHostedService>().OfType<ReplicaHeartbeat>().Single().StopAsync(CancellationToken.None);
                Assert.Equal("stopped", (await StatusAsync(host))!.Replicas.Single(one => one.Instance == first).State);
            }

            await using (var host = await ControlPlane.StartAsync(data))
            {
                await Eventually.TrueAsync(async () => (await StatusAsync(host))?.Replicas.Count == 3, "the next start is another process");
                var replicas = (await StatusAsync(host))!.Replicas;
                Assert.Equal(["running", "silent", "stopped"], replicas.Select(one => one.State));
                Assert.Equal(["of-another-machine", first], replicas.Skip(1).Select(one => one.Instance));
                var (customer, _) = await host.ClientWithTokenAsync((await host.CreateCustomerAsync()).Id, "system:read");
                using (customer)
                using (var refused = await customer.GetAsync(new Uri("/api/v1/fleet/status", UriKind.Relative)))
                {
                    Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
                }
            }
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public void What_was_counted_between_two_heartbeats_is_taken_once_and_its_p99_is_right_to_a_tenth()
    {
        var work = new WorkMeter();
        Assert.Equal((0, null), work.Take());
        for (var i = 1; i <= 1000; i++)
        {
            work.Count(TimeSpan.FromMilliseconds(i <= 990 ? 2 : 500));
        }

        var (count, p99) = work.Take();
        Assert.Equal(1000, count);
        Assert.InRange(p99!.Value, 2, 2.2);
        work.Count(TimeSpan.FromHours(1));
        Assert.Equal(1, work.Take().Count);
        Assert.Equal((0, null), work.Take());
        work.Count(TimeSpan.FromMilliseconds(2));
        work.Count(TimeSpan.FromMilliseconds(40));
        Assert.InRange(work.Take().P99Ms!.Value, 40, 44);
    }

    [Fact]
    public async Task A_process_of_callhome_says_how_much_it_is_told_and_how_fast_it_answers()
    {
        // Fifteen seconds pass in one and a half.
        await using var host = await ControlPlane.StartAsync(time: new FastTime(TimeProvider.System.GetUtcNow(), 10));
        using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        var sent = 0;
        await Eventually.TrueAsync(async () =>
        {
            await cluster.CheckInAsync(cluster.Health(++sent));
            return (await StatusAsync(host, "callhome")) is { Replicas: [{ WorkPerSecond: > 0, WorkP99Ms: > 0 and < 10_000 }] };
        }, "the heartbeat after some check-ins");
        Assert.All((await StatusAsync(host))!.Replicas, replica => Assert.Null(replica.WorkPerSecond));
    }

    private static async Task<RoleStatus?> StatusAsync(ControlPlane host, string role = "fleet")
    {
        using var response = await host.Admin.GetAsync(new Uri($"/api/v1/{role}/status", UriKind.Relative));
        return response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync<RoleStatus>() : null;
    }
}
