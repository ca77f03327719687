using System.CommandLine;
using MissionControl.Cli.Scan;

namespace MissionControl.Cli;

/// <summary>The command line of <c>mc</c>.</summary>
internal static class McCommand
{
    /// <summary>Wrong use, or something that is needed is missing or failed.</summary>
    public const int WrongUse = 2;

    public static RootCommand Create() => new("mc: Mission Control for those who operate it.") { ScanCommand.Create() };
}
