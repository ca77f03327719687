using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using Quartz;

namespace MissionControl.Platform.Time;

/// <summary>Runs of jobs that somebody asks for: written down first, in the transaction of the request, and begun once that is committed.</summary>
internal sealed partial class JobsNow(
    ControlPlaneDbContext db, CurrentPrincipal principal, IEvents events, ProcessIdentity process, ISchedulerFactory factory, JobRunner runner, TimeProvider time, ILogger<JobsNow> logger)
{
    /// <summary>Writes the run down for this process; null when the job is running.</summary>
    /// <param name="job">The job.</param>
    /// <param name="reason">Why, as the principal said.</param>
    /// <param name="isRunning">Looks whether it is running at that instant.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<JobRun?> AskAsync(Job job, string reason, Func<ControlPlaneDbContext, ProcessIdentity, DateTimeOffset, Task<bool>> isRunning, CancellationToken cancellationToken)
    {
        await using var own = await db.JoinWriteAsync(cancellationToken);

        // Whoever asks for the same job at the same moment, on whichever replica, waits here and then finds this run.
        var turn = $"{job.Name}.asked-for";
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(ModuleTablesModel.Leases(job.Module), ["name", "holder", "until", "version"], ["name"], [[turn, process.Instance, 0L, 1L]]), cancellationToken);
        await db.Dialect.LockRowsAsync(db, ModuleTablesModel.Leases(job.Module), ["name"], [[turn]], cancellationToken);
        var now = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        if (await isRunning(db, process, now))
        {
            return null;
        }

        var run = new JobRun { Job = job.Name, ScheduledAt = now, Replica = process.Instance, StartedAt = now, StartedBy = principal.Actor?.Id, Reason = reason };
        db.JobRuns(job.Module).Add(run);
        events.Audit(new AuditFact($"{job.Module}.job-started", AuditLog.Operator, "job", job.Name) { Reason = reason, Changes = [Change.Add("/scheduledAt", now)] });
        await db.SaveChangesAsync(cancellationToken);
        await own.CommitAsync(cancellationToken);

        return run;
    }

    /// <summary>Begins a run that was written down.</summary>
    public async Task FireAsync(Job job, DateTimeOffset askedAt)
    {
        try
        {
            await JobScheduler.FireAskedAsync(await factory.GetScheduler(CancellationToken.None), job, askedAt);
        }
        catch (SchedulerException exception)
        {
            // The process is starting or stopping. The run is ended, so that it can be asked for again.
            LogNotBegun(logger, exception, job.Name, askedAt);
            await runner.EndAskedAsync(job, askedAt, exception);
        }
    }

    [LoggerMessage(129, LogLevel.Warning, "Job {Job}, asked for at {AskedAt}, could not be begun")]
    private static partial void LogNotBegun(ILogger logger, Exception exception, string job, DateTimeOffset askedAt);
}
