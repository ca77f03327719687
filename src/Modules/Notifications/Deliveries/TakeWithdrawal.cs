using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Notifications.Deliveries;

/// <summary>
/// Ends a delivery that is not wanted any more, and keeps nothing of what it said. Where it comes before what it takes back, the row
/// that it leaves is the one that the other would have made, and so that makes none. An attempt that was begun ends as it ends.
/// </summary>
internal sealed class TakeWithdrawal(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<WithdrawEvent>
{
    private const string Why = "It was withdrawn by who asked for it.";

    public async Task HandleAsync(WithdrawEvent message, MessageContext context, CancellationToken cancellationToken)
    {
        // What waits for an endpoint that is gone has ended with it.
        var (report, now) = (message.Report, time.GetUtcNow());
        if (await db.Set<OutboundEndpoint>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == message.EndpointId && row.CustomerId == report.CustomerId, cancellationToken) is not { } endpoint)
        {
            return;
        }

        var ended = Delivery.Withdrawn(endpoint, message.Id, report.To, Why, now);
        if (!await db.Set<Delivery>().AnyAsync(row => row.Id == ended.Id, cancellationToken))
        {
            db.Add(ended);
            return;
        }

        await db.Set<Delivery>().Where(row => row.Id == ended.Id && row.Report == report.To && row.State == DeliveryState.Waiting).ExecuteUpdateAsync(set => set
            .SetProperty(row => row.State, ended.State).SetProperty(row => row.NextAt, ended.NextAt).SetProperty(row => row.EndedAt, ended.EndedAt).SetProperty(row => row.Error, ended.Error).SetProperty(row => row.Body, ended.Body), cancellationToken);
    }
}
