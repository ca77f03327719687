using System.Collections.Concurrent;
using System.Diagnostics;
using MissionControl.Platform.Data;

namespace MissionControl.Host;

/// <summary>
/// Runs the fleet simulator beside an embedded host, as its child: it enrols through the HTTP door with tokens like anybody. It ends
/// with the host, however that ends, because it reads a pipe that closes with it. Refuses, and stops the host, when there are customers
/// that are not of the demo.
/// </summary>
internal sealed partial class DemoFleet(HostSettings settings, Listeners listeners, DataDirectory data, IConfiguration configuration, IHostApplicationLifetime lifetime, ILogger<DemoFleet> logger) : BackgroundService
{
    private const int RefusedExitCode = 3;
    private const int LastLines = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!settings.Demo)
        {
            return;
        }

        var started = new TaskCompletionSource();
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        var start = new ProcessStartInfo(configuration["Demo:Simulator"]!) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in new[]
                 {
                     "--api", listeners.AddressOf("portal").ToString(), "--callhome", listeners.AddressOf("callhome").ToString(), "--ca", data.PathOf(Certificates.CaFile),
                     "--token-file", data.PathOf("admin.token"), "--state", data.PathOf("demo/state"), "--with-this-machine", "--until-stdin-closes",
                 })
        {
            start.ArgumentList.Add(argument);
        }

        var output = new ConcurrentQueue<string>();
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(output, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            // Not our own token: services stop one after another, and the simulator must not wait for the listeners to drain.
            await process.WaitForExitAsync(lifetime.ApplicationStopping);
            LogEnded(logger, process.ExitCode, string.Join('\n', output));
            if (process.ExitCode == RefusedExitCode)
            {
                Environment.ExitCode = 2;
                lifetime.StopApplication();
            }
        }
        catch (OperationCanceledException)
        {
            await StopAsync(process);
        }
    }

    private static async Task StopAsync(Process process)
    {
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static void Keep(ConcurrentQueue<string> output, string? line)
    {
        if (line is not null)
        {
            output.Enqueue(line);
            if (output.Count > LastLines)
            {
                output.TryDequeue(out _);
            }
        }
    }

    [LoggerMessage(3001, LogLevel.Warning, "The demo fleet ended with exit code {ExitCode}: {Output}")]
    private static partial void LogEnded(ILogger logger, int exitCode, string output);
}
