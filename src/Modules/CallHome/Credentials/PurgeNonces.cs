using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.CallHome.Credentials;

/// <summary>Forgets used nonces that have expired, and so are refused anyway.</summary>
internal sealed class PurgeNonces(TimeProvider time) : Sweeper("callhome.purge-nonces", "callhome", TimeSpan.FromMinutes(1))
{
    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await db.Set<UsedNonce>().Where(row => row.ExpiresAt < now).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
