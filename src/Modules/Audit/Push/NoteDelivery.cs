using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Notifications;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Push;

/// <summary>
/// What became of a batch: taken, and the export's place moves behind it; failed, and the export stops. A batch of which
/// nothing was told in time and that was taken after all was taken. Of a batch that is not the one on its way nothing is noted: it was told before, or somebody resumed meanwhile.
/// </summary>
internal sealed class NoteDelivery(ControlPlaneDbContext db, IEvents events, StopExport stop) : IMessageHandler<DeliveryEnded>
{
    /// <summary>The name in the reports of batches.</summary>
    public const string Name = "audit.export";

    public async Task HandleAsync(DeliveryEnded message, MessageContext context, CancellationToken cancellationToken)
    {
        if (message.To != Name || await db.Set<PushedExport>().AsNoTracking().SingleOrDefaultAsync(row => row.BatchId == message.Id, cancellationToken) is not { } export)
        {
            return;
        }

        if (message.Outcome != DeliveryEnded.Sent)
        {
            await stop.HandleAsync(export, message.Problem ?? "The receiver did not take it.", cancellationToken);
            return;
        }

        if (await db.Set<PushedExport>().Where(row => row.Id == export.Id && row.BatchId == message.Id).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.NextIndex, row => row.BatchEnd!.Value).SetProperty(row => row.LastHash, row => row.BatchHash)
            .SetProperty(row => row.BatchId, (Guid?)null).SetProperty(row => row.BatchEnd, (long?)null).SetProperty(row => row.BatchHash, (byte[]?)null)
            .SetProperty(row => row.SentAt, message.At).SetProperty(row => row.Problem, (string?)null), cancellationToken) == 1 && export.Problem is { } problem)
        {
            var ofLog = await db.Set<Log>().Where(row => row.Id == export.LogId).Select(row => row.CustomerId).SingleOrDefaultAsync(cancellationToken);
            events.Audit(export.Fact("audit.export-resumed", ofLog) with
            {
                Reason = "What was believed lost was taken after all.",
                Changes = [Change.Replace("/state", "stopped", "running"), Change.Remove("/problem", problem)],
            });
        }
    }
}
