using System.Diagnostics.Metrics;

namespace MissionControl.Audit.ClusterLogs;

/// <summary>How often this process has found that the logs of clusters and of their customers do not fit, for who is to be woken. There from the start, since what is missing at first does not increase.</summary>
internal sealed class ClusterLogFindings : IDisposable
{
    private readonly Meter meter = new("MissionControl.Audit");
    private long refused;
    private long untaken;
    private long vendor;
    private long cluster;

    public ClusterLogFindings() => meter.CreateObservableCounter<long>(
        "missioncontrol.audit.cluster_log_findings",
        () => [Of("refused", ref refused), Of("untaken", ref untaken), Of("vendor", ref vendor), Of("cluster", ref cluster)],
        "{finding}",
        "What clusters' own logs show, as this process told it: refused, untaken, or missing on the side of the vendor or the cluster.");

    /// <summary>A cluster's log does not go on.</summary>
    public void Refused() => Interlocked.Increment(ref refused);

    /// <summary>What a cluster showed is none of its own.</summary>
    public void Untaken() => Interlocked.Increment(ref untaken);

    /// <summary>Something is missing on one side.</summary>
    public void Missing(string side) => Interlocked.Increment(ref (side == Unmatched.Vendor ? ref vendor : ref cluster));

    public void Dispose() => meter.Dispose();

    private static Measurement<long> Of(string kind, ref long count) => new(Interlocked.Read(ref count), new KeyValuePair<string, object?>("kind", kind));
}
