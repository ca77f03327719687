namespace MissionControl.ClusterAgent.CallHome;

/// <summary>
/// How long to wait before the next try: spread after the first failure so that a fleet does not come back at once, then 30 s doubled with
/// full jitter up to an hour. A success steps back by one notch instead of resetting.
/// </summary>
public sealed class Backoff(Random random)
{
    private static readonly TimeSpan Cap = TimeSpan.FromHours(1);
    private int failures;

    /// <summary>After a check-in that was taken: the interval, spread around it.</summary>
    public TimeSpan Success(int seconds, int jitterPercent)
    {
        failures = Math.Max(0, failures - 1);
        var spread = seconds * Math.Clamp(jitterPercent, 0, 50) / 100.0;
        return TimeSpan.FromSeconds(Math.Clamp(seconds, 30, 3600) + ((random.NextDouble() * 2) - 1) * spread);
    }

    /// <summary>After a failure; the server's own wish counts, spread by a quarter.</summary>
    public TimeSpan Failure(TimeSpan? retryAfter)
    {
        failures++;
        if (retryAfter is { } wish)
        {
            return wish * (1 + (random.NextDouble() * 0.25));
        }

        if (failures == 1)
        {
            return TimeSpan.FromSeconds(random.NextDouble() * 120);
        }

        var ceiling = TimeSpan.FromSeconds(Math.Min(Cap.TotalSeconds, 30 * Math.Pow(2, Math.Min(failures - 2, 10))));
        return ceiling * random.NextDouble();
    }

    /// <summary>After a refusal that only a person can lift.</summary>
    public TimeSpan Refused()
    {
        failures++;
        return Cap * (0.9 + (random.NextDouble() * 0.2));
    }
}
