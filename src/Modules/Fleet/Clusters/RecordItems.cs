using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Health;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Clusters;

/// <summary>
/// Stores a commit group of items in a handful of bulk statements, whatever its size. Safe when a group comes twice or after a
/// later one: health by rank, contact by our own clock, events by their own id.
/// </summary>
internal sealed class RecordItems(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<ItemsReceived>
{
    private static readonly BulkRows Health = new(
        "fleet_last_health", ["cluster_id", "customer_id", "rank", "at", "status", "worst_reason", "product_version", "nodes_up", "nodes_all", "body"], ["cluster_id"], []);

    private static readonly BulkRows Events = new(
        "fleet_event", ["cluster_id", "id", "customer_id", "kind", "severity", "text", "node", "at", "received_at"], ["cluster_id", "id"], []);

    public async Task HandleAsync(ItemsReceived message, MessageContext context, CancellationToken cancellationToken)
    {
        var items = message.Inflate().Items;
        await LastContact.KeepAsync(db, items, cancellationToken);
        if (message.Kind == "event")
        {
            await db.Dialect.InsertIfAbsentAsync(db, Events with { Rows = [.. items.Select(EventRow)] }, cancellationToken);
            return;
        }

        var newest = Received.Newest(items);
        await db.Dialect.UpsertAsync(db, Health with { Rows = [.. newest.Select(entry => HealthRow(entry.Key, entry.Value))] }, "rank", cancellationToken);
    }

    private object?[] HealthRow(Guid cluster, ReceivedItem item)
    {
        var health = Protocol.CallHome.Health.Parser.ParseFrom(item.Body);
        var indicators = Evaluate.Indicators(health, time.GetUtcNow(), cloneSuspected: false);
        var version = health.Nodes.Where(node => node.Version.Length > 0).GroupBy(node => node.Version, StringComparer.Ordinal).MaxBy(group => group.Count())?.Key ?? "";
        var up = health.Nodes.Count(node => node.State is "running");
        var reason = Evaluate.WorstReason(indicators);
        return
        [
            cluster, Received.Customer(item), Received.Rank(item), item.AtMs, Rule.Word(Evaluate.Overall(indicators)), reason is { Length: > 300 } ? reason[..300] : reason,
            version.Length > 100 ? version[..100] : version, up, Math.Max(health.Nodes.Count, health.HasExpectedNodes ? health.ExpectedNodes : 0), item.Body.ToByteArray(),
        ];
    }

    private static object?[] EventRow(ReceivedItem item)
    {
        var happened = Event.Parser.ParseFrom(item.Body);
        return
        [
            Received.Cluster(item), happened.Id, Received.Customer(item), happened.Kind, happened.Severity, happened.Text,
            happened.Node.Length is 0 or > 100 ? null : happened.Node, item.AtMs, item.ReceivedAtMs,
        ];
    }
}
