using System.Diagnostics;

namespace MissionControl.Testing;

/// <summary>The real executable, run as an operator runs it.</summary>
public static class HostCommand
{
    /// <summary>Runs a command of <c>missioncontrol</c> to its end.</summary>
    /// <returns>What it wrote to both outputs.</returns>
    /// <exception cref="InvalidOperationException">It ended with another exit code.</exception>
    public static async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "missioncontrol")) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var said = string.Concat(await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()));
        await process.WaitForExitAsync();
        return process.ExitCode == expected ? said : throw new InvalidOperationException($"Exit code {process.ExitCode}, not {expected}: {said}");
    }
}
