using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Platform.Messaging;

/// <summary>What waits in one module's tables.</summary>
/// <param name="Waiting">Messages in the outbox, counted up to <see cref="QueueGauges.Most"/>.</param>
/// <param name="OldestSince">When the oldest of them was written; null when none waits.</param>
/// <param name="Parked">Messages that a consumer could not apply and nobody gave up, counted up to the same bound.</param>
internal sealed record QueueDepth(long Waiting, DateTimeOffset? OldestSince, long Parked);

/// <summary>
/// Gauges of what waits: every replica looks into its roles' tables by itself every few seconds, so that a scrape costs nothing and no
/// table is ever counted to its end.
/// </summary>
internal sealed class QueueGauges : BackgroundService
{
    /// <summary>Where counting ends: whoever has that many waiting need not know how many more.</summary>
    public const int Most = 10_000;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private readonly Meter meter = new("MissionControl.Platform");
    private readonly ModuleCatalog modules;
    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider time;
    private volatile Look known = new(new Dictionary<string, QueueDepth>(), DateTimeOffset.MinValue);

    public QueueGauges(ModuleCatalog modules, IServiceScopeFactory scopes, TimeProvider time)
    {
        this.modules = modules;
        this.scopes = scopes;
        this.time = time;
        meter.CreateObservableGauge<long>("missioncontrol.outbox.waiting", () => Each(depth => depth.Waiting), "{message}", "Messages in the outbox, at most 10000.");
        meter.CreateObservableGauge<double>("missioncontrol.outbox.oldest_age", () => Each(depth => depth.OldestSince is { } since ? Math.Max(0, (time.GetUtcNow() - since).TotalSeconds) : 0), "s", "Age of the oldest of them.");
        meter.CreateObservableGauge<long>("missioncontrol.messages.parked", () => Each(depth => depth.Parked), "{message}", "Messages that a consumer could not apply, at most 10000.");
    }

    /// <summary>Looks into the tables of every active module.</summary>
    public async Task<IReadOnlyDictionary<string, QueueDepth>> LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var seen = new Dictionary<string, QueueDepth>();
        foreach (var module in modules.Active)
        {
            // Ids rise with time: the first of the key is the oldest row.
            var oldest = await db.Outbox(module.Name).AsNoTracking().OrderBy(row => row.Id).Select(row => (DateTimeOffset?)row.CreatedAt).FirstOrDefaultAsync(cancellationToken);
            var waiting = oldest is null ? 0 : await db.Outbox(module.Name).Select(row => row.Id).Take(Most).LongCountAsync(cancellationToken);
            var parked = await db.ParkedMessages(module.Name).Where(row => row.State != ParkedState.GivenUp).Select(row => row.Id).Take(Most).LongCountAsync(cancellationToken);
            seen[module.Name] = new QueueDepth(waiting, oldest, parked);
        }

        known = new Look(seen, time.GetUtcNow());
        return seen;
    }

    /// <summary>What was last seen of a module, and when; looks by itself when nothing was seen yet.</summary>
    public async Task<(QueueDepth Depth, DateTimeOffset At)> OfAsync(string module, CancellationToken cancellationToken)
    {
        if (!known.ByRole.ContainsKey(module))
        {
            await LookAsync(cancellationToken);
        }

        var seen = known;
        return (seen.ByRole[module], seen.At);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        meter.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // The database is away, which drivers say in exceptions of many kinds and others tell; no process ends for its gauges.
                // What waited then waits still, and its age goes on rising.
            }

            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private IEnumerable<Measurement<T>> Each<T>(Func<QueueDepth, T> of)
        where T : struct => known.ByRole.Select(entry => new Measurement<T>(of(entry.Value), new KeyValuePair<string, object?>("role", entry.Key)));

    private sealed record Look(IReadOnlyDictionary<string, QueueDepth> ByRole, DateTimeOffset At);
}
