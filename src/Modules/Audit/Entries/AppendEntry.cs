using System.Text.Json;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Entries;

/// <summary>Appends what a role told. The same event twice is one entry.</summary>
internal sealed class AppendEntry(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<AuditEntryRecorded>
{
    private static readonly BulkRows Table = new(
        "audit_entry",
        ["id", "occurred_at", "recorded_at", "log", "customer_id", "cluster_id", "type", "outcome", "actor_kind", "actor_id", "target_type", "target_id", "producer", "producer_seq", "body"],
        ["id"], []);

    public Task HandleAsync(AuditEntryRecorded message, MessageContext context, CancellationToken cancellationToken)
    {
        object?[] row =
        [
            message.EventId, message.OccurredAt.ToUnixTimeMilliseconds(), time.GetUtcNow().ToUnixTimeMilliseconds(), message.Log, message.CustomerId, message.ClusterId,
            message.Type, message.Outcome, message.Actor.Kind, message.Actor.Id, message.Target.Type, message.Target.Id, message.Producer, message.ProducerSeq,
            JsonSerializer.Serialize(message, MessageJson.Options),
        ];
        return db.Dialect.InsertIfAbsentAsync(db, Table with { Rows = [row] }, cancellationToken);
    }
}
