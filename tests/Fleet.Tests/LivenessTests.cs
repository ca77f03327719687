using MissionControl.Fleet.Liveness;
using Xunit;

namespace MissionControl.Fleet.Tests;

public sealed class LivenessTests
{
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
    public void Silence_is_judged_by_the_interval_last_handed_out(int interval, int silence, string expected) =>
        Assert.Equal(expected, Judge.Of(TimeSpan.FromSeconds(silence), interval).ToString());

    [Fact]
    public void Longer_silence_never_looks_better()
    {
        var states = Enumerable.Range(0, 5000).Select(i => Judge.Of(TimeSpan.FromMinutes(i * 10), 60)).ToList();

        Assert.Equal(states.Order(), states);
    }
}
