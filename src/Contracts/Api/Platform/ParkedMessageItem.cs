namespace MissionControl.Contracts.Api.Platform;

/// <summary>A message that a role could not apply yet.</summary>
/// <param name="Id">The row.</param>
/// <param name="Consumer">The consumer that failed.</param>
/// <param name="MessageId">The message.</param>
/// <param name="Type">Its wire name.</param>
/// <param name="Key">Its key.</param>
/// <param name="State">retrying: tried again by itself; parked: waits for a person; given-up: a person decided that it is not applied.</param>
/// <param name="Attempts">Tries so far.</param>
/// <param name="FirstFailedAt">First failure (UTC).</param>
/// <param name="LastFailedAt">Last failure (UTC).</param>
/// <param name="NextAttemptAt">Next try while retrying (UTC).</param>
/// <param name="LastError">Why it failed last.</param>
/// <param name="GivenUpAt">When somebody gave it up (UTC); null: nobody did.</param>
public sealed record ParkedMessageItem(
    Guid Id, string Consumer, Guid MessageId, string Type, string Key, string State, int Attempts,
    DateTimeOffset FirstFailedAt, DateTimeOffset LastFailedAt, DateTimeOffset? NextAttemptAt, string LastError, DateTimeOffset? GivenUpAt = null);

/// <summary>A parked message and what is known of it. Its body is not here: of each field only what can hold no secret and no name.</summary>
/// <param name="Id">The row.</param>
/// <param name="Consumer">The consumer that failed.</param>
/// <param name="MessageId">The message.</param>
/// <param name="Type">Its wire name.</param>
/// <param name="Key">Its key.</param>
/// <param name="State">retrying, parked or given-up.</param>
/// <param name="Attempts">Tries so far.</param>
/// <param name="SentAt">When its sender wrote it (UTC).</param>
/// <param name="FirstFailedAt">First failure (UTC).</param>
/// <param name="LastFailedAt">Last failure (UTC).</param>
/// <param name="NextAttemptAt">Next try while retrying (UTC).</param>
/// <param name="FirstError">Why it failed first.</param>
/// <param name="LastError">Why it failed last.</param>
/// <param name="OthersOfKey">Messages of the same consumer and key that are not applied either. A parked message holds up none of them.</param>
/// <param name="About">The things it is about, as far as its body names them; at most 20.</param>
/// <param name="Fields">The fields of its body.</param>
/// <param name="GivenUp">Who gave it up, and why; null: nobody did.</param>
/// <param name="KeptDays">Days for which a message is kept once it is given up.</param>
/// <param name="Version">Rises with every try and when it is given up; the ETag.</param>
/// <param name="Actions">retry and give-up, and whether the reader may now.</param>
public sealed record ParkedMessageDetail(
    Guid Id, string Consumer, Guid MessageId, string Type, string Key, string State, int Attempts, DateTimeOffset SentAt, DateTimeOffset FirstFailedAt, DateTimeOffset LastFailedAt,
    DateTimeOffset? NextAttemptAt, string FirstError, string LastError, long OthersOfKey, IReadOnlyList<MessageSubject> About, IReadOnlyList<MessageField> Fields, GivenUpMessage? GivenUp, int KeptDays,
    long Version, IReadOnlyList<AllowedAction> Actions);

/// <summary>A thing that a message is about.</summary>
/// <param name="Kind">cluster or customer.</param>
/// <param name="Id">Its id.</param>
public sealed record MessageSubject(string Kind, string Id);

/// <summary>A field of a message's body.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value, where a field of this name and type can hold no secret and no name; else null.</param>
/// <param name="LeftOut">What stands there instead, in words and by its size; null when the value is shown.</param>
public sealed record MessageField(string Name, string? Value, string? LeftOut);

/// <summary>A person's decision that a message is not to be applied.</summary>
/// <param name="At">When (UTC).</param>
/// <param name="By">Who: the principal's subject.</param>
/// <param name="Reason">Why, as they said.</param>
/// <param name="KeptUntil">When the message is deleted (UTC).</param>
public sealed record GivenUpMessage(DateTimeOffset At, string By, string Reason, DateTimeOffset KeptUntil);

/// <summary>Gives a parked message up.</summary>
/// <param name="Reason">Why; it goes to the audit log. 3 to 500 characters.</param>
public sealed record GiveUpRequest(string? Reason);

/// <summary>What a retry did.</summary>
/// <param name="Applied">The message is applied and gone from the list.</param>
/// <param name="LastError">Why not, otherwise.</param>
public sealed record RetryResult(bool Applied, string? LastError);
