using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using Quartz;

namespace MissionControl.Platform.Time;

/// <summary><c>/api/v1/{role}/jobs</c> and <c>/api/v1/{role}/job-runs</c>: what a role does by the clock, and how it went.</summary>
public static class JobsApi
{
    /// <summary>A run without an end that is older than this was cut off.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromHours(1);

    private static readonly ListOrders<JobRun> Orders = new ListOrders<JobRun>("-scheduledAt").By("scheduledAt", row => row.ScheduledAt, row => row.Job).By("job", row => row.Job, row => row.ScheduledAt);

    /// <summary>Maps the routes onto a module's group.</summary>
    public static void MapJobs(this IEndpointRouteBuilder api, string module)
    {
        api.MapGet("/jobs", (ControlPlaneDbContext db, IEnumerable<Job> jobs, ProcessIdentity process, TimeProvider time, CancellationToken cancellationToken) => ListAsync(module, db, jobs, process, time, cancellationToken))
            .RequireScope("system:read").WithName($"ListJobs-{module}").WithSummary("Jobs with schedule and newest run").Produces<Page<JobItem>>();
        api.MapGet("/job-runs", (ControlPlaneDbContext db, ProcessIdentity process, TimeProvider time, [AsParameters] ListQuery list, string? job, CancellationToken cancellationToken) => RunsAsync(module, db, process, time, list, job, cancellationToken))
            .RequireScope("system:read").WithName($"ListJobRuns-{module}").WithSummary("Runs of jobs, newest first").Produces<Page<JobRunItem>>().SortedBy(Orders);
    }

    private static async Task<IResult> ListAsync(string module, ControlPlaneDbContext db, IEnumerable<Job> jobs, ProcessIdentity process, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var newest = await Runs(db, module).GroupBy(row => row.Job).Select(runs => new { Job = runs.Key, At = runs.Max(row => row.ScheduledAt) }).ToListAsync(cancellationToken);
        var items = new List<JobItem>();
        foreach (var job in jobs.Where(job => job.Module == module).OrderBy(job => job.Name, StringComparer.Ordinal))
        {
            var last = newest.Find(run => run.Job == job.Name)?.At is { } at
                ? await Runs(db, module).SingleOrDefaultAsync(row => row.Job == job.Name && row.ScheduledAt == at, cancellationToken)
                : null;
            var next = new CronExpression(job.Schedule, TimeZoneInfo.Utc).GetNextValidTimeAfter(now);
            items.Add(new JobItem(job.Name, job.Summary, job.Schedule, next, last is null ? null : Item(last, process, now)));
        }

        return TypedResults.Ok(new Page<JobItem>(items, null, items.Count));
    }

    private static async Task<IResult> RunsAsync(string module, ControlPlaneDbContext db, ProcessIdentity process, TimeProvider time, ListQuery list, string? job, CancellationToken cancellationToken)
    {
        var (query, now) = (Runs(db, module), time.GetUtcNow());
        return await Orders.PageAsync(list, job is null ? query : query.Where(row => row.Job == job), row => Item(row, process, now), cancellationToken);
    }

    // What happened once and for all, such as the first start, is no job.
    private static IQueryable<JobRun> Runs(ControlPlaneDbContext db, string module) => db.JobRuns(module).AsNoTracking().Where(row => row.ScheduledAt > DateTimeOffset.UnixEpoch);

    private static JobRunItem Item(JobRun row, ProcessIdentity process, DateTimeOffset now)
    {
        var state = row.EndedAt is not null
            ? row.Outcome?.StartsWith(JobRunner.FailedPrefix, StringComparison.Ordinal) == true ? "failed" : "succeeded"
            : row.Replica == process.Instance || now - row.StartedAt < LongestRun ? "running" : "interrupted";
        return new JobRunItem(row.Job, row.ScheduledAt, row.StartedAt, row.EndedAt, state, row.Replica, row.Outcome);
    }
}
