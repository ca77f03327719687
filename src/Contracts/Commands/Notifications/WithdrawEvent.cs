using MassTransit;

namespace MissionControl.Contracts.Commands.Notifications;

/// <summary>Takes back a <see cref="DeliverEvent"/> that somebody does not want delivered any more. What is being sent goes on; nothing is sent after it, and nobody is told how it ended.</summary>
/// <param name="Id">Id of the <see cref="DeliverEvent"/>, which may come later than this.</param>
/// <param name="EndpointId">Its endpoint.</param>
/// <param name="Report">Its report: one delivers, and takes back, in one's own name alone.</param>
[EntityName("notifications.withdraw")]
[MessageUrn("notifications.withdraw")]
public sealed record WithdrawEvent(Guid Id, Guid EndpointId, DeliveryReport Report) : IMessage
{
    /// <inheritdoc />
    public string Key => Id.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}
