using System.Net;
using MissionControl.Protocol.CallHome;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

public sealed class CheckInLimiterTests
{
    [Fact]
    public async Task A_cluster_that_sends_more_than_one_may_waits_and_no_other_notices()
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:ItemsAtOnce"] = "20", ["CallHome:ItemsPerSecond"] = "4" });
        var customer = (await host.CreateCustomerAsync()).Id;
        using var fast = await TestCluster.EnrollAsync(host, customer);
        using var other = await TestCluster.EnrollAsync(host, customer);

        // What is turned away costs no more than having asked.
        using (var invalid = await fast.SendAsync("checkin", fast.Request([.. Enumerable.Repeat(fast.Event("e1", 1), 60)])))
        {
            Assert.Equal("invalid", (await TestCluster.ProblemAsync(invalid)).Code);
        }

        // A check-in that begins within the limit is taken whole, however much it holds.
        var taken = await fast.CheckInAsync([.. Enumerable.Range(1, 30).Select(seq => fast.Event($"e{seq}", seq))]);
        using var refused = await fast.SendAsync("checkin", fast.Request(fast.Event("e31", 31)));

        Assert.Equal(30, taken.Ack);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("rate-limited", (await TestCluster.ProblemAsync(refused)).Code);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        Assert.Equal(1, (await other.CheckInAsync(other.Event("e1", 1))).Ack);

        // Refused is not settled: the same item is taken once its sender has waited.
        await Eventually.TrueAsync(async () =>
        {
            using var again = await fast.SendAsync("checkin", fast.Request(fast.Event("e31", 31)));
            return again.IsSuccessStatusCode && (await TestCluster.ReadAsync(again, CheckInResponse.Parser)).Ack == 31;
        }, "it may speak again once it has waited");
    }

    [Fact]
    public async Task Whoever_keeps_trying_without_waiting_is_not_let_in_later_for_it()
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:ItemsAtOnce"] = "2", ["CallHome:ItemsPerSecond"] = "1" });
        using var fast = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        await fast.CheckInAsync([.. Enumerable.Range(1, 60).Select(seq => fast.Event($"e{seq}", seq))]);

        var waits = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            using var refused = await fast.SendAsync("checkin", fast.Request());
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            waits.Add(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        }

        // What is refused costs nothing: the wait is that of what was taken, whoever knocks meanwhile.
        Assert.Equal(waits.OrderDescending(), waits);
        Assert.InRange(waits[0], 30, 60);
    }

    [Fact]
    public async Task The_agent_obeys_keeps_what_it_could_not_send_and_is_heard_again()
    {
        await using var host = await ControlPlane.StartAsync(configuration: new Dictionary<string, string?> { ["CallHome:ItemsAtOnce"] = "1", ["CallHome:ItemsPerSecond"] = "1" });
        using var agent = await RealAgent.EnrollAsync(host, (await host.CreateCustomerAsync()).Id);
        Assert.True((await agent.CheckInAsync()).Succeeded);

        // The first brought health and inventory, and so is two items ahead of its pace. Of its own accord it would take up to two minutes.
        var refused = await agent.CheckInAsync();

        Assert.StartsWith("rate-limited", refused.Problem, StringComparison.Ordinal);
        Assert.InRange(refused.Next, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.True(agent.Agent.Waiting > 0);
        // Each try measures anew, so that there is always more to send; that it is taken again is what counts.
        await Eventually.TrueAsync(async () => (await agent.CheckInAsync()).Succeeded, "it may speak again once it has waited");
    }
}
