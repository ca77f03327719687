using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Fleet;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Days;

/// <summary>A cluster that sends one event after the other, again and again until each is acknowledged, and remembers what it was told.</summary>
internal sealed class SteadySender(ControlPlane host, TestCluster cluster) : IDisposable
{
    private readonly ConcurrentDictionary<string, bool> acknowledged = new();
    private int refused;

    /// <summary>Events that were acknowledged.</summary>
    public int Acknowledged => acknowledged.Count;

    /// <summary>How often the answer was 503.</summary>
    public int Refused => Volatile.Read(ref refused);

    public static async Task<SteadySender> EnrollAsync(ControlPlane host, Guid customer) => new(host, await TestCluster.EnrollAsync(host, customer));

    public async Task RunAsync(CancellationToken stop)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        for (var seq = 1L; !stop.IsCancellationRequested;)
        {
            var id = $"e{seq}";
            using var response = await cluster.SendAsync("checkin", cluster.Request(cluster.Event(id, seq)));
            if (response.IsSuccessStatusCode)
            {
                Assert.True((await TestCluster.ReadAsync(response, CheckInResponse.Parser)).Ack >= seq);
                acknowledged[id] = true;
                seq++;
                continue;
            }

            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.NotNull(response.Headers.RetryAfter);
            Interlocked.Increment(ref refused);
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits until everything acknowledged is stored, and asserts that it is there once.</summary>
    public async Task StoredOnceAsync()
    {
        IReadOnlyList<string> stored = [];
        await Eventually.TrueAsync(async () => acknowledged.Keys.All((stored = await EventsAsync()).ToHashSet().Contains), "every acknowledged event is stored");
        Assert.Equal(stored.Count, stored.Distinct().Count());
    }

    public void Dispose() => cluster.Dispose();

    private async Task<IReadOnlyList<string>> EventsAsync()
    {
        var ids = new List<string>();
        for (var next = $"/api/v1/fleet/clusters/{cluster.Id}/events?limit=500"; next is not null;)
        {
            var page = (await host.Admin.GetFromJsonAsync<Page<EventItem>>(next))!;
            ids.AddRange(page.Items.Select(item => item.Id));
            next = page.Next!;
        }

        return ids;
    }
}
