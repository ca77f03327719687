using MassTransit;

namespace MissionControl.Contracts.Commands.Notifications;

/// <summary>Delivers an event to a system: a webhook or a syslog server, as the endpoint says.</summary>
/// <param name="Id">The delivery's id: the same id is delivered once.</param>
/// <param name="EndpointId">The endpoint.</param>
/// <param name="CloudEvent">The CloudEvents 1.0 JSON document, sent byte for byte; at most 256 KiB.</param>
[EntityName("notifications.deliver")]
[MessageUrn("notifications.deliver")]
public sealed record DeliverEvent(Guid Id, Guid EndpointId, byte[] CloudEvent) : IMessage
{
    /// <inheritdoc />
    public string Key => Id.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}
