using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.Platform.Messaging;

/// <summary>Tries a module's parked messages again when they are due.</summary>
internal sealed class ParkedMessageSweeper(string module, HandlerRegistry handlers, HandlerRunner runner, TimeProvider time)
    : Sweeper($"{module}.retry-parked-messages", module, TimeSpan.FromSeconds(2))
{
    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        var beyond = now + IDatabaseDialect.LongestWait;
        var due = await db.ParkedMessages(Module).AsNoTracking()
            .Where(row => row.State == ParkedState.Retrying && (row.NextAttemptAt <= now || row.NextAttemptAt > beyond))
            .OrderBy(row => row.NextAttemptAt).Take(50).ToListAsync(cancellationToken);
        foreach (var row in due)
        {
            // A consumer that this version no longer has keeps its messages; they stay visible and are never dropped.
            if (handlers.Bindings.FirstOrDefault(binding => binding.Name == row.Consumer) is { } binding)
            {
                await runner.RetryAsync(binding, row, cancellationToken);
            }
        }
    }
}
