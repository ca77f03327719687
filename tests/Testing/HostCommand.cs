using System.Diagnostics;

namespace MissionControl.Testing;

/// <summary>The real executable, run as an operator runs it.</summary>
public static class HostCommand
{
    // A command that goes on where it should refuse fails its test by the exit code of a kill.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>The executable: the one in <c>MC_TEST_HOST</c>, compiled ahead of time as the image ships it, or the one that was built beside the tests.</summary>
    public static string Program { get; } = Environment.GetEnvironmentVariable("MC_TEST_HOST") is { Length: > 0 } given ? given : Path.Combine(AppContext.BaseDirectory, "missioncontrol");

    /// <summary>Runs a command of <c>missioncontrol</c> to its end.</summary>
    /// <returns>What it wrote to both outputs.</returns>
    /// <exception cref="InvalidOperationException">It ended with another exit code.</exception>
    public static async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        using var patience = new CancellationTokenSource(Patience);
        await using var impatience = patience.Token.Register(() => process.Kill());
        var said = string.Concat(await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()));
        await process.WaitForExitAsync();
        return process.ExitCode == expected ? said : throw new InvalidOperationException($"Exit code {process.ExitCode}, not {expected}: {said}");
    }
}
