using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.DesiredState;
using MissionControl.Platform.Data;
using MissionControl.Platform.Telemetry;
using MissionControl.Platform.Time;
using MissionControl.Trust.Envelopes;

namespace MissionControl.CallHome.Intake;

/// <summary>What a check-in must know of its cluster, in memory.</summary>
internal sealed class KnownCluster(Guid id, Guid customerId)
{
    private long paidUntil;
    private long warnedAt;

    public Guid Id { get; } = id;

    public Guid CustomerId { get; } = customerId;

    public ClusterState State { get; set; }

    public long Epoch { get; set; }

    public bool CloneSuspected { get; set; }

    /// <summary>An access token of an earlier one is worthless.</summary>
    public long AccessGeneration { get; set; } = 1;

    /// <summary>Rises with every change of the desired state; the ETag an agent holds.</summary>
    public long DesiredRevision { get; set; }

    /// <summary>When it last changed, Unix milliseconds: after a restored backup the same revision may be another state.</summary>
    public long DesiredChangedAt { get; set; }

    /// <summary>SubjectPublicKeyInfo by key id of all keys that ever signed for it; replaced as a whole.</summary>
    public IReadOnlyDictionary<string, byte[]> Keys { get; set; } = new Dictionary<string, byte[]>();

    /// <summary>One of its keys; imported when it is used, so that a start with many clusters imports none.</summary>
    public VerificationKey? KeyOf(string kid) => Keys.TryGetValue(kid, out var spki) ? VerificationKey.FromSpki(spki) : null;

    /// <summary>When its keys ended, those that have; replaced as a whole.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Ended { get; set; } = new Dictionary<string, DateTimeOffset>();

    /// <summary>One of its keys that has not ended.</summary>
    public VerificationKey? KeyInForce(string kid, DateTimeOffset now) => Ended.TryGetValue(kid, out var ended) && ended <= now ? null : KeyOf(kid);

    /// <summary>Only the committer replaces it.</summary>
    public IntakeState? Intake { get; set; }

    /// <summary>Until when what it sent is paid for; see <see cref="CheckInLimiter"/>. A monotonic timestamp.</summary>
    public ref long PaidUntil => ref paidUntil;

    /// <summary>When its pace was last complained of; a monotonic timestamp, 0: never.</summary>
    public ref long WarnedAt => ref warnedAt;
}

/// <summary>
/// All clusters this replica may hear from. Filled at start and refreshed every 2 s from the database, so that a suspension
/// holds on every replica within 5 s even with the broker down; a replica that could not refresh for 30 s is not ready.
/// </summary>
internal sealed partial class ClusterDirectory(IServiceScopeFactory scopes, Readiness readiness, TimeProvider time, ILogger<ClusterDirectory> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MaxStaleness = TimeSpan.FromSeconds(30);

    // A transaction that began before the last poll may commit after it; the overlap finds its rows all the same.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(30);
    private readonly ConcurrentDictionary<Guid, KnownCluster> clusters = new();
    private DateTimeOffset refreshedAt;
    private long refreshedTick;

    /// <summary>True while what is known here may be out of date by more than 30 s; check-ins are then answered 503.</summary>
    /// <remarks>By the monotonic clock: a step of the wall clock makes nothing stale.</remarks>
    public bool IsStale => time.GetElapsedTime(Interlocked.Read(ref refreshedTick)) > MaxStaleness;

    public bool TryGet(Guid id, out KnownCluster cluster) => clusters.TryGetValue(id, out cluster!);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await PollAsync(DateTimeOffset.UnixEpoch, cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.NextAsync(stoppingToken))
        {
            try
            {
                await PollAsync(refreshedAt - Overlap, stoppingToken);
                readiness.Has("cluster-directory");
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogRefreshFailed(logger, exception);
                if (IsStale)
                {
                    readiness.Lacks("cluster-directory", "Suspensions could not be read for 30 s.");
                }
            }
        }
    }

    /// <summary>
    /// Reads everything that changed since the last poll. Only this counts as news: a change of our own says nothing of the others'.
    /// The next poll reads from the earlier of two clocks, ours and the database's: one of ours that is ahead would pass over the
    /// suspensions that other replicas write, and call itself fresh.
    /// </summary>
    private async Task PollAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        var (now, tick) = (time.GetUtcNow(), time.GetTimestamp());
        var database = await DatabaseClockAsync(cancellationToken);
        await RefreshAsync(since, cancellationToken);
        refreshedAt = database < now ? database.Value : now;
        Interlocked.Exchange(ref refreshedTick, tick);
    }

    private async Task<DateTimeOffset?> DatabaseClockAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        return await db.Dialect.ClockAsync(db, cancellationToken);
    }

    /// <summary>Reads what changed since an instant: after a change made by this process, so that it holds here at once.</summary>
    public async Task RefreshAsync(DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("the cluster directory serves every customer's clusters");
        var changed = await db.Set<Cluster>().AsNoTracking().Where(cluster => cluster.ChangedAt >= since)
            .Select(cluster => new { cluster.Id, cluster.CustomerId, cluster.State, cluster.Epoch, cluster.CloneSuspected, cluster.AccessGeneration }).ToListAsync(cancellationToken);
        var keys = await KeysAsync(db, since == DateTimeOffset.UnixEpoch ? null : changed.ConvertAll(row => row.Id), cancellationToken);
        foreach (var row in changed)
        {
            // A cluster that is new here may be heard from the moment it stands in the directory: with all that is known of it, or not
            // at all. One that was known without its keys had its usage refused.
            var known = clusters.GetValueOrDefault(row.Id) ?? new KnownCluster(row.Id, row.CustomerId);
            Update(known);
            if (clusters.GetOrAdd(row.Id, known) is var there && there != known)
            {
                Update(there);
            }

            void Update(KnownCluster cluster)
            {
                cluster.Ended = keys[row.Id].Where(key => key.NotAfter is not null).ToDictionary(key => key.Kid, key => key.NotAfter!.Value, StringComparer.Ordinal);
                cluster.Keys = keys[row.Id].ToDictionary(key => key.Kid, key => key.Spki, StringComparer.Ordinal);
                cluster.State = row.State;
                cluster.Epoch = row.Epoch;
                cluster.CloneSuspected = row.CloneSuspected;
                cluster.AccessGeneration = row.AccessGeneration;
            }
        }

        var desired = db.Set<DesiredRevision>().AsNoTracking().Where(row => row.ChangedAt >= since).Select(row => new { row.ClusterId, row.Revision, row.ChangedAt });
        await foreach (var row in desired.AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (clusters.TryGetValue(row.ClusterId, out var known))
            {
                known.DesiredRevision = row.Revision;
                known.DesiredChangedAt = row.ChangedAt.ToUnixTimeMilliseconds();
            }
        }

        if (since == DateTimeOffset.UnixEpoch)
        {
            await foreach (var row in db.Set<IntakeRow>().AsNoTracking().AsAsyncEnumerable().WithCancellation(cancellationToken))
            {
                if (clusters.TryGetValue(row.ClusterId, out var known))
                {
                    known.Intake = row.ToState();
                }
            }
        }
    }

    /// <summary>Keys of the clusters named, or of all. By id, not by a join with what changed: engines then read every key there is.</summary>
    private static async Task<ILookup<Guid, KeyRow>> KeysAsync(ControlPlaneDbContext db, List<Guid>? ids, CancellationToken cancellationToken)
    {
        if (ids is { Count: 0 })
        {
            return Array.Empty<KeyRow>().ToLookup(key => key.ClusterId);
        }

        var of = db.Set<ClusterKeyRow>().AsNoTracking().Where(key => key.Use == ClusterKeyRow.Identity);
        var rows = await (ids is null ? of : of.Where(key => EF.Parameter(ids).Contains(key.ClusterId))).Select(key => new KeyRow(key.ClusterId, key.Kid, key.Spki, key.NotAfter)).ToListAsync(cancellationToken);
        return rows.ToLookup(row => row.ClusterId);
    }

    private sealed record KeyRow(Guid ClusterId, string Kid, byte[] Spki, DateTimeOffset? NotAfter);

    [LoggerMessage(1001, LogLevel.Warning, "The cluster directory could not be refreshed; what is known stays in force")]
    private static partial void LogRefreshFailed(ILogger logger, Exception exception);
}
