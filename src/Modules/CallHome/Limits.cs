namespace MissionControl.CallHome;

/// <summary>The door's limits on requests, told to clients by <c>ping</c>, by the header <c>MC-Limits</c> and in every 413.</summary>
internal static class Limits
{
    public const int CompressedBytes = 64 * 1024;
    public const int InflatedBytes = 512 * 1024;
    public const int UsageCompressedBytes = 1024 * 1024;
    public const int UsageInflatedBytes = 8 * 1024 * 1024;
    public const int Items = 500;
    public const int ItemBytes = 256 * 1024;
    public const int UsageItemBytes = 3 * 1024 * 1024;

    /// <summary>Sections that a check-in may name.</summary>
    public const int Sections = 20;

    /// <summary>Ranges that a check-in may declare dropped.</summary>
    public const int DroppedRanges = 500;

    /// <summary>How far above the highest number of the check-in a declared range may end: more than a year of a number a minute.</summary>
    public const long DroppedReach = 1_000_000;

    /// <summary>One line of a bundle, and so what a bundle takes of memory at once: room for a usage window of the largest size.</summary>
    public const int BundlePartBytes = 6 * 1024 * 1024;

    /// <summary>A whole bundle: more than the largest spool of an agent.</summary>
    public const long BundleBytes = 1024 * 1024 * 1024;

    /// <summary>Bundles read at once by a process.</summary>
    public const int BundlesAtOnce = 2;

    /// <summary>Refusals named in the answer to a bundle.</summary>
    public const int BundleRefusals = 1000;

    /// <summary>Inflated to compressed, checked once 64 KiB have been inflated.</summary>
    public const int Ratio = 100;

    public static string Header { get; } =
        $"compressed={CompressedBytes}; inflated={InflatedBytes}; usage-compressed={UsageCompressedBytes}; usage-inflated={UsageInflatedBytes}; items={Items}; bundle={BundleBytes}; bundle-part={BundlePartBytes}";
}
