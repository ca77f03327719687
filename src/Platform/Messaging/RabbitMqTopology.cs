using MassTransit;
using MissionControl.Contracts;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// The broker's queues: one durable quorum queue for each consumer, bound to the exchange of its message. All of them are declared by
/// <c>missioncontrol migrate</c> before the first role starts, so that a message sent before its consumer's first start waits for it.
/// </summary>
public static class RabbitMqTopology
{
    /// <summary>Exchange type of messages that are routed by kind; all others fan out.</summary>
    internal const string Routed = "direct";

    private const int Concurrency = 8;

    // Each takes its turn in a batch of what waits.
    private const int BatchConcurrency = 100;

    /// <summary>Every consumer of the product, whatever roles run here.</summary>
    public static IReadOnlyList<HandlerBinding> AllConsumers(ModuleCatalog modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
        return MessagingServices.HandlersOf(modules.All).Bindings;
    }

    /// <summary>Declares exchanges, queues and bindings of every role; doing it again changes nothing.</summary>
    public static async Task DeclareAsync(RabbitMqSettings settings, ModuleCatalog modules, CancellationToken cancellationToken)
    {
        var bus = Create(settings, AllConsumers(modules), runner: null);
        await bus.DeployAsync(cancellationToken);
    }

    /// <summary>A bus that consumes the queues of these bindings.</summary>
    internal static IBusControl Create(RabbitMqSettings settings, IReadOnlyList<HandlerBinding> bindings, HandlerRunner? runner) => Bus.Factory.CreateUsingRabbitMq(bus =>
    {
        bus.Host(settings.Address, host =>
        {
            host.Username(settings.User);
            host.Password(settings.Password);
            host.Heartbeat(TimeSpan.FromSeconds(10));
            if (settings.Address.Scheme == "amqps")
            {
                host.UseSsl(tls => tls.ServerName = settings.Address.Host);
            }
        });
        bus.DeployTopologyOnly = runner is null;
        bus.AutoStart = false;
        foreach (var message in typeof(IMessage).Assembly.GetExportedTypes().Where(type => typeof(IRouted).IsAssignableFrom(type) && !type.IsAbstract))
        {
            Route(bus, message);
        }

        foreach (var binding in bindings)
        {
            bus.ReceiveEndpoint(binding.Name, endpoint =>
            {
                endpoint.SetQuorumQueue();
                var concurrency = binding.TakesSeveral ? BatchConcurrency : Concurrency;
                endpoint.PrefetchCount = concurrency * 2;
                endpoint.ConcurrentMessageLimit = concurrency;
                endpoint.PublishFaults = false;

                // What fails is parked in the consumer's own tables; what could not even be parked stays in its queue.
                endpoint.RethrowFaultedMessages();
                endpoint.ThrowOnSkippedMessages();
                binding.Connect(endpoint, runner);
            });
        }
    });

    private static void Route(IRabbitMqBusFactoryConfigurator bus, Type message) => typeof(RabbitMqTopology)
        .GetMethod(nameof(RouteByKind), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.MakeGenericMethod(message).Invoke(null, [bus]);

    private static void RouteByKind<T>(IRabbitMqBusFactoryConfigurator bus)
        where T : class, IRouted
    {
        bus.Publish<T>(exchange => exchange.ExchangeType = Routed);
        bus.Send<T>(send => send.UseRoutingKeyFormatter(context => context.Message.Route));
    }
}
