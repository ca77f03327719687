using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.CallHome.Intake;

/// <summary>Sends the intake watermark every 5 s on the path of the items: not a sweeper, because every replica proves its own path.</summary>
internal sealed partial class Watermark(IServiceScopeFactory scopes, ProcessIdentity process, TimeProvider time, ILogger<Watermark> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5), time);
        do
        {
            try
            {
                await using var scope = scopes.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("callhome");
                var now = time.GetUtcNow();
                scope.ServiceProvider.GetRequiredService<IEvents>().Publish(new IntakeWatermark(process.Instance, now, now.ToUnixTimeMilliseconds()));
                await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().SaveChangesAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, exception);
            }
        }
        while (await timer.NextAsync(stoppingToken));
    }

    [LoggerMessage(1020, LogLevel.Warning, "The intake watermark could not be written; fleet will hold its deadlines")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
