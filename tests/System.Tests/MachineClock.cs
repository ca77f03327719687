using MissionControl.Testing;

namespace MissionControl.System.Tests;

/// <summary>The clock of the agent's machine: it may be stepped, and its monotonic side goes with true time.</summary>
internal sealed class MachineClock(ManualTime truth) : TimeProvider
{
    public TimeSpan Step { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => truth.GetUtcNow() + Step;

    public override long GetTimestamp() => truth.GetUtcNow().Ticks;
}
