namespace MissionControl.Contracts.Api.Platform;

/// <summary>Work that a role does by the clock.</summary>
/// <param name="Name">The job.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Schedule">When, as a cron expression with seconds, UTC.</param>
/// <param name="NextAt">Its next scheduled instant (UTC).</param>
/// <param name="LastRun">Its newest run; null before the first.</param>
/// <param name="Actions">run, and whether the reader may now.</param>
public sealed record JobItem(string Name, string Summary, string Schedule, DateTimeOffset? NextAt, JobRunItem? LastRun, IReadOnlyList<AllowedAction> Actions);

/// <summary>One run of a job.</summary>
/// <param name="Job">The job.</param>
/// <param name="ScheduledAt">The instant it was due (UTC); of a run that somebody asked for, when they did.</param>
/// <param name="StartedAt">When it began (UTC); much later than due: it was missed and made up for.</param>
/// <param name="EndedAt">When it ended (UTC); null while it runs.</param>
/// <param name="State">running, succeeded, failed, or interrupted: its process ended first.</param>
/// <param name="Replica">The process that ran it.</param>
/// <param name="Outcome">What it did, or why it failed.</param>
/// <param name="StartedBy">Who asked for it: the principal's subject; null: the clock.</param>
/// <param name="Reason">Why, as they said.</param>
public sealed record JobRunItem(
    string Job, DateTimeOffset ScheduledAt, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string State, string Replica, string? Outcome, string? StartedBy = null, string? Reason = null);

/// <summary>Runs a job now, besides its schedule.</summary>
/// <param name="Reason">Why; it goes to the audit log. 3 to 500 characters.</param>
public sealed record RunJobRequest(string? Reason);
