using System.ComponentModel.DataAnnotations;

namespace MissionControl.CallHome;

/// <summary>Settings of the role, section <c>CallHome</c>.</summary>
internal sealed class CallHomeOptions
{
    /// <summary>Check-in interval handed to clusters while the server is not under load, in seconds.</summary>
    [Range(30, 3600)]
    public int IntervalSeconds { get; init; } = 60;

    /// <summary>Spread of the interval, in percent.</summary>
    [Range(0, 50)]
    public int JitterPercent { get; init; } = 10;

    /// <summary>Within how many days a site without a connection is expected to hand in its next bundle.</summary>
    [Range(1, 31)]
    public int BundleDays { get; init; } = 7;

    /// <summary>Enrolments accepted per second, so that a fleet that enrols at once does not starve check-ins.</summary>
    [Range(1, 100_000)]
    public int EnrollmentsPerSecond { get; init; } = 10;

    /// <summary>Items and check-ins of one cluster that may come to one process at once: more than a full spool holds.</summary>
    [Range(1, 10_000_000)]
    public int ItemsAtOnce { get; init; } = 25_000;

    /// <summary>Items and check-ins of one cluster that each process takes per second in the long run; a healthy agent needs one in twenty seconds.</summary>
    [Range(1, 1_000_000)]
    public int ItemsPerSecond { get; init; } = 5;

    /// <summary>Key that seals access tokens, 32 bytes; shared by the replicas. Default: <c>keys/token-sealing.key</c> in the data directory.</summary>
    public string? SealingKeyFile { get; init; }

    /// <summary>The anchor document's envelope. Default: <c>keys/anchors.dsse</c> in the data directory, made at the first start.</summary>
    public string? AnchorsFile { get; init; }
}
