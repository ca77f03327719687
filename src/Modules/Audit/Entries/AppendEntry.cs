using System.Text.Json;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Entries;

/// <summary>Appends what a role told to the log that it belongs to, and to what is searched. The same event twice is one entry.</summary>
internal sealed class AppendEntry(ControlPlaneDbContext db, Sequencer sequencer, TimeProvider time) : IBatchHandler<AuditEntryRecorded>
{
    private static readonly BulkRows Table = new(
        "audit_entry",
        ["id", "occurred_at", "recorded_at", "log", "customer_id", "cluster_id", "type", "is_read", "outcome", "actor_kind", "actor_id", "target_type", "target_id", "reason", "producer", "producer_seq", "body"],
        ["id"], []);

    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<AuditEntryRecorded> messages, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var rows = Table with { Rows = [.. messages.DistinctBy(message => message.EventId).Select(message => Row(message, now))] };
        var told = messages.Select(Told.Of).ToList();
        return Task.FromResult<Func<CancellationToken, Task>>(async token =>
        {
            await db.Dialect.InsertIfAbsentAsync(db, rows, token);
            await sequencer.AppendAsync(told, token);
        });
    }

    private static object?[] Row(AuditEntryRecorded message, long now) =>
    [
        message.EventId, message.OccurredAt.ToUnixTimeMilliseconds(), now, message.Log, message.CustomerId, message.ClusterId,
        message.Type, message.Type.EndsWith(StaffReads.Suffix, StringComparison.Ordinal), message.Outcome, message.Actor.Kind, message.Actor.Id, message.Target.Type, message.Target.Id, message.Reason, message.Producer, message.ProducerSeq,
        JsonSerializer.Serialize(message, MessageJson.Options),
    ];
}
