using MissionControl.Contracts.Events.CallHome;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Events;

/// <summary>Stores groups of events; each by its own id, so that one which comes twice is one.</summary>
internal sealed class RecordEvents(ControlPlaneDbContext db, TimeProvider time) : IBatchHandler<ItemsReceived>
{
    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ItemsReceived> messages, CancellationToken cancellationToken)
    {
        var items = Received.Items(messages);
        var rows = items.ConvertAll(Row);
        return Task.FromResult<Func<CancellationToken, Task>>(token => WriteAsync(items, rows, token));
    }

    private async Task WriteAsync(List<ReceivedItem> items, List<object?[]> rows, CancellationToken cancellationToken)
    {
        await LastContact.KeepAsync(db, items, time.GetUtcNow(), cancellationToken);
        if (await db.Dialect.InsertIfAbsentAsync(db, ClusterEvent.Table with { Rows = rows }, cancellationToken) > 0)
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
