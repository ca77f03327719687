using MissionControl.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Xunit;

namespace MissionControl.System.Tests;

/// <summary>What networks and brokers may do to messages without losing any: turn their order, and bring them several times.</summary>
[Collection(Shapes.Distributed)]
public sealed class DistributedOrderTests(DistributedFixture fixture)
{
    private static readonly string[] Consumers = ["fleet.record-events", "licensing.record-usage"];
    private readonly DistributedInstallation installation = fixture.Installation;

    [Fact]
    public async Task What_two_replicas_took_at_once_and_the_broker_brings_reversed_and_twice_is_stored_exactly_once()
    {
        var senders = await Senders.EnrollAsync(installation, 3, () => new Sender(installation) { Doubled = true });
        var factory = new ConnectionFactory { Uri = installation.RabbitMq.Address, UserName = "owner", Password = installation.RabbitMq.Password };
        await using var connection = await factory.CreateConnectionAsync();
        var confirmed = new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);
        await using var channel = await connection.CreateChannelAsync(confirmed);
        await using var following = await connection.CreateChannelAsync(confirmed);
        foreach (var consumer in Consumers)
        {
            // What would reach the consumer is kept aside from here on: the exchange of its endpoint has another queue than its own.
            await channel.QueueDeclareAsync(Aside(consumer), durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
            await channel.QueueBindAsync(Aside(consumer), consumer, "");
            await channel.QueueUnbindAsync(consumer, consumer, "");
        }

        using (var load = new CancellationTokenSource())
        {
            var running = senders.ConvertAll(sender => sender.SendUntilAsync(load.Token));
            await Eventually.TrueAsync(() => senders.TrueForAll(sender => sender.Acknowledged.Count >= 40), "every sender was acknowledged often");
            await load.CancelAsync();
            await Task.WhenAll(running);
        }

        foreach (var consumer in Consumers)
        {
            var kept = new List<BasicGetResult>();
            await Eventually.TrueAsync(async () => await TakeAsync(channel, consumer, kept) > 10, $"messages to {consumer} are kept aside");
            kept.Reverse();
            foreach (var message in kept.Concat(kept))
            {
                await channel.BasicPublishAsync("", consumer, mandatory: true, new BasicProperties(message.BasicProperties), message.Body);
            }

            // What came meanwhile and what is under way still comes after, for as long as the queue aside stands.
            var rest = new AsyncEventingBasicConsumer(following);
            rest.ReceivedAsync += async (_, late) =>
            {
                await following.BasicPublishAsync("", consumer, mandatory: true, new BasicProperties(late.BasicProperties), late.Body);
                await following.BasicAckAsync(late.DeliveryTag, multiple: false);
            };
            await following.BasicConsumeAsync(Aside(consumer), autoAck: false, rest);
            await channel.QueueBindAsync(consumer, consumer, "");
            await channel.QueueUnbindAsync(Aside(consumer), consumer, "");
        }

        await Senders.VerifyAsync(installation, senders);
        foreach (var consumer in Consumers)
        {
            await channel.QueueDeleteAsync(Aside(consumer));
        }

        installation.AssertNothingCritical();
    }

    private static string Aside(string consumer) => $"aside.{consumer}";

    /// <summary>Takes all that is kept aside now; says how many there are in all.</summary>
    private static async Task<int> TakeAsync(IChannel channel, string consumer, List<BasicGetResult> kept)
    {
        while (await channel.BasicGetAsync(Aside(consumer), autoAck: true) is { } message)
        {
            kept.Add(message);
        }

        return kept.Count;
    }
}
