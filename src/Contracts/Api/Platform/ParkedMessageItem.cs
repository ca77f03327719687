namespace MissionControl.Contracts.Api.Platform;

/// <summary>A message that a role could not apply yet.</summary>
/// <param name="Id">The row.</param>
/// <param name="Consumer">The consumer that failed.</param>
/// <param name="MessageId">The message.</param>
/// <param name="Type">Its wire name.</param>
/// <param name="Key">Its key.</param>
/// <param name="State">retrying: tried again by itself; parked: waits for a person.</param>
/// <param name="Attempts">Tries so far.</param>
/// <param name="FirstFailedAt">First failure (UTC).</param>
/// <param name="LastFailedAt">Last failure (UTC).</param>
/// <param name="NextAttemptAt">Next try while retrying (UTC).</param>
/// <param name="LastError">Why it failed last.</param>
public sealed record ParkedMessageItem(
    Guid Id, string Consumer, Guid MessageId, string Type, string Key, string State, int Attempts,
    DateTimeOffset FirstFailedAt, DateTimeOffset LastFailedAt, DateTimeOffset? NextAttemptAt, string LastError);

/// <summary>What a retry did.</summary>
/// <param name="Applied">The message is applied and gone from the list.</param>
/// <param name="LastError">Why not, otherwise.</param>
public sealed record RetryResult(bool Applied, string? LastError);
