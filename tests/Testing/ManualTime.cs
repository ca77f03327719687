namespace MissionControl.Testing;

/// <summary>A clock that a test sets; timers run on the machine's.</summary>
public sealed class ManualTime(DateTimeOffset start) : TimeProvider
{
    private long offset = (start - DateTimeOffset.UtcNow).Ticks;

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow.AddTicks(Interlocked.Read(ref offset));

    /// <summary>Moves the clock; negative values move it back.</summary>
    public void Advance(TimeSpan by) => Interlocked.Add(ref offset, by.Ticks);
}
