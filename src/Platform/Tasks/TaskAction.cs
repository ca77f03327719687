using System.Text.Json;
using MissionControl.Contracts.Events.Audit;

namespace MissionControl.Platform.Tasks;

/// <summary>What tasks of one kind do to each of their things.</summary>
/// <param name="kind">Fixed for ever, since tasks are found by it after a restart.</param>
/// <param name="module">The module whose tables it works on.</param>
/// <param name="right">The scope that starting one needs, and trying its failures again.</param>
public abstract class TaskAction(string kind, string module, string right)
{
    /// <summary>Its name.</summary>
    public string Kind => kind;

    /// <summary>The module it belongs to.</summary>
    public string Module => module;

    /// <summary>The scope that starting one needs.</summary>
    public string Right => right;

    /// <summary>
    /// Reads and judges one thing, before the transaction: on SQLite nobody else can write while one is open. What it returns does it,
    /// in the write transaction of the scope that marks the thing as done, too: both happen, or neither. A throw of either takes both
    /// back and fails the thing.
    /// </summary>
    /// <returns>What does it; its own result is null when done, else why the thing's state does not allow it.</returns>
    public abstract Task<Func<CancellationToken, Task<string?>>> PrepareAsync(IServiceProvider scope, LongTask task, LongTaskItem item, CancellationToken cancellationToken);

    /// <summary>Writes down elsewhere that a thing failed, in the transaction that marks it as failed.</summary>
    public virtual Task FailedAsync(IServiceProvider scope, LongTask task, LongTaskItem item, Exception exception, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Who answers for what the task does.</summary>
    protected static AuditActor ActorOf(LongTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return JsonSerializer.Deserialize<AuditActor>(task.Actor, JsonSerializerOptions.Web)!;
    }
}
