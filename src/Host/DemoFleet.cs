using System.Diagnostics;
using MissionControl.Platform.Data;

namespace MissionControl.Host;

/// <summary>
/// Runs the fleet simulator beside an embedded host, as its child: it enrols through the HTTP door with tokens like anybody. Refuses,
/// and stops the host, when there are customers that are not of the demo.
/// </summary>
internal sealed partial class DemoFleet(HostSettings settings, Listeners listeners, DataDirectory data, IConfiguration configuration, IHostApplicationLifetime lifetime, ILogger<DemoFleet> logger) : BackgroundService
{
    private const int RefusedExitCode = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!settings.Demo)
        {
            return;
        }

        var started = new TaskCompletionSource();
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);
        var simulator = configuration["Demo:Simulator"]!;
        var start = new ProcessStartInfo(simulator) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in new[]
                 {
                     "--api", listeners.AddressOf("portal").ToString(), "--callhome", listeners.AddressOf("callhome").ToString(), "--ca", data.PathOf(Certificates.CaFile),
                     "--token-file", data.PathOf("admin.token"), "--state", data.PathOf("demo/state"), "--with-this-machine",
                 })
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(stoppingToken);
            var error = await process.StandardError.ReadToEndAsync(stoppingToken);
            await process.WaitForExitAsync(stoppingToken);
            LogEnded(logger, process.ExitCode, error + await output);
            if (process.ExitCode == RefusedExitCode)
            {
                Environment.ExitCode = 2;
                lifetime.StopApplication();
            }
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
    }

    [LoggerMessage(3001, LogLevel.Warning, "The demo fleet ended with exit code {ExitCode}: {Output}")]
    private static partial void LogEnded(ILogger logger, int exitCode, string output);
}
