using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Guard;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;

namespace MissionControl.Audit.Entries;

/// <summary>
/// What an upgrade leaves to do: first the logs that are there are put into the index, then what was written before there were logs
/// into these. In steps, each a transaction of its own that knows how far it came, so that a process may die at any moment and two may
/// do it at once; entries that happen meanwhile go between the steps.
/// </summary>
internal sealed class CatchUp(AppendOnlyTest test, TimeProvider time) : Sweeper("audit.catch-up", "audit", TimeSpan.FromSeconds(5))
{
    // Less than the term of the lease, so that one replica does it and the other does not wait for its rows.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private bool done;

    // Of a batch that failed each row by itself, so that one does not keep the others.
    private int alone;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var (db, import, begun) = (scope.GetRequiredService<ControlPlaneDbContext>(), scope.GetRequiredService<ImportEntries>(), time.GetTimestamp());
        while (!done && test.Refusal is null && time.GetElapsedTime(begun) < Longest)
        {
            try
            {
                done = !await FillIndex.StepAsync(db, cancellationToken) && !await import.StepAsync(alone > 0 ? 1 : ImportEntries.Batch, cancellationToken);
                alone = Math.Max(0, alone - 1);
            }
            catch (Exception exception) when (alone == 0 && import.IsOfRows(exception))
            {
                alone = ImportEntries.Batch;
            }
        }
    }
}
