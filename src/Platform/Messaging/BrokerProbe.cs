using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// Whether the broker takes messages at all, asked over a connection of its own, so that a publisher that is stuck can be told from a
/// broker that is away, frozen, or under an alarm of memory or disk, where it blocks whoever publishes.
/// </summary>
internal static class BrokerProbe
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    /// <summary>Publishes a message that reaches no queue, and asks once more. Whatever goes wrong on the way means no.</summary>
    public static async Task<bool> TakesMessagesAsync(RabbitMqSettings settings, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            var factory = new ConnectionFactory
            {
                Uri = settings.Address,
                Port = settings.Port,
                UserName = settings.User,
                Password = settings.Password,
                ClientProvidedName = "missioncontrol probe",
                AutomaticRecoveryEnabled = false,
                ContinuationTimeout = Deadline,
                RequestedConnectionTimeout = Deadline,

                // By its address alone the library would take a certificate of any name.
                Ssl = new SslOption(settings.Address.Host, enabled: settings.Address.Scheme == "amqps"),

                // A broker under an alarm notices by a missing heartbeat only that nobody is there any more.
                RequestedHeartbeat = TimeSpan.FromSeconds(5),
            };
            await using var connection = await factory.CreateConnectionAsync(deadline.Token);
            await using var end = new Abort(connection);
            await PublishAsync(connection, deadline.Token);

            // Under an alarm the broker reads nothing more from a connection once it published, though that may have been confirmed.
            await using var again = await connection.CreateChannelAsync(cancellationToken: deadline.Token);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private static async Task PublishAsync(IConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
#pragma warning disable RS0030 // It carries nothing and goes nowhere.
            await channel.BasicPublishAsync("", "missioncontrol.probe", mandatory: false, body: ReadOnlyMemory<byte>.Empty, cancellationToken: cancellationToken);
#pragma warning restore RS0030
        }
        catch (OperationInterruptedException refused) when (refused.ShutdownReason?.ReplyCode == 403)
        {
            // That it refuses is an answer too: a role's login may not write there.
        }
    }

    /// <summary>A blocked connection does not hear that it is to be closed; nobody waits for that.</summary>
    private sealed class Abort(IConnection connection) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await connection.AbortAsync(TimeSpan.FromMilliseconds(500));
    }
}
