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

    /// <summary>So many that somebody wants to know of wait for a customer's receivers at once: twice as many as it has exports.</summary>
    private const int MostWaiting = 20;

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
                Refuse(message.Id, report, NoEndpoint, now);
            }

            return;
        }

        // At once, and nothing is kept: whoever makes exports and removes them would fill the database.
        if (message.Report is { } wants && (endpoint.IsDisabled ? "The endpoint is disabled." : await IsFullAsync(endpoint, message.Id, cancellationToken) ? $"{MostWaiting} batches wait for receivers already that do not take them." : null) is { } hindrance)
        {
            Refuse(message.Id, wants, hindrance, now);
            return;
        }

        var delivery = Delivery.Event(endpoint, type, message.Id, message.CloudEvent, now, message.Report?.To);
        if (!await db.Set<Delivery>().AnyAsync(row => row.Id == delivery.Id, cancellationToken))
        {
            db.Add(delivery);
        }
    }

    private void Refuse(Guid id, DeliveryReport report, string why, DateTimeOffset now) => events.Publish(new DeliveryEnded(id, report.To, DeliveryEnded.Failed, why, now));

    // One that comes again is not in its own way.
    private async Task<bool> IsFullAsync(OutboundEndpoint endpoint, Guid id, CancellationToken cancellationToken)
    {
        var key = id.ToString("N");
        return endpoint.CustomerId is { } customer && await db.Set<Delivery>().CountAsync(row => row.State == DeliveryState.Waiting && row.CustomerId == customer && row.Report != null && row.DedupKey != key, cancellationToken) >= MostWaiting;
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
