using MassTransit;

namespace MissionControl.Contracts.Commands.Notifications;

/// <summary>Delivers an event to a system: a webhook or a syslog server, as the endpoint says.</summary>
/// <param name="Id">The delivery's id: the same id is delivered once.</param>
/// <param name="EndpointId">The endpoint.</param>
/// <param name="CloudEvent">
/// The CloudEvents 1.0 JSON document, sent byte for byte; at most 1 MiB. One whose <c>data</c> has an array <c>lines</c> is a batch: a
/// webhook gets it whole, a syslog server each line as a message of its own, in their order.
/// </param>
/// <param name="Report">Who wants to know how it ends; null: nobody.</param>
[EntityName("notifications.deliver")]
[MessageUrn("notifications.deliver")]
public sealed record DeliverEvent(Guid Id, Guid EndpointId, byte[] CloudEvent, DeliveryReport? Report = null) : IMessage
{
    /// <inheritdoc />
    public string Key => Id.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}

/// <summary>Who wants to know how a delivery ends, and to whom it goes at all.</summary>
/// <param name="To">By this name <c>notifications.delivery-ended</c> finds who asked, such as <c>audit.export</c>; at most 40 characters.</param>
/// <param name="CustomerId">The customer whose endpoint it has to be; null: the vendor's. To anybody else's nothing is delivered.</param>
public sealed record DeliveryReport(string To, Guid? CustomerId);
