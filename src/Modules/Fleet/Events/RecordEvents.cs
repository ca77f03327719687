using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Events;

/// <summary>Stores a group of events; each by its own id, so that one which comes twice is one.</summary>
internal sealed class RecordEvents(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<ItemsReceived>
{
    public async Task HandleAsync(ItemsReceived message, MessageContext context, CancellationToken cancellationToken)
    {
        var items = message.Inflate().Items;
        await LastContact.KeepAsync(db, items, time.GetUtcNow(), cancellationToken);
        if (await db.Dialect.InsertIfAbsentAsync(db, ClusterEvent.Table with { Rows = [.. items.Select(Row)] }, cancellationToken) > 0)
        {
            await ClusterOverview.RefreshAsync(db, [.. items.Select(Received.Cluster).Distinct()], time.GetUtcNow(), cancellationToken);
        }
    }

    private static object?[] Row(ReceivedItem item)
    {
        var happened = Event.Parser.ParseFrom(item.Body);
        return
        [
            Received.Cluster(item), happened.Id, Received.Customer(item), happened.Kind, happened.Severity, happened.Text,
            happened.Node.Length is 0 or > 100 ? null : happened.Node, item.AtMs, item.ReceivedAtMs,
        ];
    }
}
