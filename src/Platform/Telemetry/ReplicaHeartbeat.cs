using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Telemetry;

/// <summary>
/// Every process says of itself every few seconds that it runs, in one small row of each of its roles; what fell silent is seen by
/// everybody, without asking a process that may not answer.
/// </summary>
internal sealed class ReplicaHeartbeat(ModuleCatalog modules, IServiceScopeFactory scopes, ProcessIdentity process, DataDirectory data, IServiceProvider services, TimeProvider time) : BackgroundService
{
    /// <summary>Three words in a row are missing.</summary>
    public static readonly TimeSpan SilentAfter = TimeSpan.FromSeconds(45);

    /// <summary>The version of this process, in one line.</summary>
    public static readonly string Version = WellFormedText.Line(
        typeof(ReplicaHeartbeat).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown", 60);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private long saidAt = time.GetTimestamp();

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await TryAsync(stopping: false, stoppingToken);
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // A process that was told to stop did not fail. It has little time, and its end must not wait for a database that is away.
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
        await TryAsync(stopping: true, soon.Token);
    }

    private async Task TryAsync(bool stopping, CancellationToken cancellationToken)
    {
        try
        {
            await SayAsync(stopping, cancellationToken);
        }
        catch (Exception)
        {
            // The database is away, or the process stops; others tell of both, and silence is what this is about.
        }
    }

    private async Task SayAsync(bool stopping, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var (free, total) = Disk();
        var since = time.GetElapsedTime(saidAt).TotalSeconds;
        saidAt = time.GetTimestamp();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        foreach (var module in modules.Active)
        {
            var work = services.GetKeyedService<WorkMeter>(module.Name)?.Take();
            var row = new BulkRows(
                ModuleTablesModel.Replicas(module.Name),
                ["instance", "version", "started_at", "seen_at", "stopped_at", "disk_free", "disk_total", "certificate_ends_at", "work_per_second", "work_p99_ms"], ["instance"],
                [[
                    process.Instance, Version, process.StartedAt.ToUnixTimeMilliseconds(), now, stopping ? now : null, free, total, process.CertificateEndsAt?.ToUnixTimeMilliseconds(),
                    work is null || since <= 0 ? null : work.Value.Count / since, work?.P99Ms,
                ]]);
            await db.Dialect.UpsertAsync(db, row, onlyIfNewer: null, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    private (long? Free, long? Total) Disk()
    {
        try
        {
            var drive = new DriveInfo(data.Root);
            return (drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (null, null);
        }
    }
}
