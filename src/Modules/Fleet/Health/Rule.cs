using System.Globalization;

namespace MissionControl.Fleet.Health;

/// <summary>How well something is; a higher value is worse, and unknown is never taken for green.</summary>
internal enum HealthStatus
{
    Green,
    Unknown,
    Yellow,
    Red,
}

/// <summary>A health rule as data: what is compared with what and for how long, what follows from it, and what to do.</summary>
/// <param name="Id">Stable id.</param>
/// <param name="Version">Rises with every change of thresholds or words.</param>
/// <param name="Signal">What is measured.</param>
/// <param name="Unit">Unit of value and thresholds.</param>
/// <param name="Warning">Yellow from here.</param>
/// <param name="Critical">Red from here.</param>
/// <param name="FallingIsBad">True when lower values are worse.</param>
/// <param name="Good">The sentence while it is green: {0} the value, {1} the node, {2} the part, {3} further words.</param>
/// <param name="Bad">The sentence otherwise.</param>
/// <param name="Impact">What it leads to.</param>
/// <param name="Cause">The usual cause.</param>
/// <param name="Action">What to do.</param>
internal sealed record Rule(
    string Id, int Version, string Signal, string Unit, double? Warning, double? Critical, bool FallingIsBad, string Good, string Bad, string Impact, string Cause, string Action)
{
    /// <summary>How long the warning threshold must have been passed. Counts from the last time it was not.</summary>
    public TimeSpan WarningFor { get; init; }

    /// <summary>How long the critical threshold must have been passed.</summary>
    public TimeSpan CriticalFor { get; init; }

    /// <summary>How far the value must come back beyond a threshold before the state does: what swings around a threshold does not flap.</summary>
    public double Margin { get; init; }

    /// <summary>Whether it colours the cluster. What does not is shown and judged all the same.</summary>
    public bool Colours { get; init; } = true;

    /// <summary>While somebody works on the cluster it does not colour it.</summary>
    public bool RestsInMaintenance { get; init; }

    /// <summary>Judged by what is known here besides the cluster's own message.</summary>
    public bool IsOurs { get; init; }

    /// <summary>Whether the value has passed a threshold; <paramref name="held"/> when it had before.</summary>
    public bool Reaches(double value, double? threshold, bool held) =>
        threshold is { } limit && (FallingIsBad ? value <= limit + (held ? Margin : 0) : value >= limit - (held ? Margin : 0));

    /// <summary>What is so, in a sentence.</summary>
    public string Sentence(bool good, double value, string? node, string? part, string? detail) =>
        string.Format(CultureInfo.InvariantCulture, good ? Good : Bad, value, node, part, detail);

    public static string Word(HealthStatus status) => status switch
    {
        HealthStatus.Green => "green",
        HealthStatus.Yellow => "yellow",
        HealthStatus.Red => "red",
        _ => "unknown",
    };
}
