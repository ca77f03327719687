using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;

namespace MissionControl.Platform.Tasks;

/// <summary>One thing that a task is to be about.</summary>
/// <param name="Target">Its id.</param>
/// <param name="Label">What people call it.</param>
public sealed record TaskTarget(string Target, string Label);

/// <summary>Starts long tasks of the module that serves the request.</summary>
public sealed class LongTasks(ControlPlaneDbContext db, ModuleScope module, CurrentPrincipal principal, IEvents events, TimeProvider time)
{
    /// <summary>Things of one task: they are written in one transaction, and others wait to write meanwhile.</summary>
    public const int MaxItems = 20_000;

    private const int LabelLength = 200;

    /// <summary>Writes down what is to be done; a worker, here or on another replica, begins within a second.</summary>
    /// <param name="action">What is done to each thing.</param>
    /// <param name="summary">The same and to which things, in words.</param>
    /// <param name="reason">Why, as the principal said.</param>
    /// <param name="targets">The things, in the order in which they are dealt with.</param>
    /// <param name="retryOf">The task whose failures these are; it is tried again once, and what fails then is the new task's.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The task; null when the failures are being tried again, or were, already.</returns>
    public async Task<LongTask?> StartAsync(TaskAction action, string summary, string? reason, IReadOnlyList<TaskTarget> targets, LongTask? retryOf, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(action);
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentOutOfRangeException.ThrowIfZero(targets.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(targets.Count, MaxItems);
        var actor = principal.Actor ?? throw new InvalidOperationException("A task is started by a principal, who answers for it.");
        var now = time.GetUtcNow();
        var task = new LongTask
        {
            Id = Guid.CreateVersion7(now),
            Kind = action.Kind,
            Summary = summary,
            StartedBy = actor.Id,
            Actor = JsonSerializer.Serialize(actor, JsonSerializerOptions.Web),
            CustomerId = retryOf is not null ? retryOf.CustomerId : db.Scope.IsAll ? null : db.Scope.CustomerId,
            Reason = reason,
            RetryOf = retryOf?.Id,
            Total = targets.Count,
            StartedAt = now,
        };

        await using var own = await db.JoinWriteAsync(cancellationToken);
        if (retryOf is not null)
        {
            // Whoever asks at the same moment waits here, and finds this one.
            await db.Dialect.LockRowsAsync(db, ModuleTablesModel.Tasks(module.Current), ["id"], [[retryOf.Id]], cancellationToken);
            if (await db.LongTasks(module.Current).AnyAsync(row => row.RetryOf == retryOf.Id, cancellationToken))
            {
                return null;
            }
        }

        db.LongTasks(module.Current).Add(task);
        events.Audit(new AuditFact($"{module.Current}.task-started", task.CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "task", task.Id.ToString())
        {
            CustomerId = task.CustomerId,
            Reason = reason,
            Changes = [Change.Add("/kind", task.Kind), Change.Add("/summary", summary), Change.Add("/total", task.Total), .. retryOf is null ? [] : new[] { Change.Add("/retryOf", retryOf.Id) }],
        });
        await db.SaveChangesAsync(cancellationToken);
        var waiting = nameof(LongTaskItemState.Waiting);
        await db.Dialect.InsertIfAbsentAsync(
            db,
            new BulkRows(ModuleTablesModel.TaskItems(module.Current), ["task_id", "number", "target", "label", "state"], ["task_id", "number"],
                [.. targets.Select((one, i) => new object?[] { task.Id, i + 1, one.Target, one.Label.Length <= LabelLength ? one.Label : one.Label[..LabelLength], waiting })]),
            cancellationToken);
        await own.CommitAsync(cancellationToken);

        return task;
    }
}
