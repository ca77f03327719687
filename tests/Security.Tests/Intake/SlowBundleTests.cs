using System.Net;
using MissionControl.Security.Tests.Web;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Security.Tests.Intake;

/// <summary>Bundles need no bearer and few may be read at once: whoever sends one and never ends a line must not keep the others out.</summary>
[Collection("alone")]
public sealed class SlowBundleTests
{
    [Fact]
    public async Task Senders_that_never_end_a_line_lose_their_places()
    {
        // A minute passes in ten seconds.
        await using var host = await ControlPlane.StartAsync(time: new FastTime(TimeProvider.System.GetUtcNow(), 6));
        using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        var part = cluster.Part(cluster.Request(cluster.Event("carried", 1)));
        await Eventually.TrueAsync(async () => await StatusAsync(cluster, part) == HttpStatusCode.OK, "bundles are taken");
        using var taken = new CancellationTokenSource();
        using var ended = new CancellationTokenSource();
        var slow = Enumerable.Range(0, 2).Select(_ => DripAsync(host, taken.Token, ended.Token)).ToList();

        await Eventually.TrueAsync(async () => await StatusAsync(cluster, part) == HttpStatusCode.ServiceUnavailable, "both places are taken");
        await taken.CancelAsync();
        await Eventually.TrueAsync(async () => await StatusAsync(cluster, part) == HttpStatusCode.OK, "a place is free again");

        await ended.CancelAsync();
        await Task.WhenAll(slow);
    }

    [Fact]
    public async Task A_sender_that_gets_on_is_given_the_place_of_one_that_does_not_however_often_it_comes_back()
    {
        await using var host = await ControlPlane.StartAsync();
        using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        var part = cluster.Part(cluster.Request(cluster.Event("carried", 1)));
        await Eventually.TrueAsync(async () => await StatusAsync(cluster, part) == HttpStatusCode.OK, "bundles are taken");
        using var ended = new CancellationTokenSource();
        var slow = Enumerable.Range(0, 4).Select(_ => DripAsync(host, ended.Token, ended.Token)).ToList();
        await Eventually.TrueAsync(async () => await StatusAsync(cluster, part) == HttpStatusCode.ServiceUnavailable, "all places are taken");

        // Alone, their patience of a minute would keep the others out for good: there are always some that have just come.
        await Eventually.TrueAsync(async () => await StatusAsync(cluster, part) == HttpStatusCode.OK, "one that gets on is given a place", TimeSpan.FromSeconds(20));

        await ended.CancelAsync();
        await Task.WhenAll(slow);
    }

    /// <summary>Sends just fast enough that the server's own limit lets it be; comes again when it meets our own bundle in its place, until it has one.</summary>
    private static async Task DripAsync(ControlPlane host, CancellationToken taken, CancellationToken ended)
    {
        do
        {
            await using var raw = await RawHttp.ConnectAsync(host.CallHome, host.CaFile);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
            try
            {
                await raw.WriteAsync("POST /callhome/v1/bundles HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100000000\r\n\r\n");
                while (await timer.WaitForNextTickAsync(ended))
                {
                    await raw.WriteAsync(new string('{', 500));
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // Sent away, or the test is over.
            }
        }
        while (!taken.IsCancellationRequested);
    }

    private static async Task<HttpStatusCode> StatusAsync(TestCluster cluster, byte[] part)
    {
        using var response = await cluster.UploadAsync(part);
        return response.StatusCode;
    }
}
