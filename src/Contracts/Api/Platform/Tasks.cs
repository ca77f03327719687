namespace MissionControl.Contracts.Api.Platform;

/// <summary>Work on many things, done one after the other in the background; it survives restarts.</summary>
/// <param name="Id">The task.</param>
/// <param name="Kind">What it does to each thing.</param>
/// <param name="Summary">The same and to which things, in words.</param>
/// <param name="State">running; completed: all was done; incomplete: some of it was not; cancelled.</param>
/// <param name="Total">How many things it is about.</param>
/// <param name="Succeeded">Done.</param>
/// <param name="Failed">Tried, and failed.</param>
/// <param name="Refused">Not tried, because their state did not allow it.</param>
/// <param name="Waiting">Not looked at yet; of a cancelled task: never looked at.</param>
/// <param name="PerMinute">How many were dealt with in the last minute, while it runs; null: too early to say.</param>
/// <param name="SecondsLeft">How long the rest takes at that rate; null: not known.</param>
/// <param name="StartedBy">Who started it.</param>
/// <param name="StartedAt">When (UTC).</param>
/// <param name="EndedAt">When it ended (UTC); null while it runs.</param>
/// <param name="Reason">Why, as whoever started it said.</param>
/// <param name="RetryOf">The task whose failures it tries again.</param>
/// <param name="Actions">cancel and retry-failed, and whether the reader may now.</param>
public sealed record TaskSummary(
    Guid Id, string Kind, string Summary, string State, int Total, int Succeeded, int Failed, int Refused, int Waiting, double? PerMinute, int? SecondsLeft,
    string StartedBy, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? Reason, Guid? RetryOf, IReadOnlyList<AllowedAction> Actions);

/// <summary>What became of one thing of a task.</summary>
/// <param name="Number">Its place in the task, from 1.</param>
/// <param name="Target">Id of the thing.</param>
/// <param name="Label">What people call it.</param>
/// <param name="State">waiting, succeeded, failed, refused or cancelled.</param>
/// <param name="Reason">Why it failed or was refused.</param>
/// <param name="EndedAt">When it was dealt with (UTC); null while it waits.</param>
public sealed record TaskResult(int Number, string Target, string Label, string State, string? Reason, DateTimeOffset? EndedAt);

/// <summary>Tries all parked messages of one consumer again.</summary>
/// <param name="Consumer">The consumer.</param>
/// <param name="ExpectedCount">How many there were when this was decided; when it is another number now, nothing is begun (409).</param>
/// <param name="State">retrying or parked: only those; null: both.</param>
/// <param name="Reason">Why; it goes to the audit log.</param>
public sealed record RetryParkedMessagesRequest(string? Consumer, long? ExpectedCount, string? State = null, string? Reason = null);
