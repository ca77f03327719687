using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.Platform.Tasks;

/// <summary>
/// Works on a module's tasks, one thing after the other, each in a transaction of its own that also marks it as done: a process that
/// is killed leaves it done and marked, or neither, and whoever holds the lease next goes on from there. Tasks take turns.
/// </summary>
internal sealed partial class TaskWorker(string module, IEnumerable<TaskAction> actions, IServiceScopeFactory scopes, IDatabaseDialect dialect, TimeProvider time, ILogger<TaskWorker> logger)
    : Sweeper($"{module}.work-tasks", module, TimeSpan.FromSeconds(1))
{
    /// <summary>Things of one task before it is the next one's turn.</summary>
    private const int Turn = 20;

    private const int Tries = 3;
    private const int ReasonLength = 1000;

    /// <summary>Shorter than the lease, which is renewed between two runs.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromSeconds(4);

    /// <summary>Tasks that take turns; the others wait for one of them to end.</summary>
    private const int AtOnce = 20;

    /// <summary>Times in a row that a thing may find the database away before it is the thing that is failed.</summary>
    private const int MostAway = 20;

    private (Guid Task, int Number, int Times) away;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var until = time.GetUtcNow() + LongestRun;
        bool more;
        do
        {
            more = false;
            foreach (var task in await db.LongTasks(Module).AsNoTracking().Where(row => row.State == LongTaskState.Running).OrderBy(row => row.Id).Take(AtOnce).ToListAsync(cancellationToken))
            {
                // A kind that this version does not know waits for one that does.
                if (actions.FirstOrDefault(action => action.Module == Module && action.Kind == task.Kind) is { } action)
                {
                    more |= await TakeTurnAsync(db, action, task, until, cancellationToken);
                }
            }
        }
        while (more && time.GetUtcNow() < until);
    }

    /// <summary>Deals with the next things of a task; false when it has ended.</summary>
    private async Task<bool> TakeTurnAsync(ControlPlaneDbContext db, TaskAction action, LongTask task, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var next = await db.LongTaskItems(Module).AsNoTracking().Where(row => row.TaskId == task.Id && row.State == LongTaskItemState.Waiting).OrderBy(row => row.Number).Take(Turn).ToListAsync(cancellationToken);
        foreach (var item in next)
        {
            if (time.GetUtcNow() >= until)
            {
                return true;
            }

            await WorkAsync(action, task, item, cancellationToken);
        }

        if (next.Count == Turn)
        {
            return true;
        }

        await EndAsync(task, cancellationToken);
        return false;
    }

    private async Task WorkAsync(TaskAction action, LongTask task, LongTaskItem item, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ApplyAsync(action, task, item, cancellationToken);
                return;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                throw;
            }
            catch (Exception exception) when (attempt < Tries && exception is DbUpdateException or DbException)
            {
                // Two writers met on one row. The other has committed by now.
            }
            catch (Exception exception) when (IsAway(exception, task, item))
            {
                // Neither done nor marked: it is next when the database is back.
                throw;
            }
            catch (Exception exception)
            {
                LogFailed(logger, exception, item.Number, task.Kind, task.Id);
                await FailAsync(action, task, item, exception, cancellationToken);
                return;
            }
        }
    }

    /// <summary>
    /// Whether the database is away, and not this thing what makes it seem so: one that always lasts longer than the database allows
    /// would keep all tasks from going on. While it is really away the thing cannot be failed either.
    /// </summary>
    private bool IsAway(Exception exception, LongTask task, LongTaskItem item)
    {
        if (dialect.UnavailableBehind(exception) is null)
        {
            return false;
        }

        away = (task.Id, item.Number, away.Task == task.Id && away.Number == item.Number ? away.Times + 1 : 1);
        return away.Times < MostAway;
    }

    private async Task ApplyAsync(TaskAction action, LongTask task, LongTaskItem item, CancellationToken cancellationToken)
    {
        await using var scope = Enter(out var db);
        var apply = await action.PrepareAsync(scope.ServiceProvider, task, item, cancellationToken);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (!await MarkAsync(db, task, item, LongTaskItemState.Succeeded, null, cancellationToken))
        {
            return;
        }

        if (await apply(cancellationToken) is { } refusal)
        {
            await Item(db, item).ExecuteUpdateAsync(set => set.SetProperty(row => row.State, LongTaskItemState.Refused).SetProperty(row => row.Reason, Shorten(refusal)), cancellationToken);
            await Tasks(db, task).ExecuteUpdateAsync(set => set.SetProperty(row => row.Refused, row => row.Refused + 1), cancellationToken);
        }
        else
        {
            await Tasks(db, task).ExecuteUpdateAsync(set => set.SetProperty(row => row.Succeeded, row => row.Succeeded + 1), cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task FailAsync(TaskAction action, LongTask task, LongTaskItem item, Exception exception, CancellationToken cancellationToken)
    {
        await using var scope = Enter(out var db);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (!await MarkAsync(db, task, item, LongTaskItemState.Failed, Shorten(HandlerRunner.Describe(exception)), cancellationToken))
        {
            return;
        }

        await action.FailedAsync(scope.ServiceProvider, task, item, exception, cancellationToken);
        await Tasks(db, task).ExecuteUpdateAsync(set => set.SetProperty(row => row.Failed, row => row.Failed + 1), cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>False when the thing waits no longer: a replica whose lease lapsed under it was faster, or the task was cancelled.</summary>
    private async Task<bool> MarkAsync(ControlPlaneDbContext db, LongTask task, LongTaskItem item, LongTaskItemState state, string? reason, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return await Item(db, item).Where(row => row.State == LongTaskItemState.Waiting)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, state).SetProperty(row => row.Reason, reason).SetProperty(row => row.EndedAt, now), cancellationToken) == 1;
    }

    private async Task EndAsync(LongTask task, CancellationToken cancellationToken)
    {
        await using var scope = Enter(out var db);
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await db.LongTaskItems(Module).AnyAsync(row => row.TaskId == task.Id && row.State == LongTaskItemState.Waiting, cancellationToken))
        {
            return;
        }

        // Nothing waits, so the counts are the last ones.
        var counted = await Tasks(db, task).AsNoTracking().SingleAsync(cancellationToken);
        var (now, state) = (time.GetUtcNow(), counted.Succeeded == counted.Total ? LongTaskState.Completed : LongTaskState.Incomplete);
        if (await Tasks(db, task).Where(row => row.State == LongTaskState.Running)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, state).SetProperty(row => row.EndedAt, now), cancellationToken) == 0)
        {
            return;
        }

        scope.ServiceProvider.GetRequiredService<IEvents>().Audit(new AuditFact($"{Module}.task-ended", task.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "task", task.Id.ToString())
        {
            CustomerId = task.CustomerId,
            Outcome = state == LongTaskState.Completed ? AuditOutcome.Success : AuditOutcome.Failed,
            Changes = [Change.Add("/succeeded", counted.Succeeded), Change.Add("/failed", counted.Failed), Change.Add("/refused", counted.Refused)],
        });
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private AsyncServiceScope Enter(out ControlPlaneDbContext db)
    {
        var scope = scopes.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(Module);
        db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        return scope;
    }

    private IQueryable<LongTask> Tasks(ControlPlaneDbContext db, LongTask task) => db.LongTasks(Module).Where(row => row.Id == task.Id);

    private IQueryable<LongTaskItem> Item(ControlPlaneDbContext db, LongTaskItem item) => db.LongTaskItems(Module).Where(row => row.TaskId == item.TaskId && row.Number == item.Number);

    private static string Shorten(string text) => text.Length <= ReasonLength ? text : text[..ReasonLength];

    [LoggerMessage(128, LogLevel.Debug, "Number {Number} of the task {Kind} {Task} failed; the others go on")]
    private static partial void LogFailed(ILogger logger, Exception exception, int number, string kind, Guid task);
}
