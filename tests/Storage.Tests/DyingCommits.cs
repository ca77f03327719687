using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace MissionControl.Storage.Tests;

/// <summary>What <see cref="DyingCommits"/> ends with.</summary>
internal sealed class DiedException : Exception;

/// <summary>A process that dies at a commit: before it, so that nothing of it is there, or after it, so that all is and nobody was told.</summary>
internal sealed class DyingCommits : DbTransactionInterceptor
{
    private int commits;

    public bool Armed { get; set; }

    public int Before { get; private set; }

    public int After { get; private set; }

    public override ValueTask<InterceptionResult> TransactionCommittingAsync(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        if (Armed && Interlocked.Increment(ref commits) % 3 == 1)
        {
            Before++;
            throw new DiedException();
        }

        return ValueTask.FromResult(result);
    }

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        if (Armed && commits % 3 == 2)
        {
            After++;
            throw new DiedException();
        }

        return Task.CompletedTask;
    }
}
