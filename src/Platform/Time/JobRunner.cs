using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Time;

/// <summary>Runs a fire of a job, once among all replicas, and writes down how it ended.</summary>
public sealed partial class JobRunner(IServiceScopeFactory scopes, ProcessIdentity process, TimeProvider time, ILogger<JobRunner> logger)
{
    private const int OutcomeLength = 1000;

    /// <summary>Runs the fire unless another replica has it; false when it has.</summary>
    public async Task<bool> RunAsync(Job job, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        if (!await TryClaimAsync(job, scheduledAt, cancellationToken))
        {
            return false;
        }

        await RunClaimedAsync(job, scheduledAt, cancellationToken);
        return true;
    }

    /// <summary>Runs what somebody asked for, if that was committed: its row is there, and this process is to run it.</summary>
    internal async Task RunAskedAsync(Job job, DateTimeOffset askedAt, CancellationToken cancellationToken)
    {
        await using (var scope = scopes.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            if (!await db.JobRuns(job.Module).AnyAsync(row => row.Job == job.Name && row.ScheduledAt == askedAt && row.Replica == process.Instance && row.EndedAt == null, cancellationToken))
            {
                return;
            }
        }

        await RunClaimedAsync(job, askedAt, cancellationToken);
    }

    /// <summary>Ends a run that somebody asked for and nothing could begin, if it was committed.</summary>
    internal async Task EndAskedAsync(Job job, DateTimeOffset askedAt, Exception why)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        if (await db.JobRuns(job.Module).SingleOrDefaultAsync(row => row.Job == job.Name && row.ScheduledAt == askedAt && row.EndedAt == null, CancellationToken.None) is { } row)
        {
            (row.EndedAt, row.Outcome) = (time.GetUtcNow(), $"{FailedPrefix}it could not be begun: {why.GetType().Name}");
            await db.SaveChangesAsync(CancellationToken.None);
        }
    }

    private async Task RunClaimedAsync(Job job, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        string outcome;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(job.Module);
            outcome = await job.RunAsync(scope.ServiceProvider, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, exception, job.Name, scheduledAt);
            outcome = $"{FailedPrefix}{exception.GetType().Name}: {exception.Message}";
        }

        await EndAsync(job, scheduledAt, outcome.Length <= OutcomeLength ? outcome : outcome[..OutcomeLength], cancellationToken);
    }

    /// <summary>How the outcome of a failed run begins.</summary>
    internal const string FailedPrefix = "Failed: ";

    private async Task<bool> TryClaimAsync(Job job, DateTimeOffset scheduledAt, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var row = new BulkRows(ModuleTablesModel.JobRuns(job.Module), ["job", "scheduled_at", "replica", "started_at"], ["job", "scheduled_at"],
            [[job.Name, scheduledAt.ToUnixTimeMilliseconds(), process.Instance, time.GetUtcNow().ToUnixTimeMilliseconds()]]);
        var won = await db.Dialect.InsertIfAbsentAsync(db, row, cancellationToken) == 1;
        await transaction.CommitAsync(cancellationToken);
        return won;
    }

    private async Task EndAsync(Job job, DateTimeOffset scheduledAt, string outcome, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var row = await db.JobRuns(job.Module).SingleAsync(row => row.Job == job.Name && row.ScheduledAt == scheduledAt, cancellationToken);
        row.EndedAt = time.GetUtcNow();
        row.Outcome = outcome;
        await db.SaveChangesAsync(cancellationToken);
    }

    [LoggerMessage(125, LogLevel.Error, "Job {Job}, due {ScheduledAt}, failed; it runs again at its next instant")]
    private static partial void LogFailed(ILogger logger, Exception exception, string job, DateTimeOffset scheduledAt);
}
