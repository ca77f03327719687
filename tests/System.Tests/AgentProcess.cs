using System.Diagnostics;

namespace MissionControl.System.Tests;

/// <summary>The real <c>mc-agent</c> as a process.</summary>
internal static class AgentProcess
{
    public static async Task<(int ExitCode, string Output)> RunAsync(string? input, params string[] arguments)
    {
        using var process = Start(arguments);
        if (input is not null)
        {
            await process.StandardInput.WriteLineAsync(input);
        }

        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await error);
    }

    public static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "mc-agent")) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    /// <summary>Runs it until it has said a line that fits, then ends it as systemd would.</summary>
    public static async Task<string> RunUntilAsync(Func<string, bool> fits, params string[] arguments)
    {
        using var process = Start(arguments);
        var said = new List<string>();
        try
        {
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) is { } line)
            {
                said.Add(line);
                if (fits(line))
                {
                    return line;
                }
            }
        }
        finally
        {
            using var terminate = Process.Start("kill", ["-TERM", process.Id.ToString(global::System.Globalization.CultureInfo.InvariantCulture)]);
            await process.WaitForExitAsync();
        }

        throw new InvalidOperationException($"It ended without a fitting line: {string.Join('\n', said)}{await process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>A check-in that Mission Control took.</summary>
    public static bool Taken(string line) => line.Contains("\"taken\":true", StringComparison.Ordinal);
}
