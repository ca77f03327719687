using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.Platform.Tasks;

/// <summary>Registers what works on long tasks.</summary>
public static class TaskServices
{
    /// <summary>Registers what tasks of an active module can do.</summary>
    public static void AddTaskAction<T>(this IServiceCollection services)
        where T : TaskAction => services.AddSingleton<TaskAction, T>();

    /// <summary>A worker for each active module, and what every module's tasks can do.</summary>
    public static void AddPlatformTasks(this IServiceCollection services, ModuleCatalog modules)
    {
        ArgumentNullException.ThrowIfNull(modules);
        services.AddScoped<LongTasks>();
        foreach (var module in modules.Active)
        {
            services.AddSingleton<TaskAction>(provider => new RetryParkedMessages(module.Name, provider.GetRequiredService<HandlerRegistry>(), provider.GetRequiredService<HandlerRunner>()));
            services.AddSingleton<Sweeper>(provider => new TaskWorker(module.Name, provider.GetServices<TaskAction>(), provider.GetRequiredService<IServiceScopeFactory>(),
                provider.GetRequiredService<IDatabaseDialect>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<TaskWorker>>()));
        }
    }
}
