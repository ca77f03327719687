namespace MissionControl.Cli;

/// <summary>Something hinders a command. Its sentence says what, and what to do.</summary>
/// <param name="message">The sentence.</param>
/// <param name="exitCode">What the command ends with.</param>
internal sealed class CommandFailure(string message, int exitCode = McCommand.WrongUse) : Exception(message)
{
    public int ExitCode => exitCode;
}
