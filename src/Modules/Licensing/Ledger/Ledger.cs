using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Licensing.Changes;
using MissionControl.Licensing.Meters;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Ledger;

/// <summary>
/// Puts a group of usage windows into the ledger in a handful of bulk statements. What counts for an hour is the highest
/// (epoch, revision), so that neither order nor repetition can change a sum. Replicas that judge windows of one cluster take turns by
/// its row's lock; the compare-and-swap notices the one case without a row to lock, a cluster's first windows.
/// </summary>
internal sealed partial class Ledger(ControlPlaneDbContext db, IEvents events, TimeProvider time, ILogger<Ledger> logger)
{
    private static readonly BulkRows Windows = new(
        "licensing_window", ["cluster_id", "hour", "epoch", "revision", "customer_id", "sha256", "verdict", "complete", "cells", "collected_at", "received_at", "kid", "signature", "payload", "seq", "lowered_by"],
        ["cluster_id", "hour", "epoch", "revision"], []);

    private static readonly int WindowSeq = Windows.Columns.ToList().IndexOf("seq");

    private static readonly BulkRows Recorded = new("licensing_change", ["seq", "at", "kind", "customer_id", "subject", "cluster_id", "first_hour", "last_hour", "version"], ["seq"], []);

    private static readonly BulkRows Heads = new(
        "licensing_window_head", ["cluster_id", "hour", "customer_id", "rank", "epoch", "revision", "sha256", "complete", "received_at"], ["cluster_id", "hour"], []);

    private static readonly string[] CellKey = ["cluster_id", "hour", "epoch", "revision", "meter", "dimension_hash"];

    private static readonly string[] CellColumns = [.. CellKey, "customer_id", "meter_version", "environment", "dimensions", "quantity"];

    private static readonly BulkRows Cells = new("licensing_cell", [.. CellColumns, "since"], CellKey, []);

    private static readonly BulkRows ParkedCells = new("licensing_parked_cell", CellColumns, CellKey, []);

    private static readonly object?[] WithItsWindow = [0L];

    private static readonly BulkRows Quarantine = new(
        "licensing_quarantined_window", ["cluster_id", "sha256", "customer_id", "hour", "epoch", "revision", "problem", "detail", "received_at", "body", "decided_at"], ["cluster_id", "sha256"], []);

    private static readonly BulkRows Waiting = new(
        "licensing_waiting_window", ["cluster_id", "sha256", "customer_id", "epoch", "seq", "reason", "due", "received_at", "body"], ["cluster_id", "sha256"], []);

    private static readonly BulkRows Ledgers = new(
        "licensing_cluster_ledger", ["cluster_id", "customer_id", "coverage", "results", "received_at", "version"], ["cluster_id"], []);

    private readonly List<object?[]> windows = [];
    private readonly List<object?[]> cells = [];
    private readonly List<object?[]> parkedCells = [];
    private readonly List<object?[]> quarantine = [];
    private readonly List<object?[]> waiting = [];
    private readonly Dictionary<(Guid Cluster, int Hour), Head> heads = [];
    private readonly Dictionary<(Guid Cluster, int Hour, long Epoch, long Revision), string> known = [];
    private readonly Dictionary<Guid, ClusterProgress> progress = [];
    private readonly List<Noted> noted = [];
    private LoweredHours lowered = new();

    /// <summary>
    /// Checks signatures and reads windows ahead of the transaction in which they are judged: it is most of the work, and meanwhile
    /// nobody else could write to SQLite, and nobody else judge windows of these clusters on servers. A signature that holds, holds
    /// for ever; whether its key counts is judged in the transaction.
    /// </summary>
    public async Task OpenAsync(IReadOnlyList<Arrival> arrivals, CancellationToken cancellationToken)
    {
        var clusters = await ClustersAsync(arrivals, cancellationToken);
        foreach (var arrival in arrivals)
        {
            if (clusters.GetValueOrDefault(arrival.ClusterId) is { } cluster && Judgement.Open(arrival, cluster, out _, out _) is { } opened)
            {
                arrival.Opened = opened;
            }
        }
    }

    /// <summary>Judges and stores the windows; joins the open write transaction. All of a window's cells come in, or none.</summary>
    /// <exception cref="DbUpdateConcurrencyException">Another replica judged windows of one of these clusters at the same moment.</exception>
    public async Task RecordAsync(IReadOnlyList<Arrival> arrivals, CancellationToken cancellationToken)
    {
        await LockAsync(db, arrivals.Select(arrival => arrival.ClusterId).Distinct(), cancellationToken);
        var clusters = await ClustersAsync(arrivals, cancellationToken);
        var meters = await Meters.Meters.AllAsync(db, cancellationToken);
        var ready = new List<(Arrival Arrival, UsageWindow Window, SignedWindow Opened)>(arrivals.Count);
        foreach (var arrival in arrivals)
        {
            var cluster = clusters.GetValueOrDefault(arrival.ClusterId);
            var readiness = Judgement.Judge(arrival, cluster, out var opened, out var problem);
            if (readiness == Readiness.Ready && Judgement.CheckQuantities(opened!.Window!, meters) is { } outOfScale)
            {
                (readiness, problem) = (Readiness.Rejected, outOfScale);
            }

            switch (readiness)
            {
                case Readiness.Ready:
                    ready.Add((arrival, opened!.Window!, opened));
                    break;
                case Readiness.Waits:
                    waiting.Add(
                    [
                        arrival.ClusterId, UsageWindow.Digest(arrival.Body), arrival.CustomerId, arrival.Epoch, arrival.Seq, problem!.Code, cluster is null, arrival.ReceivedAt.ToUnixTimeMilliseconds(), arrival.Body,
                    ]);
                    break;
                default:
                    Reject(arrival, opened, problem!);
                    break;
            }
        }

        await LoadAsync(arrivals, ready, clusters, cancellationToken);
        foreach (var (arrival, window, opened) in ready)
        {
            Enter(arrival, window, opened, meters);
        }

        await WriteAsync(cancellationToken);
    }

    /// <summary>Nobody else judges windows of these clusters until the transaction ends. Those that are not known yet have nothing to be locked by.</summary>
    public static Task LockAsync(ControlPlaneDbContext db, IEnumerable<Guid> clusters, CancellationToken cancellationToken) =>
        db.Dialect.LockRowsAsync(db, "licensing_cluster_ledger", Ledgers.Key, [.. clusters.Select(id => new object?[] { id })], cancellationToken);

    private async Task<Dictionary<Guid, JudgedCluster>> ClustersAsync(IReadOnlyList<Arrival> arrivals, CancellationToken cancellationToken)
    {
        var ids = arrivals.Select(arrival => arrival.ClusterId).Distinct().ToList();
        var rows = await db.Set<LedgerCluster>().AsNoTracking().Where(row => ids.Contains(row.Id)).ToListAsync(cancellationToken);
        var epochs = (await db.Set<LedgerEpoch>().AsNoTracking().Where(row => ids.Contains(row.ClusterId)).ToListAsync(cancellationToken)).ToLookup(row => row.ClusterId);
        return rows.ToDictionary(row => row.Id, row => new JudgedCluster(row, epochs[row.Id].ToDictionary(epoch => epoch.Epoch, epoch => epoch.IssuedAt)));
    }

    private async Task LoadAsync(
        IReadOnlyList<Arrival> arrivals, List<(Arrival Arrival, UsageWindow Window, SignedWindow Opened)> ready, Dictionary<Guid, JudgedCluster> clusters, CancellationToken cancellationToken)
    {
        var windowKeys = ready.Select(item => (item.Arrival.ClusterId, item.Window.Hour, item.Window.Epoch, item.Window.Revision)).Distinct().ToList();
        var stored = await db.Dialect.ReadByKeyAsync(
            db, "licensing_window", Windows.Key, [.. windowKeys.Select(key => new object?[] { key.ClusterId, key.Hour, key.Epoch, key.Revision })], ["sha256"], cancellationToken);
        for (var i = 0; i < windowKeys.Count; i++)
        {
            if (stored[i] is { } row)
            {
                known[windowKeys[i]] = (string)row[0]!;
            }
        }

        var headKeys = ready.Select(item => (item.Arrival.ClusterId, item.Window.Hour)).Distinct().ToList();
        var found = await db.Dialect.ReadByKeyAsync(db, "licensing_window_head", Heads.Key, [.. headKeys.Select(key => new object?[] { key.ClusterId, key.Hour })], ["rank"], cancellationToken);
        for (var i = 0; i < headKeys.Count; i++)
        {
            if (found[i] is { } row)
            {
                heads[headKeys[i]] = new Head((long)row[0]!, null, null);
            }
        }

        lowered = await LoweredHours.LoadAsync(db, [.. ready.Where(item => heads.TryGetValue((item.Arrival.ClusterId, item.Window.Hour), out var head) && head.Rank < WindowHead.RankOf(item.Window.Epoch, item.Window.Revision))
            .Select(item => (item.Arrival.ClusterId, item.Window.Hour)).Distinct()], cancellationToken);
        var ids = arrivals.Select(arrival => arrival.ClusterId).Where(clusters.ContainsKey).Distinct().ToList();
        foreach (var row in await db.Set<ClusterLedger>().AsNoTracking().Where(row => ids.Contains(row.ClusterId)).ToListAsync(cancellationToken))
        {
            Progress(row.ClusterId, row.CustomerId).Resume(row);
        }
    }

    private void Enter(Arrival arrival, UsageWindow window, SignedWindow opened, IReadOnlyDictionary<(string Key, int Version), Meter> meters)
    {
        var hour = window.Hour;
        var sha = opened.Sha256;
        var key = (arrival.ClusterId, hour, window.Epoch, window.Revision);
        if (known.TryGetValue(key, out var first))
        {
            if (first == sha)
            {
                Say(arrival, window, sha, "duplicate", null);
                return;
            }

            // Same revision, other bytes: the first one stays in force, and the hour is disputed until a higher revision or a person settles it.
            PutAside(arrival, window, sha, new WindowProblem(QuarantinedWindow.RevisionConflict, $"Revision {window.Revision} of this hour came before with other bytes."));
            Say(arrival, window, sha, "conflict", QuarantinedWindow.RevisionConflict);
            events.Audit(new AuditFact("licensing.usage-disputed", AuditLog.Customer, "usage-window", $"{arrival.ClusterId}/{window.Window}")
            {
                CustomerId = arrival.CustomerId,
                ClusterId = arrival.ClusterId,
                Outcome = AuditOutcome.Denied,
                Reason = "The same revision came twice with different bytes.",
                Changes = [Change.Replace("/sha256", first, sha)],
                Actor = new AuditActor("cluster", arrival.ClusterId.ToString(), "signature"),
            });
            noted.Add(new Noted(Kinds.UsageDisputed, arrival.CustomerId, arrival.ClusterId.ToString(), arrival.ClusterId, (hour, hour)));
            LogDisputed(logger, arrival.ClusterId, window.Window);
            return;
        }

        known[key] = sha;
        var rank = WindowHead.RankOf(window.Epoch, window.Revision);
        var superseded = heads.TryGetValue((arrival.ClusterId, hour), out var head) && head.Rank > rank;
        var parked = !superseded && EnterCells(arrival, window, meters);
        var verdict = superseded ? "superseded" : parked ? "parked" : "accepted";
        var loweredBy = superseded || head is null ? 0 : lowered.By(arrival.ClusterId, head.Window, window, meters);
        if (loweredBy > LoweredHours.Tolerated)
        {
            TellLowered(arrival, window, loweredBy);
        }

        windows.Add(
        [
            arrival.ClusterId, hour, window.Epoch, window.Revision, arrival.CustomerId, sha, verdict, window.Complete, window.Meters.Count,
            window.Collected.ToUnixTimeMilliseconds(), arrival.ReceivedAt.ToUnixTimeMilliseconds(), opened.Signed.KeyId, opened.Signed.Signature, opened.Deflated, null, loweredBy > LoweredHours.Tolerated ? loweredBy : 0,
        ]);
        if (!superseded)
        {
            heads[(arrival.ClusterId, hour)] = new Head(rank,
                [arrival.ClusterId, hour, arrival.CustomerId, rank, window.Epoch, window.Revision, sha, window.Complete, arrival.ReceivedAt.ToUnixTimeMilliseconds()], window);
        }

        Say(arrival, window, sha, verdict, parked ? "unknown-meter" : null);
        var ours = Progress(arrival.ClusterId, arrival.CustomerId);
        ours.Coverage.Add(hour);
        ours.Touch(hour);
    }

    private void TellLowered(Arrival arrival, UsageWindow window, int thousandths)
    {
        events.Audit(new AuditFact("licensing.usage-lowered", AuditLog.Customer, "usage-window", $"{arrival.ClusterId}/{window.Window}")
        {
            CustomerId = arrival.CustomerId,
            ClusterId = arrival.ClusterId,
            Reason = $"Revision {window.Revision} lowers a meter of this hour by {thousandths / 10}.{thousandths % 10} %.",
            Actor = new AuditActor("cluster", arrival.ClusterId.ToString(), "signature"),
        });
        noted.Add(new Noted(Kinds.UsageLowered, arrival.CustomerId, arrival.ClusterId.ToString(), arrival.ClusterId, (window.Hour, window.Hour)));
        LogLowered(logger, arrival.ClusterId, window.Window, thousandths);
    }

    private bool EnterCells(Arrival arrival, UsageWindow window, IReadOnlyDictionary<(string Key, int Version), Meter> meters)
    {
        var parked = false;
        foreach (var cell in window.Meters)
        {
            if (meters.TryGetValue((cell.Meter, cell.Version), out var meter))
            {
                Quantity.TryParse(cell.Quantity, meter.Scale, out var scaled);
                cells.Add(Row(scaled, WithItsWindow));
            }
            else
            {
                parkedCells.Add(Row(cell.Quantity, []));
                parked = true;
            }

            object?[] Row(object quantity, object?[] since) =>
            [
                arrival.ClusterId, window.Hour, window.Epoch, window.Revision, cell.Meter, cell.DimensionHash, arrival.CustomerId, cell.Version, cell.Environment, cell.DimensionText, quantity, .. since,
            ];
        }

        return parked;
    }

    private void Reject(Arrival arrival, SignedWindow? opened, WindowProblem problem)
    {
        var sha = opened?.Sha256 ?? UsageWindow.Digest(arrival.Body);
        PutAside(arrival, opened?.Window, sha, problem);
        if (opened?.Window is { } window)
        {
            Say(arrival, window, sha, "rejected", problem.Code);
        }

        LogRejected(logger, arrival.ClusterId, problem.Code);
    }

    private void PutAside(Arrival arrival, UsageWindow? window, string sha, WindowProblem problem) => quarantine.Add(
    [
        arrival.ClusterId, sha, arrival.CustomerId, window?.Hour ?? 0, window?.Epoch ?? arrival.Epoch, window?.Revision ?? 0, problem.Code,
        problem.Detail.Length <= 500 ? problem.Detail : problem.Detail[..500], arrival.ReceivedAt.ToUnixTimeMilliseconds(), arrival.Body, null,
    ]);

    private void Say(Arrival arrival, UsageWindow window, string sha, string verdict, string? problem) =>
        Progress(arrival.ClusterId, arrival.CustomerId).Results.Add(new WindowResult(window.Window, window.Epoch, window.Revision, sha, verdict, problem));

    private ClusterProgress Progress(Guid cluster, Guid customer)
    {
        if (!progress.TryGetValue(cluster, out var found))
        {
            progress[cluster] = found = new ClusterProgress(cluster, customer);
        }

        return found;
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await db.Dialect.InsertIfAbsentAsync(db, Cells with { Rows = cells }, cancellationToken);
        await db.Dialect.InsertIfAbsentAsync(db, ParkedCells with { Rows = parkedCells }, cancellationToken);
        await db.Dialect.InsertIfAbsentAsync(db, Quarantine with { Rows = quarantine }, cancellationToken);
        await db.Dialect.InsertIfAbsentAsync(db, Waiting with { Rows = waiting }, cancellationToken);
        var now = time.GetUtcNow();
        var touched = progress.Values.Where(entry => entry.Results.Count > 0).ToList();
        var swapped = await db.Dialect.CompareAndSwapAsync(db, Ledgers with { Rows = [.. touched.Select(entry => entry.ToRow(now))] }, "version", cancellationToken);
        if (Array.Exists(swapped, won => !won))
        {
            throw new DbUpdateConcurrencyException("Another replica judged windows of the same cluster; this group is tried again.");
        }

        var due = new BulkRows("licensing_due_receipt", ["id", "cluster_id"], ["id"], [.. touched.Select(entry => new object?[] { Guid.CreateVersion7(now), entry.Cluster })]);
        await db.Dialect.InsertIfAbsentAsync(db, due, cancellationToken);

        // What can be done without a number is done before one is taken: until the commit nobody else gets one.
        noted.AddRange(touched.Where(entry => entry.Touched is not null).Select(entry => new Noted(Kinds.Usage, entry.Customer, entry.Cluster.ToString(), entry.Cluster, entry.Touched)));
        if (noted.Count > 0)
        {
            var (seq, at) = await ChangeStream.TakeAsync(db, now, noted.Count, cancellationToken);
            windows.ForEach(row => row[WindowSeq] = seq);
            await db.Dialect.InsertIfAbsentAsync(db, Windows with { Rows = windows }, cancellationToken);
            await db.Dialect.UpsertAsync(db, Heads with { Rows = [.. heads.Values.Where(head => head.Row is not null).Select(head => head.Row!)] }, "rank", cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, Recorded with { Rows = [.. noted.Select((change, i) => change.ToBulk(seq + i, at))] }, cancellationToken);
        }
    }

    [LoggerMessage(2103, LogLevel.Warning, "Cluster {ClusterId} corrected {Window} downwards by {Thousandths} thousandths of a meter; it counts, and is listed before its period is closed")]
    private static partial void LogLowered(ILogger logger, Guid clusterId, string window, int thousandths);

    [LoggerMessage(2101, LogLevel.Warning, "Cluster {ClusterId} reported {Window} twice under one revision with different bytes; the first stays in force and the hour is disputed")]
    private static partial void LogDisputed(ILogger logger, Guid clusterId, string window);

    [LoggerMessage(2102, LogLevel.Warning, "A usage window of cluster {ClusterId} was put aside: {Problem}")]
    private static partial void LogRejected(ILogger logger, Guid clusterId, string problem);

    /// <summary>The newest document of an hour; <see cref="Row"/> only when this group brought it.</summary>
    /// <param name="Rank">Epoch and revision.</param>
    /// <param name="Row">Its row, as this group brought it.</param>
    /// <param name="Window">What it says, when this group brought it.</param>
    private sealed record Head(long Rank, object?[]? Row, UsageWindow? Window);
}

/// <summary>A cluster's row of the ledger while a group is judged.</summary>
internal sealed class ClusterProgress(Guid cluster, Guid customer)
{
    public Guid Cluster => cluster;

    public Guid Customer => customer;

    /// <summary>First and last hour of which a window was stored; null: of none.</summary>
    public (int First, int Last)? Touched { get; private set; }

    public void Touch(int hour) => Touched = Touched is { } known ? (Math.Min(known.First, hour), Math.Max(known.Last, hour)) : (hour, hour);

    private List<WindowResult> before = [];
    private Coverage? coverage;
    private long version;

    public Coverage Coverage => coverage ?? throw new InvalidOperationException("The cluster's ledger was not loaded.");

    /// <summary>Results of this group.</summary>
    public List<WindowResult> Results { get; } = [];

    public void Resume(ClusterLedger row)
    {
        coverage = Coverage.FromBytes(row.Coverage);
        before = JsonSerializer.Deserialize<List<WindowResult>>(row.Results, JsonSerializerOptions.Web) ?? [];
        version = row.Version;
    }

    public object?[] ToRow(DateTimeOffset now)
    {
        var results = before.Concat(Results).TakeLast(UsageReceipt.MaxEntries);
        return [Cluster, customer, Coverage.ToBytes(), JsonSerializer.Serialize(results, JsonSerializerOptions.Web), now.ToUnixTimeMilliseconds(), version + 1];
    }
}
