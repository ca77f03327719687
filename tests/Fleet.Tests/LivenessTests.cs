using MissionControl.Fleet.Liveness;
using Xunit;

namespace MissionControl.Fleet.Tests;

public sealed class LivenessTests
{
    private const int Week = 7 * 86_400;
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Theory]
    [InlineData(60, 96, nameof(LivenessState.Online))]
    [InlineData(60, 97, nameof(LivenessState.Late))]
    [InlineData(60, 600, nameof(LivenessState.Late))]
    [InlineData(60, 601, nameof(LivenessState.Missing))]
    [InlineData(300, 360, nameof(LivenessState.Online))]
    [InlineData(300, 900, nameof(LivenessState.Late))]
    [InlineData(300, 901, nameof(LivenessState.Missing))]
    [InlineData(60, 86_401, nameof(LivenessState.Lost))]
    [InlineData(60, 2_592_001, nameof(LivenessState.Dormant))]
    [InlineData(Week, 665_000, nameof(LivenessState.Online))]
    [InlineData(Week, 666_000, nameof(LivenessState.Late))]
    [InlineData(Week, 3 * Week, nameof(LivenessState.Late))]
    [InlineData(Week, (3 * Week) + 1, nameof(LivenessState.Missing))]
    [InlineData(Week, (4 * Week) + 1, nameof(LivenessState.Lost))]
    [InlineData(Week, (5 * Week) + 1, nameof(LivenessState.Dormant))]
    public void Silence_is_judged_by_the_interval_last_handed_out(int interval, int silence, string expected) =>
        Assert.Equal(expected, Judge.Of(TimeSpan.FromSeconds(silence), interval).ToString());

    [Fact]
    public void Longer_silence_never_looks_better()
    {
        var states = Enumerable.Range(0, 5000).Select(i => Judge.Of(TimeSpan.FromMinutes(i * 10), 60)).ToList();

        Assert.Equal(states.Order(), states);
    }

    [Theory]
    [InlineData(119, nameof(LivenessState.Online), nameof(LivenessState.Online))]
    [InlineData(121, nameof(LivenessState.Online), nameof(LivenessState.Late))]
    [InlineData(601, nameof(LivenessState.Late), nameof(LivenessState.Missing))]
    [InlineData(1, nameof(LivenessState.Missing), nameof(LivenessState.Missing))]
    [InlineData(700, nameof(LivenessState.Lost), nameof(LivenessState.Lost))]
    public void From_before_a_floor_no_silence_counts_and_nobody_is_late_within_two_intervals(int sinceFloor, string before, string expected) =>
        Assert.Equal(expected, Judge.Of(Now.AddHours(-5), 60, Now.AddSeconds(-sinceFloor), Now, Enum.Parse<LivenessState>(before)).ToString());

    [Theory]
    [InlineData(1, nameof(LivenessState.Online), nameof(LivenessState.Online))]
    [InlineData(1, nameof(LivenessState.Late), nameof(LivenessState.Late))]
    [InlineData(86_401, nameof(LivenessState.Online), nameof(LivenessState.Late))]
    [InlineData(86_401, nameof(LivenessState.Late), nameof(LivenessState.Late))]
    public void Of_a_site_that_hands_in_bundles_a_standstill_of_ours_forgives_a_day_and_not_two_weeks(int sinceFloor, string before, string expected) =>
        Assert.Equal(expected, Judge.Of(Now.AddDays(-9), Week, Now.AddSeconds(-sinceFloor), Now, Enum.Parse<LivenessState>(before)).ToString());

    [Fact]
    public void Whoever_is_heard_after_a_floor_is_judged_by_that()
    {
        Assert.Equal(LivenessState.Online, Judge.Of(Now.AddSeconds(-5), 60, Now.AddSeconds(-10), Now, LivenessState.Lost));
    }

    [Theory]
    [InlineData(20, 100, false)]
    [InlineData(21, 100, true)]
    [InlineData(50, 1000, false)]
    [InlineData(51, 1000, true)]
    public void A_mass_outage_is_more_than_20_clusters_and_more_than_5_percent(int missing, int fleet, bool expected) => Assert.Equal(expected, Judge.IsMassOutage(missing, fleet));

    [Theory]
    [InlineData(100, 100, 70, 100, false)] // not more than 30 %
    [InlineData(100, 100, 69, 100, true)]
    [InlineData(19, 19, 0, 19, false)] // too few to tell
    [InlineData(20, 20, 13, 20, true)]
    [InlineData(100, 100, 50, 50, false)] // half were suspended
    [InlineData(100, 100, 100, 200, false)] // as many were resumed, and are not heard yet
    [InlineData(100, 200, 69, 200, true)] // half of them are silent for long
    public void Check_ins_have_fallen_when_number_and_share_are_more_than_30_percent_below_the_median(int usual, int known, int inTime, int knownNow, bool expected)
    {
        List<HeardOf> samples = [new(0, known), new(usual * 10, known * 10), .. Enumerable.Repeat(new HeardOf(usual, known), 3)];

        Assert.Equal(expected, Judge.HasFallen(new HeardOf(inTime, knownNow), samples));
        Assert.False(Judge.HasFallen(new HeardOf(inTime, knownNow), samples[1..]));
    }
}
