using System.Diagnostics;
using System.Globalization;
using MissionControl.Benchmarks.Measuring;

namespace MissionControl.Benchmarks;

/// <summary>Runs the system test that kills the host under load, for as long as asked.</summary>
internal static class KillBenchmark
{
    public static async Task<bool> RunAsync(TimeSpan length)
    {
        var verdict = Verdict.Begin("kill", $"kill -9 of the embedded host under load and start over the same data, for {length.TotalMinutes:0.#} min; then everything acknowledged is compared with what events and ledger hold", "acknowledged after the commit: SQLite, WAL, synchronous=FULL");
        var tests = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "System.Tests", "release", "MissionControl.System.Tests.dll"));
        if (!File.Exists(tests))
        {
            Console.Error.WriteLine($"Build the system tests first: {tests} is not there.");
            return false;
        }

        var start = new ProcessStartInfo("dotnet", [tests, "--no-ansi", "--no-progress", "--output", "Detailed", "--filter-method", "*Whatever_was_acknowledged_before_kill_9*"]) { RedirectStandardOutput = true };
        start.Environment["MC_TEST_KILL_SECONDS"] = length.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        start.Environment.Remove("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS");
        start.Environment.Remove("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT");
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        var said = output.Split('\n').FirstOrDefault(line => line.Contains("rounds of kill -9", StringComparison.Ordinal))?.Trim() ?? output;
        Verdict.Note(said);
        verdict.Holds("nothing acknowledged was lost, nothing counted twice", process.ExitCode == 0);
        return verdict.Passed;
    }
}
