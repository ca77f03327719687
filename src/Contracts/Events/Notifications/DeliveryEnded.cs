using MassTransit;

namespace MissionControl.Contracts.Events.Notifications;

/// <summary>
/// How a delivery ended that somebody wanted to know of. It comes at least once, and in no promised order: one that failed and was sent
/// later by hand tells both.
/// </summary>
/// <param name="Id">Id of the <c>notifications.deliver</c> that asked for it.</param>
/// <param name="To">The name in its report.</param>
/// <param name="Outcome"><c>sent</c>: the receiver has it; of syslog, that it took the bytes. <c>failed</c>: nobody tries any more.</param>
/// <param name="Problem">What went wrong; null: nothing.</param>
/// <param name="At">When it ended.</param>
[EntityName("notifications.delivery-ended")]
[MessageUrn("notifications.delivery-ended")]
public sealed record DeliveryEnded(Guid Id, string To, string Outcome, string? Problem, DateTimeOffset At) : IMessage
{
    /// <summary>The outcome of what the receiver has.</summary>
    public const string Sent = "sent";

    /// <summary>The outcome of what nobody tries any more.</summary>
    public const string Failed = "failed";

    /// <inheritdoc />
    public string Key => Id.ToString("N");

    /// <inheritdoc />
    public long Version => 1;
}
