using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Host.Commands;
using Xunit;

namespace MissionControl.Security.Tests.Days;

public sealed class BrokenPartTests
{
    [Fact]
    public async Task A_part_that_fails_ends_the_process_and_is_named_and_one_that_is_asked_to_stop_is_not()
    {
        Assert.Contains($"{typeof(Breaking).FullName} failed", await OutcomeAsync<Breaking>(), StringComparison.Ordinal);
        Assert.Contains("the disk is gone", await OutcomeAsync<Breaking>(), StringComparison.Ordinal);
        Assert.Contains($"{typeof(TimingOut).FullName} failed", await OutcomeAsync<TimingOut>(), StringComparison.Ordinal);
        Assert.Null(await OutcomeAsync<Stopping>());
    }

    private static async Task<string?> OutcomeAsync<T>()
        where T : BackgroundService
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddHostedService<T>();
        using var host = builder.Build();
        string? failed = null;
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() => failed = RunCommand.Failed(host.Services));
        await host.RunAsync();
        return failed;
    }

    private sealed class Breaking : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new IOException("the disk is gone");
        }
    }

    private sealed class TimingOut : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new TaskCanceledException("the database did not answer");
        }
    }

    private sealed class Stopping(IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            lifetime.StopApplication();
            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }
}
