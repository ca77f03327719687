using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Licensing.Ledger;

/// <summary>Takes a commit group of usage items from intake into the ledger.</summary>
internal sealed class RecordUsage(ControlPlaneDbContext db, Ledger ledger) : IBatchHandler<ItemsReceived>
{
    public async Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ItemsReceived> messages, CancellationToken cancellationToken)
    {
        db.Scope.OpenAll("a commit group holds windows of every customer's clusters");
        var arrivals = messages.SelectMany(message => message.Inflate().Items).Select(item => new Arrival(
            new Guid(item.ClusterId.Span, bigEndian: true), new Guid(item.CustomerId.Span, bigEndian: true), item.Epoch, item.Seq,
            DateTimeOffset.FromUnixTimeMilliseconds(item.ReceivedAtMs), item.Body.ToByteArray())).ToList();
        await ledger.OpenAsync(arrivals, cancellationToken);
        return token => ledger.RecordAsync(arrivals, token);
    }
}
