namespace MissionControl.Cli.Scan;

/// <summary>Something could not be looked at. Its sentence says what, and what to do; a scan that left something out never says that all is well.</summary>
internal sealed class ScanFailure(string message) : Exception(message);
