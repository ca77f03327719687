using System.Globalization;
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

/// <summary><c>/api/v1/{role}/jobs</c> and <c>/api/v1/{role}/job-runs</c>: what a role does by the clock, and how it went.</summary>
public static class JobsApi
{
    /// <summary>A run without an end that is older than this was cut off.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromHours(1);

    /// <summary>Maps the routes onto a module's group.</summary>
    public static void MapJobs(this IEndpointRouteBuilder api, string module)
    {
        api.MapGet("/jobs", (ControlPlaneDbContext db, IEnumerable<Job> jobs, ProcessIdentity process, TimeProvider time, CancellationToken cancellationToken) => ListAsync(module, db, jobs, process, time, cancellationToken))
            .RequireScope("system:read").WithName($"ListJobs-{module}").WithSummary("Jobs with schedule and newest run").Produces<Page<JobItem>>();
        api.MapGet("/job-runs", (ControlPlaneDbContext db, ProcessIdentity process, TimeProvider time, string? job, int? limit, string? cursor, CancellationToken cancellationToken) => RunsAsync(module, db, process, time, job, limit, cursor, cancellationToken))
            .RequireScope("system:read").WithName($"ListJobRuns-{module}").WithSummary("Runs of jobs, newest first").Produces<Page<JobRunItem>>();
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

    private static async Task<IResult> RunsAsync(string module, ControlPlaneDbContext db, ProcessIdentity process, TimeProvider time, string? job, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        var take = Math.Clamp(limit ?? 50, 1, 500);
        var query = Runs(db, module);
        query = job is null ? query : query.Where(row => row.Job == job);
        if (cursor is not null)
        {
            if (!Cursors.TryDecode(cursor, out var parts) || parts.Length != 2 || !Cursors.TryInstant(parts[0], out var at))
            {
                return Problems.Of(ProblemCodes.Malformed, "The cursor is not one of ours; begin again without it.");
            }

            var after = parts[1];
            query = query.Where(row => row.ScheduledAt < at || (row.ScheduledAt == at && string.Compare(row.Job, after) > 0));
        }

        var rows = await query.OrderByDescending(row => row.ScheduledAt).ThenBy(row => row.Job).Take(take + 1).ToListAsync(cancellationToken);
        var now = time.GetUtcNow();
        string? next = null;
        if (rows.Count > take)
        {
            var filter = new QueryString().Add("limit", take.ToString(CultureInfo.InvariantCulture));
            filter = job is null ? filter : filter.Add("job", job);
            next = $"/api/v1/{module}/job-runs{filter.Add("cursor", Cursors.Encode(rows[take - 1].ScheduledAt.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture), rows[take - 1].Job))}";
        }

        return TypedResults.Ok(new Page<JobRunItem>([.. rows.Take(take).Select(row => Item(row, process, now))], next));
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
