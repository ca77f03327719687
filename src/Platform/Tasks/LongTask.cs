namespace MissionControl.Platform.Tasks;

/// <summary>Where a task stands.</summary>
public enum LongTaskState
{
    /// <summary>Some of it waits.</summary>
    Running,

    /// <summary>All of it was done.</summary>
    Completed,

    /// <summary>It ended, and some of it was not done.</summary>
    Incomplete,

    /// <summary>Somebody ended it; what was done by then stays done.</summary>
    Cancelled,
}

/// <summary>What became of one thing of a task.</summary>
public enum LongTaskItemState
{
    /// <summary>It was not looked at yet.</summary>
    Waiting,

    /// <summary>Done.</summary>
    Succeeded,

    /// <summary>Tried, and failed.</summary>
    Failed,

    /// <summary>Not tried, because its state does not allow it.</summary>
    Refused,

    /// <summary>The task was cancelled before.</summary>
    Cancelled,
}

/// <summary>
/// Work on many things, done in the background. What it is about is written down when it starts; each thing's result and the counts
/// here are written in the transaction of its effect. Table <c>{module}_task</c>.
/// </summary>
public sealed class LongTask
{
    /// <summary>Identity of the row.</summary>
    public required Guid Id { get; init; }

    /// <summary>The <see cref="TaskAction"/> that does it.</summary>
    public required string Kind { get; init; }

    /// <summary>What is done to what, in words.</summary>
    public required string Summary { get; init; }

    /// <summary>Subject of the principal that started it.</summary>
    public required string StartedBy { get; init; }

    /// <summary>The same for the audit log, as JSON: each effect is that principal's.</summary>
    public required string Actor { get; init; }

    /// <summary>The customer whose principal started it; null: staff.</summary>
    public Guid? CustomerId { get; init; }

    /// <summary>Why, as the principal said.</summary>
    public string? Reason { get; init; }

    /// <summary>The task whose failures it tries again.</summary>
    public Guid? RetryOf { get; init; }

    /// <summary>Where it stands.</summary>
    public LongTaskState State { get; set; }

    /// <summary>How many things it is about.</summary>
    public required int Total { get; init; }

    /// <summary>Things done.</summary>
    public int Succeeded { get; set; }

    /// <summary>Things that failed.</summary>
    public int Failed { get; set; }

    /// <summary>Things that were refused.</summary>
    public int Refused { get; set; }

    /// <summary>When it was started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; set; }
}

/// <summary>One thing of a task. Table <c>{module}_task_item</c>.</summary>
public sealed class LongTaskItem
{
    /// <summary>The task.</summary>
    public required Guid TaskId { get; init; }

    /// <summary>Place in the task, from 1.</summary>
    public required int Number { get; init; }

    /// <summary>Id of the thing.</summary>
    public required string Target { get; init; }

    /// <summary>What people call it.</summary>
    public required string Label { get; init; }

    /// <summary>What became of it.</summary>
    public LongTaskItemState State { get; set; }

    /// <summary>Why it failed or was refused.</summary>
    public string? Reason { get; set; }

    /// <summary>When it was dealt with; null while it waits.</summary>
    public DateTimeOffset? EndedAt { get; set; }
}
