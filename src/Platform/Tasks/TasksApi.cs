using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Platform;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Platform.Tasks;

/// <summary>
/// <c>/api/v1/{role}/tasks</c>: what a role does in the background for somebody. Whoever started a task sees it and may end it;
/// whoever may see the system sees all of them, within the customer that the token is bound to.
/// </summary>
public static class TasksApi
{
    private const string Cancel = "cancel";
    private const string RetryFailed = "retry-failed";
    private const string Retried = "They were tried again already, by a task of its own; what failed there can be tried again there.";

    /// <summary>The span over which the rate is counted.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private static readonly LongTaskItemState[] Failures = [LongTaskItemState.Failed, LongTaskItemState.Refused];

    // Ids are made in the order of time.
    private static readonly ListOrders<LongTask> Orders = new ListOrders<LongTask>("-startedAt").By("startedAt", row => row.Id).By("endedAt", row => row.EndedAt, row => row.Id);

    private static readonly ListOrders<LongTaskItem> ItemOrders = new ListOrders<LongTaskItem>("number").By("number", row => row.Number);

    /// <summary>Maps the routes onto a module's group.</summary>
    public static void MapTasks(this IEndpointRouteBuilder api, string module)
    {
        var tasks = api.MapGroup("/tasks").RequireAuthorization();
        tasks.MapGet("/", (HttpContext http, ControlPlaneDbContext db, IEnumerable<TaskAction> kinds, TimeProvider time, [AsParameters] ListQuery list, string? state, CancellationToken cancellationToken) => ListAsync(new Asked(module, http, db, kinds, time), list, state, cancellationToken))
            .WithName($"ListTasks-{module}").WithSummary("Long tasks, the newest first: your own, or all with system:read").Produces<Page<TaskSummary>>().SortedBy(Orders);
        tasks.MapGet("/{id:guid}", (Guid id, HttpContext http, ControlPlaneDbContext db, IEnumerable<TaskAction> kinds, TimeProvider time, CancellationToken cancellationToken) => GetAsync(new Asked(module, http, db, kinds, time), id, cancellationToken))
            .WithName($"GetTask-{module}").WithSummary("How far a task is").Produces<TaskSummary>();
        tasks.MapGet("/{id:guid}/items", (Guid id, HttpContext http, ControlPlaneDbContext db, IEnumerable<TaskAction> kinds, TimeProvider time, [AsParameters] ListQuery list, [FromQuery] string[]? state, CancellationToken cancellationToken) => ItemsAsync(new Asked(module, http, db, kinds, time), id, list, state ?? [], cancellationToken))
            .WithName($"ListTaskItems-{module}").WithSummary("What became of each thing of a task, and why").Produces<Page<TaskResult>>().SortedBy(ItemOrders);
        tasks.MapPost("/{id:guid}/cancel", (Guid id, HttpContext http, ControlPlaneDbContext db, IEnumerable<TaskAction> kinds, IEvents events, TimeProvider time, CancellationToken cancellationToken) => CancelAsync(new Asked(module, http, db, kinds, time), id, events, cancellationToken))
            .WithName($"CancelTask-{module}").WithSummary("End a task; what was done by then stays done").Produces<TaskSummary>();
        tasks.MapPost("/{id:guid}/retry-failed", (Guid id, HttpContext http, ControlPlaneDbContext db, IEnumerable<TaskAction> kinds, LongTasks start, TimeProvider time, CancellationToken cancellationToken) => RetryAsync(new Asked(module, http, db, kinds, time), id, start, cancellationToken))
            .WithName($"RetryTask-{module}").WithSummary("Try what failed or was refused again, as a task of its own").Produces<TaskSummary>(StatusCodes.Status202Accepted).AcceptIdempotencyKey();
    }

    /// <summary>202 with the task and its address.</summary>
    public static IResult Accepted(string module, LongTask task) =>
        TypedResults.Accepted($"/api/v1/{module}/tasks/{task.Id}", Summary(task, null, [new AllowedAction(Cancel, true, null), new AllowedAction(RetryFailed, false, "It is still running.")]));

    private static async Task<IResult> ListAsync(Asked asked, ListQuery list, string? state, CancellationToken cancellationToken)
    {
        var query = asked.Visible;
        if (state is not null)
        {
            if (!TryState<LongTaskState>(state, out var wanted))
            {
                return Problems.Of(ProblemCodes.Malformed, "state is running, completed, incomplete or cancelled.");
            }

            query = query.Where(row => row.State == wanted);
        }

        var total = await query.LongCountAsync(cancellationToken);
        return await Orders.PageAsync(list, query, page => asked.SummariesAsync(page, cancellationToken), cancellationToken, total);
    }

    private static async Task<IResult> GetAsync(Asked asked, Guid id, CancellationToken cancellationToken) =>
        await asked.FindAsync(id, cancellationToken) is { } task ? TypedResults.Ok((await asked.SummariesAsync([task], cancellationToken))[0]) : Problems.NotFound();

    private static async Task<IResult> ItemsAsync(Asked asked, Guid id, ListQuery list, string[] states, CancellationToken cancellationToken)
    {
        if (await asked.FindAsync(id, cancellationToken) is null)
        {
            return Problems.NotFound();
        }

        var query = asked.Db.LongTaskItems(asked.Module).AsNoTracking().Where(row => row.TaskId == id);
        if (states.Length > 0)
        {
            var wanted = new List<LongTaskItemState>();
            foreach (var state in states)
            {
                if (!TryState<LongTaskItemState>(state, out var one))
                {
                    return Problems.Of(ProblemCodes.Malformed, "state is waiting, succeeded, failed, refused or cancelled.");
                }

                wanted.Add(one);
            }

            query = query.Where(row => wanted.Contains(row.State));
        }

        var total = await query.LongCountAsync(cancellationToken);
        return await ItemOrders.PageAsync(list, query, row => new TaskResult(row.Number, row.Target, row.Label, Word(row.State), row.Reason, row.EndedAt), cancellationToken, total);
    }

    private static async Task<IResult> CancelAsync(Asked asked, Guid id, IEvents events, CancellationToken cancellationToken)
    {
        if (await asked.FindAsync(id, cancellationToken) is not { } task)
        {
            return Problems.NotFound();
        }

        if (asked.Hindrance(task, Cancel) is { } hindrance)
        {
            return Problems.Of(hindrance.Code, hindrance.Detail);
        }

        var (db, now) = (asked.Db, asked.Time.GetUtcNow());
        await using (var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken))
        {
            // In the order in which a worker writes, things first: neither waits for the other for ever.
            var left = await db.LongTaskItems(asked.Module).Where(row => row.TaskId == id && row.State == LongTaskItemState.Waiting)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, LongTaskItemState.Cancelled).SetProperty(row => row.EndedAt, now), cancellationToken);
            if (await db.LongTasks(asked.Module).Where(row => row.Id == id && row.State == LongTaskState.Running)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, LongTaskState.Cancelled).SetProperty(row => row.EndedAt, now), cancellationToken) == 0)
            {
                return Problems.Of(ProblemCodes.Conflict, "It ended a moment ago.");
            }

            events.Audit(new AuditFact($"{asked.Module}.task-cancelled", task.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "task", id.ToString()) { CustomerId = task.CustomerId, Changes = [Change.Add("/notDone", left)] });
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return await GetAsync(asked, id, cancellationToken);
    }

    private static async Task<IResult> RetryAsync(Asked asked, Guid id, LongTasks start, CancellationToken cancellationToken)
    {
        if (await asked.FindAsync(id, cancellationToken) is not { } task)
        {
            return Problems.NotFound();
        }

        if (asked.Hindrance(task, RetryFailed) is { } hindrance)
        {
            return Problems.Of(hindrance.Code, hindrance.Detail);
        }

        var failures = await asked.Db.LongTaskItems(asked.Module).AsNoTracking().Where(row => row.TaskId == id && Failures.Contains(row.State)).OrderBy(row => row.Number)
            .Select(row => new TaskTarget(row.Target, row.Label)).ToListAsync(cancellationToken);
        return failures.Count == 0 ? Problems.Of(ProblemCodes.Conflict, "What became of each thing is no longer kept.")
            : await start.StartAsync(asked.KindOf(task)!, task.Summary, task.Reason, failures, task, cancellationToken) is { } again ? Accepted(asked.Module, again)
            : Problems.Of(ProblemCodes.Conflict, Retried);
    }

    private static TaskSummary Summary(LongTask row, double? perMinute, IReadOnlyList<AllowedAction> actions)
    {
        var waiting = row.Total - row.Succeeded - row.Failed - row.Refused;
        return new TaskSummary(
            row.Id, row.Kind, row.Summary, Word(row.State), row.Total, row.Succeeded, row.Failed, row.Refused, waiting, perMinute, perMinute > 0 ? (int)Math.Ceiling(waiting * 60 / perMinute.Value) : null,
            row.StartedBy, row.StartedAt, row.EndedAt, row.Reason, row.RetryOf, actions);
    }

    private static string Word<T>(T state)
        where T : struct, Enum => state.ToString().ToLowerInvariant();

    private static bool TryState<T>(string text, out T state)
        where T : struct, Enum
    {
        var found = Array.Find(Enum.GetValues<T>(), one => Word(one) == text);
        state = found;
        return Word(found) == text;
    }

    /// <summary>One request: who asks, and what they may see and do.</summary>
    private sealed record Asked(string Module, HttpContext Http, ControlPlaneDbContext Db, IEnumerable<TaskAction> Kinds, TimeProvider Time)
    {
        private string Granted => Http.User.FindFirst("scope")?.Value ?? "";

        private string Subject => Http.User.FindFirst("sub")!.Value;

        /// <summary>The tasks that the reader may see.</summary>
        public IQueryable<LongTask> Visible
        {
            get
            {
                var (staff, customer, all, subject) = (Db.Scope.IsAll, Db.Scope.CustomerId, Scopes.Include(Granted, "system:read"), Subject);
                return Db.LongTasks(Module).AsNoTracking().Where(row => (staff || row.CustomerId == customer) && (all || row.StartedBy == subject));
            }
        }

        public Task<LongTask?> FindAsync(Guid id, CancellationToken cancellationToken) => Visible.SingleOrDefaultAsync(row => row.Id == id, cancellationToken);

        public TaskAction? KindOf(LongTask task) => Kinds.FirstOrDefault(kind => kind.Module == Module && kind.Kind == task.Kind);

        /// <summary>Why the reader may not do something to a task now; null: they may. The endpoints and the pages go by it.</summary>
        public (ProblemCode Code, string Detail)? Hindrance(LongTask task, string verb)
        {
            if (verb == Cancel)
            {
                return task.StartedBy != Subject && !Scopes.Include(Granted, "system:write") ? (ProblemCodes.ScopeMissing, "Only who started it, or somebody with system:write, ends it.")
                    : task.State != LongTaskState.Running ? (ProblemCodes.Conflict, "It has ended.") : null;
            }

            return KindOf(task) is not { } kind ? (ProblemCodes.Conflict, "This version does not know such tasks.")
                : !Scopes.Include(Granted, kind.Right) ? (ProblemCodes.ScopeMissing, $"The token lacks the scope {kind.Right}; an administrator can give it.")
                : task.State == LongTaskState.Running ? (ProblemCodes.Conflict, "It is still running.")
                : task.Failed + task.Refused == 0 ? (ProblemCodes.Conflict, "Nothing of it failed.") : null;
        }

        /// <summary>The tasks as the API tells them, with their present rate.</summary>
        public async Task<IReadOnlyList<TaskSummary>> SummariesAsync(IReadOnlyList<LongTask> tasks, CancellationToken cancellationToken)
        {
            var now = Time.GetUtcNow();
            var since = now - Window;
            var running = tasks.Where(task => task.State == LongTaskState.Running).Select(task => task.Id).ToList();
            var recent = running.Count == 0 ? [] : await Db.LongTaskItems(Module).Where(row => running.Contains(row.TaskId) && row.State != LongTaskItemState.Waiting && row.EndedAt > since)
                .GroupBy(row => row.TaskId).Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count, cancellationToken);
            var ids = tasks.Select(task => (Guid?)task.Id).ToList();
            var retried = (await Db.LongTasks(Module).Where(row => ids.Contains(row.RetryOf)).Select(row => row.RetryOf!.Value).ToListAsync(cancellationToken)).ToHashSet();
            return [.. tasks.Select(task =>
            {
                var seconds = Math.Min(Window.TotalSeconds, (now - task.StartedAt).TotalSeconds);
                return Summary(task, seconds >= 1 && recent.TryGetValue(task.Id, out var count) ? Math.Round(count * 60 / seconds, 1) : null,
                    [.. new[] { Cancel, RetryFailed }.Select(verb => (Hindrance(task, verb)?.Detail ?? (verb == RetryFailed && retried.Contains(task.Id) ? Retried : null)) is { } hindrance
                        ? new AllowedAction(verb, false, hindrance) : new AllowedAction(verb, true, null))]);
            })];
        }
    }
}
