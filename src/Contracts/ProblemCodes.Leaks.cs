namespace MissionControl.Contracts;

public static partial class ProblemCodes
{
    /// <summary>A scanner's report does not bear its signature, or not the shared secret.</summary>
    public static readonly ProblemCode ReportUnsigned = new("report-unsigned", 401, "The report is not from whom it says", true);

    /// <summary>The keys that scanners sign with cannot be had at present.</summary>
    public static readonly ProblemCode ScannerKeysUnavailable = new("scanner-keys-unavailable", 503, "The scanner's keys cannot be had at present", false);
}
