using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MissionControl.Contracts;

namespace MissionControl.Platform.Messaging;

/// <summary>
/// Applies a message. Runs in one write transaction together with its inbox row, so its effect happens once however often the
/// message comes; a throw rolls both back and the message is tried again, then parked. Must be safe against reordering.
/// </summary>
/// <typeparam name="T">The message.</typeparam>
public interface IMessageHandler<in T>
    where T : class, IMessage
{
    /// <summary>Applies the message; the caller saves and commits.</summary>
    Task HandleAsync(T message, MessageContext context, CancellationToken cancellationToken);
}

/// <summary>
/// A handler for messages that come by the hundred a second: what waits is applied together, in one transaction with one inbox row
/// for each message. If that fails, every message is applied alone, so that one that cannot be applied does not hold up the others.
/// </summary>
/// <typeparam name="T">The message.</typeparam>
public interface IBatchHandler<in T> : IMessageHandler<T>
    where T : class, IMessage
{
    /// <summary>
    /// Reads and judges the messages, before the transaction: on SQLite nobody else can write while one is open. Returns what writes
    /// them, which is called in the transaction, or never when one of them was applied before.
    /// </summary>
    Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<T> messages, CancellationToken cancellationToken);

    async Task IMessageHandler<T>.HandleAsync(T message, MessageContext context, CancellationToken cancellationToken) =>
        await (await PrepareAsync([message], cancellationToken))(cancellationToken);
}

/// <summary>What is known of a message besides its body.</summary>
/// <param name="MessageId">Its id, the same at every delivery.</param>
/// <param name="SentAt">When its outbox row was written (UTC).</param>
public sealed record MessageContext(Guid MessageId, DateTimeOffset SentAt);

/// <summary>One consumer: a module's handler of one message type.</summary>
public abstract class HandlerBinding
{
    /// <summary>The module whose tables it writes.</summary>
    public required string Module { get; init; }

    /// <summary>Fixed name: key in the inbox and name of the queue. Never renamed, or messages would be applied again.</summary>
    public required string Name { get; init; }

    /// <summary>The message type.</summary>
    public abstract Type MessageType { get; }

    /// <summary>The kinds it wants of an <see cref="IRouted"/> message; none: every message. What it does not want costs neither transaction nor inbox row.</summary>
    public required IReadOnlyList<string> Routes { get; init; }

    internal bool Wants(IMessage message) => Routes.Count == 0 || (message is IRouted routed && Routes.Contains(routed.Route));

    /// <summary>Whether its handler applies several messages at once.</summary>
    internal abstract bool TakesSeveral { get; }

    /// <summary>Resolves the handler from the scope and lets it prepare; what it returns writes, in the transaction.</summary>
    /// <param name="scope">The unit of work.</param>
    /// <param name="deliveries">One message, or several where <see cref="TakesSeveral"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal abstract Task<Func<CancellationToken, Task>> PrepareAsync(IServiceProvider scope, IReadOnlyList<Delivery> deliveries, CancellationToken cancellationToken);

    /// <summary>What tells consumers on the bus apart: message and handler.</summary>
    internal abstract Type ConsumerType { get; }

    internal abstract void Register(IServiceCollection services);

    internal abstract void Register(IRegistrationConfigurator bus);

    /// <summary>Consumes this binding's queue of the broker.</summary>
    internal abstract void Connect(IRabbitMqReceiveEndpointConfigurator endpoint, HandlerRunner? runner);
}

/// <summary>The handlers of the active modules.</summary>
public sealed class HandlerRegistry
{
    private readonly List<HandlerBinding> bindings = [];

    /// <summary>All handlers, in the order they were named.</summary>
    public IReadOnlyList<HandlerBinding> Bindings => bindings;

    /// <summary>The module that is naming its handlers.</summary>
    internal string Module { get; set; } = "";

    /// <summary>Names a handler. <paramref name="name"/> is <c>{module}.{effect}</c> and fixed for ever.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="routes">The kinds it wants, where the message is <see cref="IRouted"/>; none: all.</param>
    public void Add<TMessage, THandler>(string name, params string[] routes)
        where TMessage : class, IMessage
        where THandler : class, IMessageHandler<TMessage>
    {
        if (bindings.Any(binding => binding.Name == name))
        {
            throw new InvalidOperationException($"Two handlers are called '{name}'.");
        }

        bindings.Add(new Binding<TMessage, THandler> { Module = Module, Name = name, Routes = routes });
    }

    private sealed class Binding<TMessage, THandler> : HandlerBinding
        where TMessage : class, IMessage
        where THandler : class, IMessageHandler<TMessage>
    {
        public override Type MessageType => typeof(TMessage);

        internal override Type ConsumerType => typeof(Consumer<TMessage, THandler>);

        internal override bool TakesSeveral => typeof(IBatchHandler<TMessage>).IsAssignableFrom(typeof(THandler));

        internal override async Task<Func<CancellationToken, Task>> PrepareAsync(IServiceProvider scope, IReadOnlyList<Delivery> deliveries, CancellationToken cancellationToken)
        {
            IMessageHandler<TMessage> handler = scope.GetRequiredService<THandler>();
            return handler is IBatchHandler<TMessage> several
                ? await several.PrepareAsync([.. deliveries.Select(delivery => (TMessage)delivery.Message)], cancellationToken)
                : token => handler.HandleAsync((TMessage)deliveries.Single().Message, deliveries.Single().Context, token);
        }

        internal override void Register(IServiceCollection services)
        {
            services.TryAddScoped<THandler>();
            services.AddSingleton<Consumer<TMessage, THandler>.Of>(new Consumer<TMessage, THandler>.Of(this));
        }

        internal override void Register(IRegistrationConfigurator bus) => bus.AddConsumer<Consumer<TMessage, THandler>>();

        internal override void Connect(IRabbitMqReceiveEndpointConfigurator endpoint, HandlerRunner? runner)
        {
            if (Routes.Count > 0)
            {
                endpoint.ConfigureConsumeTopology = false;
                foreach (var route in Routes)
                {
                    endpoint.Bind<TMessage>(exchange =>
                    {
                        exchange.ExchangeType = RabbitMqTopology.Routed;
                        exchange.RoutingKey = route;
                    });
                }
            }

            endpoint.Handler<TMessage>(context => runner is null
                ? throw new InvalidOperationException("This process only declares queues.")
                : runner.ApplyUntilKeptAsync(this, context.Message, MessageHeaders.Read(context), context.CancellationToken));
        }
    }

    /// <summary>The adapter to the bus; nothing of the bus goes further than this class.</summary>
    /// <remarks>One handler class may serve several modules, each with its own inbox: every binding is applied on its own.</remarks>
    private sealed class Consumer<TMessage, THandler>(HandlerRunner runner, IEnumerable<Consumer<TMessage, THandler>.Of> bindings) : IConsumer<TMessage>
        where TMessage : class, IMessage
        where THandler : class, IMessageHandler<TMessage>
    {
        public async Task Consume(ConsumeContext<TMessage> context)
        {
            var about = MessageHeaders.Read(context);
            foreach (var of in bindings.Where(of => of.Binding.Wants(context.Message)))
            {
                await runner.ApplyAsync(of.Binding, context.Message, about, context.CancellationToken);
            }
        }

        public sealed record Of(HandlerBinding Binding);
    }
}

internal static class MessageHeaders
{
    public const string SentAt = "mc-sent-at";

    public static MessageContext Read(ConsumeContext context) => new(
        context.MessageId ?? throw new InvalidOperationException("A message without an id cannot be applied once."),
        context.Headers.Get<long>(SentAt) is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : default);
}
