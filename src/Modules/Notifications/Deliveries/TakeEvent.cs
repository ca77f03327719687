using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Notifications.Deliveries;

/// <summary>Makes of an event for a system one intent; of one whose endpoint is gone, nothing.</summary>
internal sealed class TakeEvent(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<DeliverEvent>
{
    private const int MaxSize = 256 * 1024;

    public async Task HandleAsync(DeliverEvent message, MessageContext context, CancellationToken cancellationToken)
    {
        var type = TypeOf(message.CloudEvent);
        if (await db.Set<OutboundEndpoint>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == message.EndpointId, cancellationToken) is not { } endpoint)
        {
            return;
        }

        var delivery = Delivery.Event(endpoint, type, message.Id.ToString("N"), message.CloudEvent, time.GetUtcNow());
        if (!await db.Set<Delivery>().AnyAsync(row => row.Id == delivery.Id, cancellationToken))
        {
            db.Add(delivery);
        }
    }

    private static string TypeOf(byte[] cloudEvent)
    {
        if (cloudEvent.Length > MaxSize)
        {
            throw new InvalidDataException($"An event of {cloudEvent.Length} bytes is larger than {MaxSize}.");
        }

        using var document = JsonDocument.Parse(cloudEvent);
        return document.RootElement.GetProperty("specversion").GetString() == "1.0" && document.RootElement.GetProperty("type").GetString() is { Length: > 0 } type
            ? type
            : throw new InvalidDataException("Only CloudEvents 1.0 with a type are delivered.");
    }
}
