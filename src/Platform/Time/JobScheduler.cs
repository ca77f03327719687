using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using Quartz;

namespace MissionControl.Platform.Time;

/// <summary>
/// Quartz says when, in memory and in every replica; who runs it and what became of it stands in <c>{module}_job_run</c>. At the
/// start each job that missed its last instants is named and run once for the newest of them.
/// </summary>
internal sealed partial class JobScheduler(ISchedulerFactory factory, IEnumerable<Job> jobs, JobRunner runner, IServiceScopeFactory scopes, TimeProvider time, ILogger<JobScheduler> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var scheduler = await factory.GetScheduler(stoppingToken);
        try
        {
            foreach (var job in jobs)
            {
                var trigger = TriggerBuilder.Create(time).WithCronSchedule(job.Schedule, cron => cron.InTimeZone(TimeZoneInfo.Utc).WithMisfireInstruction(CronTriggerMisfireInstruction.DoNothing)).Build();
                await scheduler.ScheduleJob(JobBuilder.Create<Fire>().WithIdentity(job.Name).Build(), trigger, cancellationToken: stoppingToken);
            }

            await scheduler.Start(stoppingToken);
            foreach (var job in jobs)
            {
                await MakeUpAsync(job, stoppingToken);
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, time, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            await scheduler.Shutdown(waitForJobsToComplete: true, CancellationToken.None);
        }
    }

    /// <summary>The scheduled instants after the newest run that have passed, oldest and newest; null when none has, or nothing ever ran.</summary>
    internal static (DateTimeOffset First, DateTimeOffset Last, int Count)? Missed(Job job, DateTimeOffset? newest, DateTimeOffset now)
    {
        var cron = new CronExpression(job.Schedule, TimeZoneInfo.Utc);
        (DateTimeOffset First, DateTimeOffset Last, int Count)? missed = null;
        for (var instant = newest is null ? null : cron.GetNextValidTimeAfter(newest.Value); instant <= now && missed is not { Count: >= 1000 }; instant = cron.GetNextValidTimeAfter(instant.Value))
        {
            missed = (missed?.First ?? instant.Value, instant.Value, (missed?.Count ?? 0) + 1);
        }

        return missed;
    }

    private async Task MakeUpAsync(Job job, CancellationToken cancellationToken)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            var newest = await db.JobRuns(job.Module).AsNoTracking().Where(row => row.Job == job.Name).MaxAsync(row => (DateTimeOffset?)row.ScheduledAt, cancellationToken);
            if (Missed(job, newest, time.GetUtcNow()) is { } missed)
            {
                LogMissed(logger, job.Name, missed.Count, missed.First, missed.Last);
                await runner.RunAsync(job, missed.Last, cancellationToken);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogMakeUpFailed(logger, exception, job.Name);
        }
    }

    /// <summary>Has a job run that somebody asked for; the scheduler waits for it when the process stops, as for every other.</summary>
    internal static Task FireAskedAsync(IScheduler scheduler, Job job, DateTimeOffset askedAt) => scheduler.TriggerJob(new JobKey(job.Name), new JobDataMap { [Fire.AskedAt] = askedAt.ToUnixTimeMilliseconds() }).AsTask();

    [LoggerMessage(126, LogLevel.Warning, "Job {Job} missed {Count} runs between {First} and {Last}; it is run now")]
    private static partial void LogMissed(ILogger logger, string job, int count, DateTimeOffset first, DateTimeOffset last);

    [LoggerMessage(127, LogLevel.Error, "Whether job {Job} missed runs could not be found out")]
    private static partial void LogMakeUpFailed(ILogger logger, Exception exception, string job);

    /// <summary>What Quartz makes at every instant; which job it is for stands in its key.</summary>
    internal sealed class Fire(JobRunner runner, IEnumerable<Job> jobs) : IJob
    {
        /// <summary>When somebody asked for the run; absent when the clock did.</summary>
        public const string AskedAt = "asked-at";

        public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            var job = jobs.Single(job => job.Name == context.JobDetail.Key.Name);
            if (context.MergedJobDataMap.TryGetValue(AskedAt, out var askedAt) && askedAt is long instant)
            {
                await runner.RunAskedAsync(job, DateTimeOffset.FromUnixTimeMilliseconds(instant), cancellationToken);
            }
            else
            {
                await runner.RunAsync(job, context.ScheduledFireTimeUtc ?? context.FireTimeUtc, cancellationToken);
            }
        }
    }
}
