using MassTransit;
using MassTransit.Mediator;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;
using MissionControl.Platform.Security;
using MissionControl.Platform.Telemetry;
using MissionControl.Platform.Time;

namespace MissionControl.Platform.Messaging;

/// <summary>Registers outbox, inbox, handlers and the transport.</summary>
public static class MessagingServices
{
    /// <summary>Embedded: messages are handed to the consumers of this process, and their rows deleted when all succeeded.</summary>
    public static void AddEmbeddedMessaging(this IServiceCollection services, ModuleCatalog modules)
    {
        var handlers = AddMessaging(services, modules);
        services.AddMediator(bus =>
        {
            foreach (var binding in handlers.Bindings.DistinctBy(binding => binding.ConsumerType))
            {
                binding.Register(bus);
            }
        });
        services.AddSingleton<ITransport>(provider => new MediatorTransport(provider.GetRequiredService<IMediator>()));
    }

    /// <summary>Distributed: messages go over RabbitMQ, and this process consumes the queues of its active modules.</summary>
    public static void AddDistributedMessaging(this IServiceCollection services, ModuleCatalog modules, RabbitMqSettings rabbitMq)
    {
        var handlers = AddMessaging(services, modules);
        // The broker lives in the machine's time, whatever clock the rest is given: in a world twenty times as fast it would have to answer within a quarter of a second.
        services.AddSingleton(provider => new RabbitMqTransport(
            rabbitMq, RabbitMqTopology.Create(rabbitMq, handlers.Bindings, provider.GetRequiredService<HandlerRunner>()),
            provider.GetRequiredService<IHostApplicationLifetime>(), TimeProvider.System, provider.GetRequiredService<ILogger<RabbitMqTransport>>()));
        services.AddSingleton<ITransport>(provider => provider.GetRequiredService<RabbitMqTransport>());
        services.AddHostedService(provider => provider.GetRequiredService<RabbitMqTransport>());
    }

    /// <summary>Registers a sweeper of an active module.</summary>
    public static void AddSweeper<T>(this IServiceCollection services)
        where T : Sweeper => services.AddSingleton<Sweeper, T>();

    /// <summary>The consumers that these modules name.</summary>
    internal static HandlerRegistry HandlersOf(IEnumerable<IModule> modules)
    {
        var handlers = new HandlerRegistry();
        foreach (var module in modules)
        {
            handlers.Module = module.Name;
            module.AddHandlers(handlers);
            handlers.AddSecurityHandlers(module.Name);
            handlers.AddRetentionHandlers(module);
        }

        return handlers;
    }

    private static HandlerRegistry AddMessaging(IServiceCollection services, ModuleCatalog modules)
    {
        var handlers = HandlersOf(modules.Active);
        foreach (var module in modules.Active)
        {
            services.AddSingleton<IHostedService>(provider => new OutboxDispatcher(module.Name, provider.GetRequiredService<IServiceScopeFactory>(),
                provider.GetRequiredService<ITransport>(), provider.GetRequiredService<OutboxSignal>(), provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<OutboxDispatcher>>()));
            services.AddSingleton<Sweeper>(provider => new ParkedMessageSweeper(module.Name, handlers, provider.GetRequiredService<HandlerRunner>(), provider.GetRequiredService<TimeProvider>()));
        }

        foreach (var binding in handlers.Bindings)
        {
            binding.Register(services);
        }

        services.AddSingleton(handlers);
        services.AddSingleton<ProcessIdentity>();
        services.AddSingleton<OutboxSignal>();
        services.AddSingleton<HandlerRunner>();
        services.AddHostedService<SweeperHost>();
        services.AddSingleton<QueueGauges>();
        services.AddHostedService(provider => provider.GetRequiredService<QueueGauges>());
        services.AddHostedService<ReplicaHeartbeat>();
        services.AddScoped<ModuleScope>();
        services.AddScoped<IEvents, ScopedEvents>();
        return handlers;
    }
}
