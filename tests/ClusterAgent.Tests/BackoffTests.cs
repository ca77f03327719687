using MissionControl.ClusterAgent.CallHome;
using Xunit;

namespace MissionControl.ClusterAgent.Tests;

public sealed class BackoffTests
{
    [Fact]
    public void The_first_failure_is_spread_over_two_minutes()
    {
        var waits = Enumerable.Range(0, 2000).Select(seed => new Backoff(new Random(seed)).Failure(null).TotalSeconds).ToList();

        Assert.All(waits, wait => Assert.InRange(wait, 0, 120));
        Assert.InRange(waits.Average(), 50, 70);
    }

    [Fact]
    public void Waiting_grows_to_an_hour_and_no_further()
    {
        var random = new Random(1);
        var backoff = new Backoff(random);
        var waits = Enumerable.Range(0, 200).Select(_ => backoff.Failure(null)).ToList();

        Assert.All(waits, wait => Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromHours(1)));
        Assert.Contains(waits, wait => wait > TimeSpan.FromMinutes(30));
    }

    [Fact]
    public void The_servers_wish_counts_and_is_spread_by_a_quarter()
    {
        var backoff = new Backoff(new Random(1));

        Assert.All(Enumerable.Range(0, 100), _ => Assert.InRange(backoff.Failure(TimeSpan.FromSeconds(40)).TotalSeconds, 40, 50));
    }

    [Fact]
    public void A_success_keeps_to_the_interval_within_its_jitter_and_within_sane_bounds()
    {
        var backoff = new Backoff(new Random(1));

        Assert.All(Enumerable.Range(0, 100), _ => Assert.InRange(backoff.Success(60, 10).TotalSeconds, 54, 66));
        Assert.InRange(backoff.Success(1, 0).TotalSeconds, 30, 30);
        Assert.InRange(backoff.Success(86_400, 0).TotalSeconds, 3600, 3600);
    }
}
