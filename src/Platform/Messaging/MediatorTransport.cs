using MassTransit;
using MassTransit.Mediator;
using MissionControl.Contracts;
using MissionControl.Platform.Data;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// Embedded delivery: every consumer runs in this process before the outbox row may go, so that kill -9 loses nothing.
/// (The in-memory bus of the library acknowledges before its consumers ran, and is therefore not used.)
/// </summary>
internal sealed class MediatorTransport(IMediator mediator) : ITransport
{
    // Enough that a consumer which takes several messages at once finds several waiting.
    public int Parallelism => 256;

    public Task SendAsync(OutboxMessage row, IMessage message, CancellationToken cancellationToken) =>
#pragma warning disable RS0030 // The transport is the one place that publishes.
        mediator.Publish(message, message.GetType(), Pipe.Execute<PublishContext>(context =>
        {
            context.MessageId = row.Id;
            context.Headers.Set(MessageHeaders.SentAt, row.CreatedAt.ToUnixTimeMilliseconds());
        }), cancellationToken);
#pragma warning restore RS0030
}
