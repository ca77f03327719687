namespace MissionControl.Platform.Data;

/// <summary>A message that waits to be delivered; written in the transaction of the change it tells of. Table <c>{module}_outbox</c>.</summary>
public sealed class OutboxMessage
{
    /// <summary>The message id on the bus; UUIDv7.</summary>
    public required Guid Id { get; init; }

    /// <summary>Wire name, as in <c>[EntityName]</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The message's key.</summary>
    public required string Key { get; init; }

    /// <summary>JSON of the message without its attachment.</summary>
    public required byte[] Payload { get; init; }

    /// <summary>The message's binary part, if it has one.</summary>
    public byte[]? Attachment { get; init; }

    /// <summary>When it was written.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Failed deliveries so far.</summary>
    public int Attempts { get; set; }

    /// <summary>Not delivered before this instant; also the claim of the replica that is delivering it.</summary>
    public DateTimeOffset NextAttemptAt { get; set; }

    /// <summary>Why the last delivery failed.</summary>
    public string? LastError { get; set; }
}

/// <summary>A message a consumer has already applied. Table <c>{module}_inbox</c>; rows live 30 days.</summary>
public sealed class InboxMessage
{
    /// <summary>The consumer's name.</summary>
    public required string Consumer { get; init; }

    /// <summary>The message id on the bus.</summary>
    public required Guid MessageId { get; init; }

    /// <summary>When it was applied.</summary>
    public required DateTimeOffset AppliedAt { get; init; }
}

/// <summary>Where a message that could not be applied stands.</summary>
public enum ParkedState
{
    /// <summary>It is tried again by itself.</summary>
    Retrying,

    /// <summary>It waits for a person.</summary>
    Parked,

    /// <summary>A person decided that it is not to be applied. Nothing tries it again but a person who asks for this very one.</summary>
    GivenUp,
}

/// <summary>
/// A message whose consumer failed. Kept until it succeeds: nothing is ever dropped by itself. One that a person gave up stays as
/// evidence until its term is over. Table <c>{module}_parked_message</c>.
/// </summary>
public sealed class ParkedMessage
{
    /// <summary>Identity of the row.</summary>
    public required Guid Id { get; init; }

    /// <summary>The consumer that failed.</summary>
    public required string Consumer { get; init; }

    /// <summary>The message id on the bus.</summary>
    public required Guid MessageId { get; init; }

    /// <summary>Wire name.</summary>
    public required string Type { get; init; }

    /// <summary>The message's key.</summary>
    public required string Key { get; init; }

    /// <summary>JSON of the message without its attachment.</summary>
    public required byte[] Payload { get; init; }

    /// <summary>The message's binary part, if it has one.</summary>
    public byte[]? Attachment { get; init; }

    /// <summary>When the message was sent.</summary>
    public required DateTimeOffset SentAt { get; init; }

    /// <summary>When the consumer first failed on it.</summary>
    public required DateTimeOffset FirstFailedAt { get; init; }

    /// <summary>When the consumer last failed on it.</summary>
    public required DateTimeOffset LastFailedAt { get; set; }

    /// <summary>Attempts so far.</summary>
    public int Attempts { get; set; }

    /// <summary>The first failure, in words: later ones may only be what it led to.</summary>
    public required string FirstError { get; init; }

    /// <summary>The last failure, in words.</summary>
    public required string LastError { get; set; }

    /// <summary>Where it stands; concurrency token, so that a try that fails late never takes back what a person decided meanwhile.</summary>
    public ParkedState State { get; set; }

    /// <summary>When it is tried next, while retrying.</summary>
    public DateTimeOffset NextAttemptAt { get; set; }

    /// <summary>When somebody gave it up; null: nobody did.</summary>
    public DateTimeOffset? GivenUpAt { get; set; }

    /// <summary>Who gave it up: the principal's subject.</summary>
    public string? GivenUpBy { get; set; }

    /// <summary>Why, as they said.</summary>
    public string? GivenUpReason { get; set; }
}

/// <summary>Another role's fact, kept here so that no call to that role is needed. Table <c>{module}_projection</c>.</summary>
public sealed class Projection
{
    /// <summary>What kind of fact: token, user-key.</summary>
    public required string Kind { get; init; }

    /// <summary>The thing it is about.</summary>
    public required string Id { get; init; }

    /// <summary>The newest version seen; an older one never overwrites it.</summary>
    public required long Version { get; set; }

    /// <summary>The fact as JSON.</summary>
    public required string Body { get; set; }
}

/// <summary>A process that runs the role, as it last said of itself. Table <c>{module}_replica</c>.</summary>
public sealed class Replica
{
    /// <summary>The process; a start is a new one.</summary>
    public required string Instance { get; init; }

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it last said so.</summary>
    public required DateTimeOffset SeenAt { get; init; }

    /// <summary>When it was told to stop; null: it runs, or died without a word.</summary>
    public DateTimeOffset? StoppedAt { get; init; }

    /// <summary>Bytes free where its data directory lies; null: it could not find out.</summary>
    public long? DiskFree { get; init; }

    /// <summary>Bytes there are; null: it could not find out.</summary>
    public long? DiskTotal { get; init; }

    /// <summary>When the certificate that it shows ends; null: not known yet.</summary>
    public DateTimeOffset? CertificateEndsAt { get; init; }

    /// <summary>Pieces of the role's main work a second, since the heartbeat before; null: it counts none.</summary>
    public double? WorkPerSecond { get; init; }

    /// <summary>Milliseconds within which 99 of 100 of them were done; null: there were none.</summary>
    public double? WorkP99Ms { get; init; }
}

/// <summary>A lease that lets one replica at a time run a sweeper. Table <c>{module}_lease</c>.</summary>
public sealed class Lease
{
    /// <summary>What is leased.</summary>
    public required string Name { get; init; }

    /// <summary>The process that holds it.</summary>
    public required string Holder { get; set; }

    /// <summary>When it lapses by itself.</summary>
    public required DateTimeOffset Until { get; set; }

    /// <summary>Concurrency token: two replicas never take one lease.</summary>
    public long Version { get; set; }
}

/// <summary>A scheduled fire; who inserts the row runs the job. Table <c>{module}_job_run</c>.</summary>
public sealed class JobRun
{
    /// <summary>The job's name.</summary>
    public required string Job { get; init; }

    /// <summary>The instant it was scheduled for; of a run that somebody asked for, when they did.</summary>
    public required DateTimeOffset ScheduledAt { get; init; }

    /// <summary>The process that ran it.</summary>
    public required string Replica { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended; null while it runs or when its process died.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>What it did or why it failed, in words.</summary>
    public string? Outcome { get; set; }

    /// <summary>Who asked for it: the principal's subject; null: the clock.</summary>
    public string? StartedBy { get; init; }

    /// <summary>Why, as they said.</summary>
    public string? Reason { get; init; }
}

/// <summary>The last audit number a process instance gave in this module; advanced in the business transaction, so it has no gaps. Table <c>{module}_audit_producer</c>.</summary>
public sealed class AuditProducer
{
    /// <summary>Role and process instance.</summary>
    public required string Producer { get; init; }

    /// <summary>The last number given.</summary>
    public required long Sequence { get; set; }
}

/// <summary>The stored answer to a request with an Idempotency-Key; written in the transaction of its effect. Table <c>{module}_idempotency</c>.</summary>
public sealed class IdempotencyRecord
{
    /// <summary>Who asked: the principal's subject.</summary>
    public required string Principal { get; init; }

    /// <summary>Method and route.</summary>
    public required string Route { get; init; }

    /// <summary>The client's key.</summary>
    public required string Key { get; init; }

    /// <summary>SHA-256 of the request body.</summary>
    public required byte[] RequestSha256 { get; init; }

    /// <summary>Status of the stored answer.</summary>
    public required int Status { get; set; }

    /// <summary>Content type of the stored answer.</summary>
    public string? ContentType { get; set; }

    /// <summary>Location header of the stored answer.</summary>
    public string? Location { get; set; }

    /// <summary>The stored answer.</summary>
    public required byte[] Body { get; set; }

    /// <summary>When it was stored; it counts for 24 h.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}
