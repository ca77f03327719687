using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Licensing.Ledger;

/// <summary>Takes a commit group of usage items from intake into the ledger.</summary>
internal sealed class RecordUsage(ControlPlaneDbContext db, Ledger ledger) : IMessageHandler<ItemsReceived>
{
    public Task HandleAsync(ItemsReceived message, MessageContext context, CancellationToken cancellationToken)
    {
        db.Scope.OpenAll("a commit group holds windows of every customer's clusters");
        return ledger.RecordAsync(
            [
                .. message.Inflate().Items.Select(item => new Arrival(
                    new Guid(item.ClusterId.Span, bigEndian: true), new Guid(item.CustomerId.Span, bigEndian: true), item.Epoch, item.Seq,
                    DateTimeOffset.FromUnixTimeMilliseconds(item.ReceivedAtMs), item.Body.ToByteArray())),
            ], cancellationToken);
    }
}
