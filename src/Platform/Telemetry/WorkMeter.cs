namespace MissionControl.Platform.Telemetry;

/// <summary>
/// Counts the main work of a role in this process, and how long a piece of it takes, between two of its heartbeats. A module that has one
/// registers it under its name; the heartbeat takes what was counted and writes it down, so that everybody sees it of every process.
/// </summary>
public sealed class WorkMeter
{
    // Each bucket ends a tenth above the one before: from 0.05 ms to 9 s in 128.
    private const double First = 0.05;
    private const int Buckets = 128;
    private static readonly double Step = Math.Log(1.1);
    private readonly long[] counts = new long[Buckets];

    /// <summary>Counts a piece of work. Costs nothing worth measuring; any thread may.</summary>
    /// <param name="took">How long it took.</param>
    public void Count(TimeSpan took)
    {
        var bucket = (int)Math.Ceiling(Math.Log(Math.Max(took.TotalMilliseconds, First) / First) / Step);
        Interlocked.Increment(ref counts[Math.Min(bucket, Buckets - 1)]);
    }

    /// <summary>What was counted since the last time.</summary>
    /// <returns>How much, and the milliseconds within which 99 of 100 were done, rounded up by a tenth at most, 9 s standing for all beyond; null when there was nothing.</returns>
    public (long Count, double? P99Ms) Take()
    {
        Span<long> taken = stackalloc long[Buckets];
        var total = 0L;
        for (var i = 0; i < Buckets; i++)
        {
            total += taken[i] = Interlocked.Exchange(ref counts[i], 0);
        }

        var left = total - (long)Math.Ceiling(total * 0.99);
        for (var i = Buckets - 1; i >= 0; i--)
        {
            if ((left -= taken[i]) < 0)
            {
                return (total, First * Math.Exp(i * Step));
            }
        }

        return (0, null);
    }
}
