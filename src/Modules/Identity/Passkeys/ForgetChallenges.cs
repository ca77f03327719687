using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Identity.Devices;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.Identity.Passkeys;

/// <summary>Deletes questions that nobody answered in time: anybody may ask, so that they must not pile up until the day's purge.</summary>
internal sealed class ForgetChallenges(TimeProvider time) : Sweeper("identity.forget-challenges", "identity", TimeSpan.FromSeconds(15))
{
    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        if (await db.Set<Challenge>().AnyAsync(row => row.ExpiresAt < now, cancellationToken) || await db.Set<DeviceAttempt>().AnyAsync(row => row.ExpiresAt < now, cancellationToken))
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Set<Challenge>().Where(row => row.ExpiresAt < now).ExecuteDeleteAsync(cancellationToken);
            await db.Set<DeviceAttempt>().Where(row => row.ExpiresAt < now).ExecuteDeleteAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }
}
