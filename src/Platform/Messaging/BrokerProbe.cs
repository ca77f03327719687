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

    /// <summary>Publishes a message that reaches no queue. That the broker refuses it is an answer too: a role's login may not write there.</summary>
    public static async Task<bool> TakesMessagesAsync(RabbitMqSettings settings, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Deadline);
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
        };
        try
        {
            await using var connection = await factory.CreateConnectionAsync(deadline.Token);
            await using var end = new Abort(connection);
            var blocked = new TaskCompletionSource();
            connection.ConnectionBlockedAsync += (_, _) =>
            {
                blocked.TrySetResult();
                return Task.CompletedTask;
            };
            var answered = PublishAsync(connection, deadline.Token);
            return await Task.WhenAny(answered, blocked.Task) == answered && await answered;
        }
        catch (Exception exception) when (exception is BrokerUnreachableException or OperationInterruptedException or OperationCanceledException or IOException or TimeoutException)
        {
            return false;
        }
    }

    private static async Task<bool> PublishAsync(IConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
#pragma warning disable RS0030 // It carries nothing and goes nowhere.
            await channel.BasicPublishAsync("", "missioncontrol.probe", mandatory: false, body: ReadOnlyMemory<byte>.Empty, cancellationToken: cancellationToken);
#pragma warning restore RS0030
            return true;
        }
        catch (OperationInterruptedException refused) when (refused.ShutdownReason?.ReplyCode == 403)
        {
            return true;
        }
    }

    /// <summary>A blocked connection does not hear that it is to be closed; nobody waits for that.</summary>
    private sealed class Abort(IConnection connection) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await connection.AbortAsync(TimeSpan.FromMilliseconds(500));
    }
}
