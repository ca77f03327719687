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

    private static readonly BulkRows Contact = new("fleet_last_contact", ["cluster_id", "customer_id", "received_at", "next_seconds"], ["cluster_id"], []);

    private static readonly BulkRows Events = new(
        "fleet_event", ["cluster_id", "id", "customer_id", "kind", "severity", "text", "node", "at", "received_at"], ["cluster_id", "id"], []);

    public async Task HandleAsync(ItemsReceived message, MessageContext context, CancellationToken cancellationToken)
    {
        var received = message.Inflate().Items;
        var contacts = new Dictionary<Guid, object?[]>();
        var newest = new Dictionary<Guid, ReceivedItem>();
        var events = new List<object?[]>();
        foreach (var item in received)
        {
            var cluster = new Guid(item.ClusterId.Span, bigEndian: true);
            contacts[cluster] = [cluster, new Guid(item.CustomerId.Span, bigEndian: true), item.ReceivedAtMs, item.NextS];
            switch (message.Kind)
            {
                case "health" when !newest.TryGetValue(cluster, out var known) || Rank(known) < Rank(item):
                    newest[cluster] = item;
                    break;
                case "event":
                    events.Add(EventRow(cluster, item));
                    break;
            }
        }

        await db.Dialect.UpsertAsync(db, Contact with { Rows = [.. contacts.Values] }, "received_at", cancellationToken);
        await db.Dialect.UpsertAsync(db, Health with { Rows = [.. newest.Select(entry => HealthRow(entry.Key, entry.Value))] }, "rank", cancellationToken);
        await db.Dialect.InsertIfAbsentAsync(db, Events with { Rows = events }, cancellationToken);
    }

    // 42 bits of milliseconds last until 2109; above them the epoch, so that a restored machine with a wrong clock still counts as newer.
    private static long Rank(ReceivedItem item) => (item.Epoch << 42) | (item.AtMs & ((1L << 42) - 1));

    private object?[] HealthRow(Guid cluster, ReceivedItem item)
    {
        var health = Protocol.CallHome.Health.Parser.ParseFrom(item.Body);
        var indicators = Evaluate.Indicators(health, time.GetUtcNow(), cloneSuspected: false);
        var version = health.Nodes.Where(node => node.Version.Length > 0).GroupBy(node => node.Version, StringComparer.Ordinal).MaxBy(group => group.Count())?.Key ?? "";
        var up = health.Nodes.Count(node => node.State is "running");
        var reason = Evaluate.WorstReason(indicators);
        return
        [
            cluster, new Guid(item.CustomerId.Span, bigEndian: true), Rank(item), item.AtMs, Rule.Word(Evaluate.Overall(indicators)), reason is { Length: > 300 } ? reason[..300] : reason,
            version.Length > 100 ? version[..100] : version, up, Math.Max(health.Nodes.Count, health.HasExpectedNodes ? health.ExpectedNodes : 0), item.Body.ToByteArray(),
        ];
    }

    private static object?[] EventRow(Guid cluster, ReceivedItem item)
    {
        var happened = Event.Parser.ParseFrom(item.Body);
        return
        [
            cluster, happened.Id, new Guid(item.CustomerId.Span, bigEndian: true), happened.Kind, happened.Severity, happened.Text,
            happened.Node.Length is 0 or > 100 ? null : happened.Node, item.AtMs, item.ReceivedAtMs,
        ];
    }
}
