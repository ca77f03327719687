using MassTransit;
using MissionControl.Contracts.Commands.Notifications;

namespace MissionControl.Contracts.Commands.Identity;

/// <summary>
/// Asks identity, which alone knows who holds a role and how people are written to, to send a notification on to the addresses behind
/// its recipients. Notifications sends it.
/// </summary>
/// <param name="Notification">What is to be told; its recipients are persons and roles.</param>
[EntityName("identity.name-recipients")]
[MessageUrn("identity.name-recipients")]
public sealed record NameRecipients(SendNotification Notification) : IMessage
{
    /// <inheritdoc />
    public string Key => Notification.Key;

    /// <inheritdoc />
    public long Version => 1;
}
