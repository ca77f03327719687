using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Time;

/// <summary>Work that one replica at a time repeats. What it does must be safe to do twice: a lease can lapse under a slow holder.</summary>
/// <param name="name"><c>{module}.{effect}</c>; name of the lease.</param>
/// <param name="module">The module whose tables it works on.</param>
/// <param name="interval">Pause between two runs.</param>
public abstract class Sweeper(string name, string module, TimeSpan interval)
{
    /// <summary>Name of the lease.</summary>
    public string Name => name;

    /// <summary>The module it belongs to.</summary>
    public string Module => module;

    /// <summary>Pause between two runs.</summary>
    public TimeSpan Interval => interval;

    /// <summary>One run, in a service scope of its own with the module entered.</summary>
    public abstract Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken);
}

/// <summary>Runs every registered sweeper while this process holds its lease.</summary>
internal sealed partial class SweeperHost(
    IEnumerable<Sweeper> sweepers, IServiceScopeFactory scopes, ProcessIdentity process, TimeProvider time, ILogger<SweeperHost> logger) : BackgroundService
{
    private static readonly TimeSpan LeaseTerm = TimeSpan.FromSeconds(15);

    /// <summary>A term and how far the clocks of replicas may be apart; a lease beyond it was written by a clock since put back.</summary>
    private static readonly TimeSpan MaxTerm = TimeSpan.FromMinutes(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(sweepers.Select(sweeper => Task.Run(() => LoopAsync(sweeper, stoppingToken), stoppingToken)));

    private async Task LoopAsync(Sweeper sweeper, CancellationToken cancellationToken)
    {
        var heldUntil = DateTimeOffset.MinValue;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                // Longer than a term is a lease of a clock since put back.
                var left = heldUntil - time.GetUtcNow();
                if (left < LeaseTerm / 2 || left > LeaseTerm)
                {
                    heldUntil = await TryLeaseAsync(sweeper, cancellationToken);
                }

                if (heldUntil > time.GetUtcNow())
                {
                    await using var scope = scopes.CreateAsyncScope();
                    scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(sweeper.Module);
                    await sweeper.RunAsync(scope.ServiceProvider, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                LogFailed(logger, exception, sweeper.Name);
            }

            try
            {
                await Task.Delay(sweeper.Interval, time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task<DateTimeOffset> TryLeaseAsync(Sweeper sweeper, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var now = time.GetUtcNow();
        var until = now + LeaseTerm;
        var lease = await db.Leases(sweeper.Module).SingleOrDefaultAsync(row => row.Name == sweeper.Name, cancellationToken);
        if (lease is null)
        {
            db.Leases(sweeper.Module).Add(new Lease { Name = sweeper.Name, Holder = process.Instance, Until = until, Version = 1 });
        }
        else if (lease.Holder == process.Instance || lease.Until <= now || lease.Until > now + MaxTerm)
        {
            lease.Holder = process.Instance;
            lease.Until = until;
            lease.Version++;
        }
        else
        {
            return DateTimeOffset.MinValue;
        }

        try
        {
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return until;
        }
        catch (DbUpdateException)
        {
            // Another replica took it between our read and our write.
            return DateTimeOffset.MinValue;
        }
    }

    [LoggerMessage(120, LogLevel.Error, "Sweeper {Name} failed; it runs again after its interval")]
    private static partial void LogFailed(ILogger logger, Exception exception, string name);
}
