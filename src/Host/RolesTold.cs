using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
using MissionControl.Platform.Telemetry;

namespace MissionControl.Host;

/// <summary>
/// The process that holds every role is ready once they have been told what identity had to say when it started: else the token that a
/// first start writes opens nothing for a moment. A process of the distributed shape is ready by itself, whether identity runs or not.
/// </summary>
internal sealed class RolesTold(IServiceScopeFactory scopes, Readiness readiness, TimeProvider time) : BackgroundService
{
    private const string Condition = "roles";

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        readiness.Lacks(Condition, "The roles have not been told yet which tokens there are.");
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var began = time.GetUtcNow();
        while (await WaitsAsync(began, stoppingToken))
        {
            // By the machine's clock: how fast messages go is not a matter of the clock that this goes by.
            await Task.Delay(TimeSpan.FromMilliseconds(20), stoppingToken);
        }

        readiness.Has(Condition);
    }

    private async Task<bool> WaitsAsync(DateTimeOffset began, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Outbox("identity").AnyAsync(row => row.CreatedAt <= began, cancellationToken);
        }
        catch (DbException)
        {
            // Whatever is wrong with the database is said elsewhere, and ends.
            return true;
        }
    }
}
