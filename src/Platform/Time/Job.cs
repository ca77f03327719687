using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace MissionControl.Platform.Time;

/// <summary>Work done by the clock. Every replica's scheduler fires; the fire counts for the one that inserts (job, instant).</summary>
/// <param name="name"><c>{module}.{effect}</c>; fixed for ever, since its runs are found by it.</param>
/// <param name="module">The module whose tables it works on.</param>
/// <param name="schedule">Cron expression with seconds, UTC.</param>
/// <param name="summary">What it does, for people.</param>
public abstract class Job(string name, string module, string schedule, string summary)
{
    /// <summary>Name of the job.</summary>
    public string Name => name;

    /// <summary>The module it belongs to.</summary>
    public string Module => module;

    /// <summary>Cron expression with seconds, UTC.</summary>
    public string Schedule => schedule;

    /// <summary>What it does, for people.</summary>
    public string Summary => summary;

    /// <summary>One run, in a service scope of its own with the module entered. Must be safe to be cut off and begun anew.</summary>
    /// <returns>What it did, in words.</returns>
    public abstract Task<string> RunAsync(IServiceProvider scope, CancellationToken cancellationToken);
}

/// <summary>Registers jobs.</summary>
public static class JobServices
{
    /// <summary>Registers a job of an active module.</summary>
    public static void AddJob<T>(this IServiceCollection services)
        where T : Job => services.AddSingleton<Job, T>();

    /// <summary>Registers the scheduler of this process.</summary>
    public static void AddPlatformJobs(this IServiceCollection services)
    {
        services.AddSingleton<JobRunner>();
        services.AddScoped<JobsNow>();
        services.AddQuartz(quartz => quartz.UseInMemoryStore());
        services.AddHostedService<JobScheduler>();
    }
}
