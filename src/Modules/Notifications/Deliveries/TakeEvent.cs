using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Commands.Notifications;
using MissionControl.Contracts.Events.Notifications;
using MissionControl.Notifications.Endpoints;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Notifications.Deliveries;

/// <summary>
/// Makes of an event for a system one intent; of one whose endpoint is gone, or is not that of whom it is meant for, nothing: whoever
/// wanted to know is told so, in words that do not say which of the two it was.
/// </summary>
internal sealed class TakeEvent(ControlPlaneDbContext db, IEvents events, TimeProvider time) : IMessageHandler<DeliverEvent>
{
    /// <summary>Why nothing is delivered to an endpoint that its owner does not have.</summary>
    public const string NoEndpoint = "There is no such endpoint.";

    private const int MaxSize = 1024 * 1024;

    public async Task HandleAsync(DeliverEvent message, MessageContext context, CancellationToken cancellationToken)
    {
        var type = TypeOf(message.CloudEvent);
        if (message.Report is { To: not { Length: > 0 and <= Delivery.ReportLength } })
        {
            throw new InvalidDataException($"Who wants to know of a delivery has a name of 1 to {Delivery.ReportLength} characters.");
        }

        var now = time.GetUtcNow();
        if (await db.Set<OutboundEndpoint>().AsNoTracking().SingleOrDefaultAsync(row => row.Id == message.EndpointId, cancellationToken) is not { } endpoint || (message.Report is { } wanted && wanted.CustomerId != endpoint.CustomerId))
        {
            if (message.Report is { } report)
            {
                events.Publish(new DeliveryEnded(message.Id, report.To, DeliveryEnded.Failed, NoEndpoint, now));
            }

            return;
        }

        var delivery = Delivery.Event(endpoint, type, message.Id, message.CloudEvent, now, message.Report?.To);
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
