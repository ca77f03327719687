namespace MissionControl.ClusterAgent.CallHome;

/// <summary>How many of the last calls failed, which its health says: about a quarter of an hour of them, at one a minute.</summary>
internal sealed class RecentFailures
{
    private const int Most = 15;
    private int calls;
    private int failed;

    /// <summary>Failed calls in per cent of all; null before the first.</summary>
    public double? Percent => calls == 0 ? null : 100.0 * failed / calls;

    /// <summary>Counts a call.</summary>
    public void Count(bool succeeded)
    {
        calls = Math.Min(calls + 1, Most);
        failed = Math.Clamp(failed + (succeeded ? -1 : 1), 0, calls);
    }
}
