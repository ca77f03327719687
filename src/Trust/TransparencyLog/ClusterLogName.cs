using System.Globalization;

namespace MissionControl.Trust.TransparencyLog;

/// <summary>By what the checkpoints of a cluster's own log call it: its key as a witness, the cluster, and the epoch under which it was begun. Whoever begins anew begins another log.</summary>
public static class ClusterLogName
{
    /// <summary>The most entries that one has: levels 0 and 1 of tiles hold them.</summary>
    public const int MostEntries = 65_535;

    /// <summary>The origin of a log.</summary>
    /// <param name="publicKey">The witness's key, which signs it.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="epoch">The epoch.</param>
    public static string Of(ReadOnlySpan<byte> publicKey, Guid cluster, long epoch) => string.Create(CultureInfo.InvariantCulture, $"{WitnessRules.NameOf(publicKey)}/{cluster:N}/{epoch}");
}
