namespace MissionControl.Fleet.Liveness;

/// <summary>Whether a cluster is heard of, judged by the interval it was last given; a higher value is worse.</summary>
internal enum LivenessState
{
    Online,
    Never,
    Late,
    Missing,
    Lost,
    Dormant,
}

/// <summary>Liveness as pure functions.</summary>
internal static class Judge
{
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeastMissing = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LostAfter = TimeSpan.FromHours(24);
    private static readonly TimeSpan DormantAfter = TimeSpan.FromDays(30);
    private const double Fallen = 0.7;
    private const int LeastSamples = 5;
    private const int LeastHeard = 20;

    /// <summary>No check-in is given a longer interval; who has one hands in bundles.</summary>
    public const int LongestCheckIn = 3600;

    /// <summary>After a standstill of ours, how long nobody is held to a bundle that could not be handed in.</summary>
    private static readonly TimeSpan BundleGrace = TimeSpan.FromDays(1);

    /// <summary>Judges silence. Time during which intake delivered nothing is not the cluster's silence and must be taken off before.</summary>
    /// <param name="silence">Time since the last contact, less the time that intake stood still.</param>
    /// <param name="interval">The interval last handed out, in seconds, with its jitter.</param>
    public static LivenessState Of(TimeSpan silence, int interval)
    {
        var every = TimeSpan.FromSeconds(interval);
        return silence > Longer(every * 5, DormantAfter) ? LivenessState.Dormant
            : silence > Longer(every * 4, LostAfter) ? LivenessState.Lost
            : silence > MissingAfter(interval) ? LivenessState.Missing
            : silence > LateAfter(interval) ? LivenessState.Late
            : LivenessState.Online;
    }

    /// <summary>Silence after which a cluster is missing: three intervals, and at least ten minutes.</summary>
    public static TimeSpan MissingAfter(int interval) => Longer(TimeSpan.FromSeconds(3.0 * interval), LeastMissing);

    /// <summary>Silence that is no longer ordinary: the interval with its jitter, and a little.</summary>
    public static TimeSpan LateAfter(int interval) => (TimeSpan.FromSeconds(interval) * 1.1) + Slack;

    /// <summary>
    /// Judges a cluster with regard to a floor: from before it no silence counts, and nobody is late within two intervals after it.
    /// The floor only delays a worsening: who was missing before does not look well because of it.
    /// </summary>
    public static LivenessState Of(DateTimeOffset contact, int interval, DateTimeOffset floor, DateTimeOffset now, LivenessState before)
    {
        if (contact > floor)
        {
            return Of(now - contact, interval);
        }

        // A week is not made longer by every minute that we stood still.
        if (interval > LongestCheckIn && now - floor > BundleGrace)
        {
            return Of(now - contact, interval);
        }

        var state = now - floor <= TimeSpan.FromSeconds(2.0 * interval) ? LivenessState.Online : Of(now - floor, interval);
        return before != LivenessState.Never && before > state ? before : state;
    }

    /// <summary>How long nothing was heard, as far as it counts; null of a site that hands in bundles while the next one is not due.</summary>
    public static TimeSpan? Silence(DateTimeOffset contact, int interval, IntakeClock? clock, DateTimeOffset now)
    {
        if (interval > LongestCheckIn)
        {
            return now - contact > TimeSpan.FromSeconds(interval) ? now - contact - TimeSpan.FromSeconds(interval) : null;
        }

        var from = clock is not null && clock.FloorAt > contact ? clock.FloorAt : contact;
        var until = clock?.StalledSince ?? now;
        return until > from ? until - from : TimeSpan.Zero;
    }

    /// <summary>True when so many went missing at once that the cause is ours or the network's: more than 20 and more than 5 % of the fleet.</summary>
    public static bool IsMassOutage(int missingNow, int fleet) => missingNow > Math.Max(20, fleet * 0.05);

    /// <summary>
    /// True when more than 30 % fewer clusters are heard of in time than the samples before had in their median. Both their number and their
    /// share must have fallen: when many are suspended it is the number alone, when many are resumed or were silent already the share
    /// alone. Fewer than 20 clusters, or 5 samples, prove nothing.
    /// </summary>
    public static bool HasFallen(HeardOf now, IReadOnlyCollection<HeardOf> before) => before.Count >= LeastSamples
        && Median(before.Select(sample => sample.InTime)) is var usual && usual >= LeastHeard && now.InTime < usual * Fallen
        && Share(now) < Median(before.Select(Share)) * Fallen;

    /// <summary>The middle one; zero of none.</summary>
    public static T? Median<T>(IEnumerable<T> values) => values.Order().ToList() is { Count: > 0 } ordered ? ordered[ordered.Count / 2] : default;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static double Share(HeardOf sample) => sample.Known == 0 ? 0 : (double)sample.InTime / sample.Known;
}
