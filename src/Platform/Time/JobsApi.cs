using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;
using Quartz;

namespace MissionControl.Platform.Time;

/// <summary><c>/api/v1/{role}/jobs</c> and <c>/api/v1/{role}/job-runs</c>: what a role does by the clock, how it went, and the button to run it now.</summary>
public static class JobsApi
{
    private const string Right = "system:write";

    /// <summary>A run without an end that is older than this was cut off.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromHours(1);

    private const string IsRunning = "It is running. A run that its process did not live to end counts as interrupted after an hour.";

    private static readonly ListOrders<JobRun> Orders = new ListOrders<JobRun>("-scheduledAt").By("scheduledAt", row => row.ScheduledAt, row => row.Job).By("job", row => row.Job, row => row.ScheduledAt);

    /// <summary>Maps the routes onto a module's group.</summary>
    public static void MapJobs(this IEndpointRouteBuilder api, string module)
    {
        api.MapGet("/jobs", (ClaimsPrincipal reader, ControlPlaneDbContext db, IEnumerable<Job> jobs, ProcessIdentity process, TimeProvider time, CancellationToken cancellationToken) => ListAsync(module, reader, db, jobs, process, time, cancellationToken))
            .RequireScope("system:read").WithName($"ListJobs-{module}").WithSummary("Jobs with schedule and newest run").Produces<Page<JobItem>>();
        api.MapGet("/job-runs", (ControlPlaneDbContext db, ProcessIdentity process, TimeProvider time, [AsParameters] ListQuery list, string? job, CancellationToken cancellationToken) => RunsAsync(module, db, process, time, list, job, cancellationToken))
            .RequireScope("system:read").WithName($"ListJobRuns-{module}").WithSummary("Runs of jobs, newest first").Produces<Page<JobRunItem>>().SortedBy(Orders);
        api.MapPost("/jobs/{name}/run", (string name, RunJobRequest request, HttpResponse response, ControlPlaneDbContext db, IEnumerable<Job> jobs, JobsNow now, CancellationToken cancellationToken) =>
                RunAsync(module, name, request, response, db, jobs, now, cancellationToken))
            .RequireScope(Right).WithName($"RunJob-{module}").WithSummary("Run a job now, besides its schedule, on the replica that takes the request").Produces<JobRunItem>(StatusCodes.Status202Accepted).AcceptIdempotencyKey();
    }

    private static async Task<IResult> ListAsync(string module, ClaimsPrincipal reader, ControlPlaneDbContext db, IEnumerable<Job> jobs, ProcessIdentity process, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return NotShown();
        }

        var now = time.GetUtcNow();
        var newest = await Runs(db, module).GroupBy(row => row.Job).Select(runs => new { Job = runs.Key, At = runs.Max(row => row.ScheduledAt) }).ToListAsync(cancellationToken);
        var running = await Running(db, module, process, now).Select(row => row.Job).ToListAsync(cancellationToken);
        var lacks = Scopes.Lacking(reader, Right);
        var items = new List<JobItem>();
        foreach (var job in jobs.Where(job => job.Module == module).OrderBy(job => job.Name, StringComparer.Ordinal))
        {
            var last = newest.Find(run => run.Job == job.Name)?.At is { } at
                ? await Runs(db, module).SingleOrDefaultAsync(row => row.Job == job.Name && row.ScheduledAt == at, cancellationToken)
                : null;
            var next = new CronExpression(job.Schedule, TimeZoneInfo.Utc).GetNextValidTimeAfter(now);
            items.Add(new JobItem(job.Name, job.Summary, job.Schedule, next, last is null ? null : Item(last, process, now), [Action(lacks ?? (running.Contains(job.Name) ? IsRunning : null))]));
        }

        return TypedResults.Ok(new Page<JobItem>(items, null, items.Count));
    }

    private static async Task<IResult> RunsAsync(string module, ControlPlaneDbContext db, ProcessIdentity process, TimeProvider time, ListQuery list, string? job, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return NotShown();
        }

        var (query, now) = (Runs(db, module), time.GetUtcNow());
        return await Orders.PageAsync(list, job is null ? query : query.Where(row => row.Job == job), row => Item(row, process, now), cancellationToken);
    }

    private static async Task<IResult> RunAsync(string module, string name, RunJobRequest request, HttpResponse response, ControlPlaneDbContext db, IEnumerable<Job> jobs, JobsNow now, CancellationToken cancellationToken)
    {
        if (!db.Scope.IsAll)
        {
            return Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor runs jobs.");
        }

        if (Reasons.Mistake(request.Reason, out var reason) is { } mistake)
        {
            return Problems.Invalid([mistake]);
        }

        if (jobs.FirstOrDefault(job => job.Module == module && job.Name == name) is not { } job)
        {
            return Problems.NotFound();
        }

        if (await now.AskAsync(job, reason, (db, process, at) => Running(db, module, process, at).AnyAsync(row => row.Job == name, cancellationToken), cancellationToken) is not { } run)
        {
            return Problems.Of(ProblemCodes.Conflict, IsRunning);
        }

        // After the answer, and so after the commit: an Idempotency-Key keeps the transaction open until then.
        response.OnCompleted(() => now.FireAsync(job, run.ScheduledAt));
        return TypedResults.Accepted($"/api/v1/{module}/job-runs?job={Uri.EscapeDataString(name)}", new JobRunItem(run.Job, run.ScheduledAt, run.StartedAt, null, "running", run.Replica, null, run.StartedBy, run.Reason));
    }

    // A run names hosts and the reasons that staff gave.
    private static IResult NotShown() => Problems.Of(ProblemCodes.ScopeMissing, "Only staff of the vendor sees jobs and their runs.");

    private static AllowedAction Action(string? hindrance) => new("run", hindrance is null, hindrance);

    /// <summary>Runs that have not ended, but for those whose process must have died.</summary>
    private static IQueryable<JobRun> Running(ControlPlaneDbContext db, string module, ProcessIdentity process, DateTimeOffset now)
    {
        var (begin, own) = (now - LongestRun, process.Instance);
        return Runs(db, module).Where(row => row.EndedAt == null && (row.Replica == own || row.StartedAt > begin));
    }

    // What happened once and for all, such as the first start, is no job.
    private static IQueryable<JobRun> Runs(ControlPlaneDbContext db, string module) => db.JobRuns(module).AsNoTracking().Where(row => row.ScheduledAt > DateTimeOffset.UnixEpoch);

    private static JobRunItem Item(JobRun row, ProcessIdentity process, DateTimeOffset now)
    {
        var state = row.EndedAt is not null
            ? row.Outcome?.StartsWith(JobRunner.FailedPrefix, StringComparison.Ordinal) == true ? "failed" : "succeeded"
            : row.Replica == process.Instance || now - row.StartedAt < LongestRun ? "running" : "interrupted";
        return new JobRunItem(row.Job, row.ScheduledAt, row.StartedAt, row.EndedAt, state, row.Replica, row.Outcome, row.StartedBy, row.Reason);
    }
}
