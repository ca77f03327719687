using MissionControl.Audit.Witnesses;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit;

/// <summary>Settings of the role, section <c>Audit</c>.</summary>
internal sealed class AuditOptions
{
    public static readonly TimeSpan ShortestEpoch = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestEpoch = TimeSpan.FromHours(1);

    public static readonly TimeSpan ShortestGap = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan LongestGap = TimeSpan.FromDays(1);

    /// <summary>Whoever verifies once a month has seen every entry.</summary>
    public const int ShortestRetention = 30;
    public const int LongestRetention = 36_500;

    /// <summary>How often the heads of all logs are bound together in the anchor.</summary>
    public TimeSpan Epoch { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The file that remembers, outside the database, what was signed; null: <c>audit/heads</c> in the data directory.</summary>
    public string? GuardPath { get; init; }

    /// <summary>Nothing is appended or signed while the database would let append-only tables be changed.</summary>
    public bool Strict { get; init; } = true;

    /// <summary>How long a number of a producer is missing before the log of the fleet says so: longer than messages are on their way.</summary>
    public TimeSpan GapAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long what a cluster's own log says is missing in its customer's, or the other way round, before the latter says so.</summary>
    public TimeSpan ReconcileAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How many witnesses are asked to see the anchor in every epoch.</summary>
    public int WitnessQuorum { get; init; } = 3;

    /// <summary>Witnesses besides the clusters; they are shown the anchor.</summary>
    public IReadOnlyList<OutsideWitness> Witnesses { get; init; } = [];

    /// <summary>Networks (CIDR) besides the public internet in which these may be.</summary>
    public IReadOnlyList<string> AllowedNetworks { get; init; } = [];

    /// <summary>PEM of certificate authorities that are trusted besides the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>How many entries a bundle has at most.</summary>
    public int BundleEntries { get; init; } = 100_000;

    /// <summary>How many days old an entry is at least before it may be pruned; null: none ever is. It holds once the log of the fleet says it.</summary>
    public int? RetentionDays { get; init; }

    /// <summary>Whether all of it can be done.</summary>
    public bool IsValid => Epoch >= ShortestEpoch && Epoch <= LongestEpoch && BundleEntries is >= TileId.FullWidth and <= 1_000_000 && GapAfter >= ShortestGap && GapAfter <= LongestGap && ReconcileAfter >= TimeSpan.FromMinutes(1) && ReconcileAfter <= TimeSpan.FromDays(1) && WitnessQuorum is >= 1 and <= 20 && RetentionDays is null or (>= ShortestRetention and <= LongestRetention);
}
