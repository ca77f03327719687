using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Platform.Tasks;

namespace MissionControl.Platform.Tests;

/// <summary>Leaves a row for each thing, a second one if it is done twice; refuses the seventh, fails at the ninth, and dies where it is told to.</summary>
internal sealed class CountingAction() : TaskAction("count", "updates", "updates:write")
{
    public const string Effect = "counted";

    public int DieAt { get; set; }

    /// <summary>The thing for which the database seems to be away, always.</summary>
    public int BusyAt { get; set; }

    public CancellationTokenSource? Dying { get; set; }

    public override Task<Func<CancellationToken, Task<string?>>> PrepareAsync(IServiceProvider scope, LongTask task, LongTaskItem item, CancellationToken cancellationToken) =>
        Task.FromResult<Func<CancellationToken, Task<string?>>>(token => ApplyAsync(scope, item, token));

    private async Task<string?> ApplyAsync(IServiceProvider scope, LongTaskItem item, CancellationToken cancellationToken)
    {
        if (item.Target == "7")
        {
            return "the seventh is not to be touched";
        }

        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Projections("updates").Add(new Projection { Kind = Effect, Id = Guid.CreateVersion7().ToString(), Version = 1, Body = item.Target });
        await db.SaveChangesAsync(cancellationToken);
        if (item.Number == BusyAt)
        {
            throw new SqliteException("database is locked", 5);
        }

        if (item.Number == DieAt)
        {
            await Dying!.CancelAsync();
            cancellationToken.ThrowIfCancellationRequested();
        }

        return item.Target == "9" ? throw new InvalidOperationException("the ninth cannot be done") : null;
    }
}
