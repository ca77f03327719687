using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;

namespace MissionControl.Platform.Retention;

/// <summary>Registers the retention table and its jobs.</summary>
public static class RetentionServices
{
    /// <summary>One job for each active module.</summary>
    public static void AddPlatformRetention(this IServiceCollection services, ModuleCatalog modules, RetentionTable table)
    {
        ArgumentNullException.ThrowIfNull(modules);
        services.AddSingleton(table);
        foreach (var module in modules.Active)
        {
            services.AddSingleton<Job>(provider => new PurgeRecords(module.Name, table, provider.GetRequiredService<TimeProvider>()));
        }
    }
}
