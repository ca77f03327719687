namespace MissionControl.Audit.Anchor;

/// <summary>Settings of the role, section <c>Audit</c>.</summary>
internal sealed class AuditOptions
{
    public static readonly TimeSpan ShortestEpoch = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan LongestEpoch = TimeSpan.FromHours(1);

    /// <summary>How often the heads of all logs are bound together in the anchor.</summary>
    public TimeSpan Epoch { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether all of it can be done.</summary>
    public bool IsValid => Epoch >= ShortestEpoch && Epoch <= LongestEpoch;
}
