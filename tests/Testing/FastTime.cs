using System.Diagnostics;

namespace MissionControl.Testing;

/// <summary>A world in which time passes faster, clocks and timers alike: what takes an hour there is over in a minute.</summary>
public sealed class FastTime(DateTimeOffset start, int factor) : TimeProvider
{
    private readonly long began = Stopwatch.GetTimestamp();

    /// <inheritdoc />
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => start.AddTicks(GetTimestamp());

    /// <inheritdoc />
    public override long GetTimestamp() => Stopwatch.GetElapsedTime(began).Ticks * factor;

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, Faster(dueTime), Faster(period));

    private TimeSpan Faster(TimeSpan span) => span == Timeout.InfiniteTimeSpan ? span : span / factor;
}
