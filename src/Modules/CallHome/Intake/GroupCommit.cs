using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Telemetry;
using MissionControl.Protocol.CallHome;

namespace MissionControl.CallHome.Intake;

/// <summary>
/// Makes check-ins durable in groups, without waiting: the next group is what arrived while the last commit ran. One
/// transaction holds one outbox row per kind and the advanced numbers of every cluster in the group, so that what is
/// acknowledged and what is delivered can never differ. The only writer of intake states in this process.
/// </summary>
internal sealed partial class GroupCommit(
    IServiceScopeFactory scopes, OutboxSignal signal, Readiness readiness, TimeProvider time, ILogger<GroupCommit> logger) : BackgroundService
{
    /// <summary>About two seconds of work; beyond it a check-in is refused at once instead of hanging.</summary>
    public const int QueueCapacity = 4000;

    /// <summary>A group takes no further check-in once it holds so much.</summary>
    public const int MaxGroupBytes = 1024 * 1024;

    private const int MaxGroupItems = 1000;
    private static readonly Meter Meter = new("MissionControl.CallHome");
    private static readonly Counter<long> Accepted = Meter.CreateCounter<long>("missioncontrol.callhome.items", "{item}", "Items made durable.");
    private static readonly Counter<long> Dropped = Meter.CreateCounter<long>("missioncontrol.callhome.dropped_items", "{item}", "Numbers that agents declared dropped, by kind; usage should never be among them.");
    private static readonly Histogram<int> GroupSize = Meter.CreateHistogram<int>("missioncontrol.callhome.group_size", "{checkin}", "Check-ins per commit.");
    private readonly Channel<Submission> queue = Channel.CreateBounded<Submission>(new BoundedChannelOptions(QueueCapacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    /// <summary>Check-ins waiting for a commit.</summary>
    public int Depth => queue.Reader.Count;

    /// <summary>Queues a check-in; false when the queue is full and the caller must answer 503.</summary>
    public bool TrySubmit(Submission submission) => queue.Writer.TryWrite(submission);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        readiness.Lacks("intake", "Intake has not made its first commit yet.");

        // There from the start: an increase from nothing to one would be none.
        Dropped.Add(0, new KeyValuePair<string, object?>("kind", "usage"));
        return base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        // What was accepted is committed and answered before the process ends.
        queue.Writer.TryComplete();
        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => OwnThread.RunAsync("intake commit", () => CommitAsync(stoppingToken));

    private async Task CommitAsync(CancellationToken stoppingToken)
    {
        var group = new List<Submission>();
        IntakeWriter? writer = null;
        try
        {
            while (true)
            {
                try
                {
                    writer ??= await IntakeWriter.OpenAsync(scopes, time, stoppingToken);
                    readiness.Has("intake");
                    if (!await queue.Reader.WaitToReadAsync(CancellationToken.None))
                    {
                        return;
                    }

                    Collect(group);
                    await writer.CommitAsync(group, CancellationToken.None);
                    Accepted.Add(writer.ItemsWritten);
                    GroupSize.Record(group.Count);
                    foreach (var (kind, count) in writer.ItemsDropped)
                    {
                        Dropped.Add(count, new KeyValuePair<string, object?>("kind", kind));
                    }

                    signal.Set("callhome");
                    writer.Complete(group);
                }
                catch (Exception exception)
                {
                    LogCommitFailed(logger, exception, group.Count);
                    readiness.Lacks("intake", "The last commit failed.");
                    Submission.Tell(group.ConvertAll(submission => (submission, new IntakeOutcome(IntakeVerdict.Unavailable, null, []))));

                    if (writer is not null)
                    {
                        await writer.DisposeAsync();
                        writer = null;
                    }

                    if (stoppingToken.IsCancellationRequested && queue.Reader.Completion.IsCompleted)
                    {
                        return;
                    }

                    await Task.Delay(TimeSpan.FromMilliseconds(200), time, CancellationToken.None);
                }

                group.Clear();
            }
        }
        finally
        {
            if (writer is not null)
            {
                await writer.DisposeAsync();
            }
        }
    }

    private void Collect(List<Submission> group)
    {
        var items = 0;
        var bytes = 0;
        while (items < MaxGroupItems && bytes < MaxGroupBytes && queue.Reader.TryRead(out var submission))
        {
            group.Add(submission);
            items += submission.Items.Count;
            bytes += submission.Bytes;
        }
    }

    [LoggerMessage(1010, LogLevel.Error, "A group of {Count} check-ins could not be committed; none was acknowledged")]
    private static partial void LogCommitFailed(ILogger logger, Exception exception, int count);
}

/// <summary>Judges a group against the remembered numbers and writes it in one transaction.</summary>
internal sealed class IntakeWriter : IAsyncDisposable
{
    private static readonly string ItemsReceivedName = MessageJson.WireName(typeof(ItemsReceived));
    private static readonly string[] OutboxColumns = ["id", "type", "key", "payload", "attachment", "created_at", "attempts", "next_attempt_at", "last_error"];
    private readonly AsyncServiceScope scope;
    private readonly ControlPlaneDbContext db;
    private readonly TimeProvider time;
    private readonly Dictionary<Guid, IntakeState> pending = [];
    private readonly Dictionary<Submission, IntakeOutcome> outcomes = [];
    private readonly Dictionary<string, ReceivedItems> kinds = [];
    private readonly List<(long Seq, ulong Digest)> settled = [];
    private readonly List<Item> fresh = [];
    private readonly List<NumberRange> declared = [];
    private readonly Dictionary<string, long> dropped = [];

    private IntakeWriter(AsyncServiceScope scope, TimeProvider time)
    {
        this.scope = scope;
        this.time = time;
        db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("intake writes every customer's items");
    }

    /// <summary>Items written by the last commit.</summary>
    public long ItemsWritten { get; private set; }

    /// <summary>By kind, how many items the last commit heard to be dropped.</summary>
    public IReadOnlyDictionary<string, long> ItemsDropped => dropped;

    public static async Task<IntakeWriter> OpenAsync(IServiceScopeFactory scopes, TimeProvider time, CancellationToken cancellationToken)
    {
        var scope = scopes.CreateAsyncScope();
        try
        {
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("callhome");
            var writer = new IntakeWriter(scope, time);
            await writer.db.OpenConnectionAsync(cancellationToken);
            // The warm-up commit: model built, statements known, disk writable.
            await using var transaction = await writer.db.BeginWriteAsync(WritePriority.Intake, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            return writer;
        }
        catch
        {
            await scope.DisposeAsync();
            throw;
        }
    }

    public async Task CommitAsync(List<Submission> group, CancellationToken cancellationToken)
    {
        var waiting = group;
        outcomes.Clear();
        while (waiting.Count > 0)
        {
            var now = time.GetUtcNow();
            pending.Clear();
            kinds.Clear();
            dropped.Clear();
            foreach (var submission in waiting)
            {
                await LoadAsync(submission.Cluster, submission.Epoch, cancellationToken);
                outcomes[submission] = Judge(submission, now);
            }

            // All that needs thought is done before the transaction: on SQLite nobody else can write while one is open.
            var messages = Messages(now);
            var clusters = pending.Keys.ToArray();
            await using var transaction = await db.BeginWriteAsync(WritePriority.Intake, cancellationToken);
            var swapped = await db.Dialect.CompareAndSwapAsync(db, IntakeRow.Rows([.. clusters.Select(id => IntakeRow.Values(id, pending[id], now))]), "version", cancellationToken);
            if (Array.TrueForAll(swapped, won => won))
            {
                await db.Dialect.InsertIfAbsentAsync(db, messages, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return;
            }

            // Another replica heard from some of these clusters: nothing of this try is kept, their states are read anew.
            for (var i = 0; i < clusters.Length; i++)
            {
                if (!swapped[i])
                {
                    waiting.First(submission => submission.Cluster.Id == clusters[i]).Cluster.Intake = null;
                }
            }
        }
    }

    /// <summary>Publishes the committed states and wakes the callers; only after a commit.</summary>
    public void Complete(List<Submission> group)
    {
        foreach (var submission in group)
        {
            if (pending.TryGetValue(submission.Cluster.Id, out var state))
            {
                submission.Cluster.Intake = state;
            }
        }

        Submission.Tell(group.ConvertAll(submission => (submission, outcomes[submission])));
    }

    public ValueTask DisposeAsync() => scope.DisposeAsync();

    private async ValueTask LoadAsync(KnownCluster cluster, long spoken, CancellationToken cancellationToken)
    {
        // Whether somebody has spoken in the epoch in force decides if an old one is a copy's: another replica may have heard it.
        var isStale = spoken < cluster.Epoch && cluster.Intake?.Epoch < cluster.Epoch;
        if (cluster.Intake is null || isStale)
        {
            var row = await db.Set<IntakeRow>().AsNoTracking().SingleOrDefaultAsync(row => row.ClusterId == cluster.Id, cancellationToken);
            cluster.Intake = row?.ToState() ?? IntakeState.Unheard;
        }
    }

    private IntakeOutcome Judge(Submission submission, DateTimeOffset now)
    {
        var cluster = submission.Cluster;

        // Read once: the directory may learn of the next epoch at any moment, and numbers of one must never settle those of another.
        var epoch = cluster.Epoch;
        var state = pending.GetValueOrDefault(cluster.Id) ?? cluster.Intake!;
        if (submission.Epoch != epoch)
        {
            return new IntakeOutcome(submission.Epoch < epoch ? IntakeVerdict.StaleEpoch : IntakeVerdict.UnknownEpoch, state, []);
        }

        if (state.Epoch > epoch)
        {
            // Another replica has heard the next epoch already, and this one has not heard of it: it cannot tell what is settled.
            return new IntakeOutcome(IntakeVerdict.Unavailable, null, []);
        }

        if (state.Epoch != epoch)
        {
            state = IntakeState.Initial(epoch, state.Version);
        }

        settled.Clear();
        fresh.Clear();
        List<ItemRefusal>? refusals = null;
        foreach (var submitted in submission.Items)
        {
            var seq = submitted.Item.Seq;
            if (state.IsSettled(seq))
            {
                if (state.TryGetDigest(seq, out var digest) && digest != submitted.Digest)
                {
                    return new IntakeOutcome(IntakeVerdict.CloneSuspected, state, []);
                }

                if (digest == submitted.Digest && submitted.Refusal is { Final: true } told)
                {
                    // The answer that said so may have been lost, and nobody else tells the agent what was not stored.
                    (refusals ??= []).Add(told);
                }
            }
            else if (submitted.Refusal is { Final: false } later)
            {
                (refusals ??= []).Add(later);
            }
            else if (state.Above.Count + settled.Count >= IntakeState.AboveCapacity)
            {
                // What is refused for good settles its number as well, and takes its place.
                (refusals ??= []).Add(new ItemRefusal { Seq = seq, Code = "sequence-window-full", Detail = "Too many numbers are settled above a hole; send the lowest numbers first.", Final = false });
            }
            else
            {
                settled.Add((seq, submitted.Digest));
                if (submitted.Refusal is { } final)
                {
                    (refusals ??= []).Add(final);
                }
                else
                {
                    fresh.Add(submitted.Item);
                }
            }
        }

        // Only now is it certain that the whole check-in counts: nothing of a suspected clone is taken.
        foreach (var item in fresh)
        {
            Take(submission, item, now);
        }

        Declare(submission, state);
        var skipped = false;

        // Unchanged numbers need no write.
        if (settled.Count > 0 || declared.Count > 0 || submission.LowestKept - 1 > state.Ack)
        {
            // Numbers that the cluster holds to be settled, and that it neither sent nor declared dropped.
            skipped = submission.LowestKept - 1 > state.Ack && submission.LowestKept - 1 > state.After(settled, 0, declared).Ack;

            // Several check-ins of one cluster in a group are one write, one version above what is stored.
            state = state.After(settled, submission.LowestKept, declared).WithVersion(cluster.Intake!.Version + 1);
            pending[cluster.Id] = state;
        }

        return new IntakeOutcome(IntakeVerdict.Durable, state, refusals is null ? [] : refusals, skipped);
    }

    // What was declared in an earlier check-in comes again when its answer was lost; it is counted once.
    private void Declare(Submission submission, IntakeState state)
    {
        declared.Clear();
        foreach (var range in submission.Dropped)
        {
            var numbers = new NumberRange(range.First, range.Last);
            if (!state.Knows(numbers))
            {
                declared.Add(numbers);
                var kind = Door.KindOf(range.Type);
                dropped[kind] = dropped.GetValueOrDefault(kind) + Math.Min(range.Last - Math.Max(range.First, state.Ack + 1) + 1, Limits.DroppedReach);
            }
        }
    }

    private void Take(Submission submission, Item item, DateTimeOffset now)
    {
        if (!kinds.TryGetValue(item.Type, out var items))
        {
            kinds[item.Type] = items = new ReceivedItems();
        }

        items.Items.Add(new ReceivedItem
        {
            ClusterId = UnsafeByteOperations.UnsafeWrap(submission.Cluster.Id.ToByteArray(bigEndian: true)),
            CustomerId = UnsafeByteOperations.UnsafeWrap(submission.Cluster.CustomerId.ToByteArray(bigEndian: true)),
            Epoch = submission.Epoch,
            Seq = item.Seq,
            // Nothing happened after it arrived: a clock that runs ahead must not outrank what comes later.
            AtMs = Math.Clamp(item.AtMs, 0, now.ToUnixTimeMilliseconds()),
            ReceivedAtMs = now.ToUnixTimeMilliseconds(),
            Body = item.Body,
            NextS = submission.NextSeconds,
            SaidAtMs = Math.Clamp(submission.WrittenAtMs, 0, now.ToUnixTimeMilliseconds()),
        });
    }

    private BulkRows Messages(DateTimeOffset now)
    {
        var rows = new List<object?[]>(kinds.Count);
        var at = now.ToUnixTimeMilliseconds();
        ItemsWritten = 0;
        foreach (var (kind, items) in kinds)
        {
            var id = Guid.CreateVersion7(now);
            var message = new ItemsReceived(id, kind, now) { Attachment = ItemsReceived.Deflate(items) };
            rows.Add([id, ItemsReceivedName, message.Key, MessageJson.Write(message), message.Attachment, at, 0, at, null]);
            ItemsWritten += items.Items.Count;
        }

        return new BulkRows("callhome_outbox", OutboxColumns, ["id"], rows);
    }
}
