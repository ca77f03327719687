using System.Net;
using MissionControl.FleetSimulator;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>The same seed gives the same faults, so that a bad day can be had again.</summary>
public sealed class FaultyNetworkTests
{
    private static readonly Faults Bad = new() { Loss = 0.2, Duplicates = 0.2, Reordering = 0.2 };

    [Fact]
    public async Task The_same_seed_loses_doubles_and_reorders_the_same_requests_and_another_seed_others()
    {
        var first = await PassAsync(seed: 4);

        Assert.Equal(first, await PassAsync(seed: 4));
        Assert.NotEqual(first, await PassAsync(seed: 5));

        // All that was asked for happened: a lost request, a lost answer, one that came twice, and one that came behind a later one.
        var arrived = first.Where(what => what.StartsWith("arrived", StringComparison.Ordinal)).Select(what => int.Parse(what["arrived ".Length..], global::System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Contains("failed: The simulated network lost the request.", first);
        Assert.Contains("failed: The simulated network lost the answer.", first);
        Assert.Contains(arrived.Zip(arrived.Skip(1)), pair => pair.First == pair.Second);
        Assert.Contains(arrived.Zip(arrived.Skip(1)), pair => pair.First > pair.Second);
    }

    private static async Task<List<string>> PassAsync(int seed)
    {
        var log = new List<string>();
        using var client = new HttpClient(new FaultyNetwork(new Door(log), isOwn: true, Bad, new Random(seed), TimeProvider.System));
        for (var number = 1; number <= 200; number++)
        {
            try
            {
                using var content = new StringContent($"{number}");
                (await client.PostAsync(new Uri("http://door/callhome/v1/checkin"), content)).Dispose();
                log.Add("answered");
            }
            catch (HttpRequestException lost)
            {
                log.Add($"failed: {lost.Message}");
            }
        }

        return log;
    }

    private sealed class Door(List<string> log) : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            log.Add($"arrived {await request.Content!.ReadAsStringAsync(cancellationToken)}");
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}
