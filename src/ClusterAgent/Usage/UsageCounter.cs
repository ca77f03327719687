namespace MissionControl.ClusterAgent.Usage;

/// <summary>A counter of the product as read: it only grows, until it starts anew from zero.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Version">Version of the meter.</param>
/// <param name="Dimensions">Dimensions, such as <c>env</c>.</param>
/// <param name="Value">What was counted since <paramref name="StartedAt"/>; never negative, at most nine digits after the point.</param>
/// <param name="StartedAt">When it was last zero.</param>
public sealed record UsageCounter(string Meter, int Version, IReadOnlyDictionary<string, string> Dimensions, decimal Value, DateTimeOffset StartedAt);

/// <summary>All counters at one instant.</summary>
/// <param name="At">When they stood so, by the server's clock.</param>
/// <param name="Counters">All of them.</param>
public sealed record UsageReading(DateTimeOffset At, IReadOnlyList<UsageCounter> Counters);

/// <summary>Where usage comes from: the product's adapter, or a simulated cluster.</summary>
public interface IUsageSource
{
    /// <summary>All counters; null when they cannot be read, which is not the same as none.</summary>
    /// <param name="now">By the server's clock.</param>
    UsageReading? Read(DateTimeOffset now);

    /// <summary>Version of the product.</summary>
    string ProductVersion { get; }
}
