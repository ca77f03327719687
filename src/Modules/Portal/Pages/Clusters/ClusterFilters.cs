namespace MissionControl.Portal.Pages.Clusters;

/// <summary>The parameters that the lists about clusters take from their address.</summary>
internal static class ClusterFilters
{
    /// <summary>Those of the list of clusters.</summary>
    public static readonly IReadOnlyCollection<string> Clusters = ["q", "health", "liveness", "state", "rule", "silentFor", "customer", "version", "region", "sort", "limit", "cursor"];

    /// <summary>Those of a cluster's events.</summary>
    public static readonly IReadOnlyCollection<string> Events = ["q", "severity", "origin", "sort", "limit", "cursor"];
}
