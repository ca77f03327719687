using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.ClusterLogs;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Commands.CallHome;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Witnesses;

/// <summary>
/// Asks clusters to see the logs: each of them its own customer's at least hourly, and for every epoch as many of those with a seat as
/// make the quorum, chosen by lot, to see the anchor; who does not answer is made up for by others. Nothing waits for them: a log is
/// signed and served whether or not anybody sees it, and that too few did is told.
/// </summary>
internal sealed partial class AskWitnesses : Sweeper, IDisposable
{
    /// <summary>So many logs are shown in a second, in all.</summary>
    public const int ExchangesASecond = 50;

    /// <summary>So many epochs may go by before it is told that too few have seen the anchor.</summary>
    public const int Patience = 2;

    // A member of the policy that verifiers keep; so seats are given for long, and are no more than a note can bear.
    private int Seats => Witnessed.Most - options.Witnesses.Count;

    private static readonly TimeSpan Hourly = TimeSpan.FromMinutes(50);
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private static readonly TimeSpan Silent = TimeSpan.FromDays(1);
    private readonly Meter meter = new("MissionControl.Audit");
    private readonly LogKey key;
    private readonly WatchHeads watch;
    private readonly AppendOnlyTest test;
    private readonly AuditOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<AskWitnesses> logger;
    private (long Epoch, DateTimeOffset At) anchor;
    private long? baseline;
    private long behind;

    public AskWitnesses(LogKey key, WatchHeads watch, AppendOnlyTest test, IOptions<AuditOptions> options, TimeProvider time, ILogger<AskWitnesses> logger)
        : base("audit.ask-witnesses", "audit", TimeSpan.FromSeconds(1))
    {
        (this.key, this.watch, this.test, this.options, this.time, this.logger) = (key, watch, test, options.Value, time, logger);
        meter.CreateObservableGauge<long>("missioncontrol.audit.epochs_unwitnessed", () => Interlocked.Read(ref behind), "{epoch}", "Epochs since the last one that enough witnesses have seen.");
    }

    public void Dispose() => meter.Dispose();

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        if (!watch.HasLooked || test.Refusal is not null)
        {
            return;
        }

        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        db.Scope.OpenAll("every customer's clusters are asked");
        var held = (await HeldLogs.ReadAsync(db, cancellationToken)).Select(row => row.Log).ToHashSet();
        if (held.Contains(HeldLogs.All))
        {
            return;
        }

        var now = time.GetUtcNow();
        var signed = held.Contains(AnchorLog.Id) ? 0 : await AnchorLog.SignedAsync(db, cancellationToken);
        var seats = await SeatsAsync(db, now, cancellationToken);
        var asked = await ChosenAsync(db, scope.GetRequiredService<IEvents>(), seats, signed, now, cancellationToken);
        var chosen = asked.Select(row => row.ClusterId).ToList();
        asked.AddRange(await DueAsync(db, now, chosen, cancellationToken));
        if (asked.Count > 0)
        {
            await AskAsync(db, scope.GetRequiredService<IEvents>(), asked, chosen.ToHashSet(), signed, held, now, cancellationToken);
        }
    }

    /// <summary>Who was not asked for an hour, the longest first.</summary>
    internal static Task<List<WitnessRow>> DueAsync(ControlPlaneDbContext db, DateTimeOffset now, List<Guid> chosen, CancellationToken cancellationToken) =>
        db.Set<WitnessRow>().AsNoTracking().Where(row => row.MayBeAsked && row.DueAt <= now && !chosen.Contains(row.ClusterId)).OrderBy(row => row.DueAt).Take(ExchangesASecond).ToListAsync(cancellationToken);

    // Kept as long as their holders answer: whoever pinned the policy must find them again.
    private async Task<List<WitnessRow>> SeatsAsync(ControlPlaneDbContext db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var seats = await db.Set<WitnessRow>().AsNoTracking().Where(row => row.HasSeat).ToListAsync(cancellationToken);
        var silent = now - Silent;
        var lost = seats.Where(row => !row.MayBeAsked || row.AnchorRefusal is not null || row.AnsweredAt < silent).ToList();
        lost.AddRange(seats.Except(lost).Skip(Seats).ToList());
        var given = seats.Count - lost.Count >= Seats ? []
            : await FreeAsync(db, silent, Seats - seats.Count + lost.Count, cancellationToken);
        lost.ForEach(row => row.HasSeat = false);
        given.ForEach(row => row.HasSeat = true);
        if (lost.Count + given.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Dialect.CompareAndSwapAsync(db, WitnessRow.Rows([.. lost, .. given]), "version", cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        // Those of the next second are read with their new versions.
        return [.. seats.Where(row => row.HasSeat)];
    }

    /// <summary>Who could have a seat: those who answered lately are surely there.</summary>
    internal static Task<List<WitnessRow>> FreeAsync(ControlPlaneDbContext db, DateTimeOffset since, int count, CancellationToken cancellationToken) =>
        db.Set<WitnessRow>().AsNoTracking().Where(row => !row.HasSeat && row.MayBeAsked && row.AnsweredAt >= since && row.AnchorRefusal == null).OrderByDescending(row => row.AnsweredAt).Take(count).ToListAsync(cancellationToken);

    private async Task<List<WitnessRow>> ChosenAsync(ControlPlaneDbContext db, IEvents events, List<WitnessRow> seats, long epoch, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (epoch == 0 || seats.Count + options.Witnesses.Count == 0)
        {
            return [];
        }

        var quorum = await Witnessed.QuorumAsync(db, AnchorLog.Id, options, cancellationToken);
        var seen = await Witnessed.SizeAsync(db, AnchorLog.Id, quorum, cancellationToken);
        await WatchAsync(db, events, epoch, seen, cancellationToken);
        if (seen == epoch || (anchor.Epoch == epoch && now - anchor.At < options.Epoch / 3))
        {
            return [];
        }

        anchor = (epoch, now);
        var have = await db.Set<Cosignature>().CountAsync(row => row.LogId == AnchorLog.Id && row.Size == epoch, cancellationToken);
        var free = seats.Where(row => row.AnchorAsked < epoch).ToArray();
        RandomNumberGenerator.Shuffle<WitnessRow>(free);
        return [.. free.Take(quorum - have)];
    }

    private async Task WatchAsync(ControlPlaneDbContext db, IEvents events, long epoch, long seen, CancellationToken cancellationToken)
    {
        // Counted from the first epoch that there was anybody to see it.
        baseline ??= epoch;
        var since = epoch - Math.Max(seen, baseline.Value);
        var (was, isMissing) = (Interlocked.Exchange(ref behind, since) > Patience, since > Patience);
        if (was == isMissing)
        {
            return;
        }

        if (isMissing)
        {
            LogMissing(logger, seen, epoch, options.WitnessQuorum);
        }

        events.Audit(new AuditFact(isMissing ? "audit.witnesses-missing" : "audit.witnesses-returned", AuditLog.Operator, "log", AnchorLog.Kind)
        {
            Actor = new AuditActor("system", "audit", "local"),
            Outcome = isMissing ? AuditOutcome.Failed : AuditOutcome.Success,
            Changes = [Change.Add("/epoch", epoch), Change.Add("/witnessed", seen)],
        });
        await db.SaveChangesAsync(cancellationToken);
    }

    private async Task AskAsync(ControlPlaneDbContext db, IEvents events, List<WitnessRow> rows, HashSet<Guid> chosen, long anchorSize, HashSet<Guid> held, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var own = rows.Select(row => Log.IdOf(Log.NameOf("customer", row.CustomerId))).Append(AnchorLog.Id).Distinct().Where(id => !held.Contains(id)).ToList();
        var heads = await HeadsAsync(db, own, cancellationToken);
        var keys = key.PublicKeys();
        var clusters = rows.Select(row => row.ClusterId).ToList();
        var clusterLogs = await db.Set<ClusterLog>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId)).ToDictionaryAsync(row => row.ClusterId, cancellationToken);
        var proofs = new Dictionary<(Guid, long), AddCheckpoint?>();
        var (asked, commands, exchanges) = (new List<WitnessRow>(), new List<SetDesiredState?>(), 0);
        foreach (var row in rows)
        {
            var wanted = new WitnessWanted { ClusterLog = HeldOf(clusterLogs.GetValueOrDefault(row.ClusterId)) };
            var isShown = row.CustomerRefusal is null && await AddAsync("customer", Log.IdOf(Log.NameOf("customer", row.CustomerId)), row.CustomerSize);
            if (row.AnchorRefusal is null && (chosen.Contains(row.ClusterId) || !isShown))
            {
                await AddAsync(AnchorLog.Kind, AnchorLog.Id, row.AnchorSize);
                row.AnchorAsked = anchorSize;
            }

            // Its customer's log may not be signed yet, or not at present.
            (row.AskedAt, row.DueAt) = (now > row.AskedAt ? now : row.AskedAt.AddMilliseconds(1), now + (isShown || row.CustomerRefusal is not null ? Hourly : Soon));
            asked.Add(row);

            // One that cosigns neither is still asked for its own log.
            commands.Add(wanted.Asks.Count == 0 && (row.CustomerRefusal is null || row.AnchorRefusal is null) ? null : new SetDesiredState(row.ClusterId, "witness", now + Life, wanted.ToByteArray(), row.AskedAt.ToUnixTimeMilliseconds()));
            exchanges += wanted.Asks.Count;
            if (exchanges >= ExchangesASecond - 1)
            {
                break;
            }

            async Task<bool> AddAsync(string name, Guid log, long size)
            {
                // One that has seen more than there is was shown a log that is gone: it is not asked, since that would stop it for good.
                if (!heads.TryGetValue(log, out var head) || size > head.Checkpoint.Size)
                {
                    return false;
                }

                if (!proofs.TryGetValue((log, size), out var request))
                {
                    proofs[(log, size)] = request = await ProveAsync(db, log, size, head, cancellationToken);
                }

                if (request is null)
                {
                    return false;
                }

                wanted.Asks.Add(new WitnessAsk { Log = name, Request = ByteString.CopyFrom(request.ToBytes()), Keys = { keys.Where(one => HasSigned(one, head)).Select(one => ByteString.CopyFrom(one.Span)) } });
                return true;
            }
        }

        // Rows were read before the checkpoints: where another replica asked meanwhile this writes nothing, and so never shows less under a later version.
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var written = await db.Dialect.CompareAndSwapAsync(db, WitnessRow.Rows(asked), "version", cancellationToken);
        foreach (var command in commands.Where((_, i) => written[i]).OfType<SetDesiredState>())
        {
            events.Publish(command);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<AddCheckpoint?> ProveAsync(ControlPlaneDbContext db, Guid log, long size, Head head, CancellationToken cancellationToken)
    {
        try
        {
            return new AddCheckpoint(size, await TileReader.ResolveAsync(db, log, ProofPlan.Consistency(size, head.Checkpoint.Size), cancellationToken), head.Note);
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException && db.Dialect.UnavailableBehind(exception) is null)
        {
            // A log whose tiles are damaged is told by whoever checks it, and keeps the others from nobody.
            return null;
        }
    }

    /// <summary>The newest checkpoints of logs, those that were signed.</summary>
    internal static async Task<Dictionary<Guid, Head>> HeadsAsync(ControlPlaneDbContext db, List<Guid> logs, CancellationToken cancellationToken)
    {
        var sizes = await db.Set<LogHead>().AsNoTracking().Where(row => logs.Contains(row.LogId)).Select(row => new { row.LogId, Size = db.Set<LogCheckpoint>().Where(note => note.LogId == row.LogId).Max(note => (long?)note.Size) ?? 0 }).Where(row => row.Size > 0).ToListAsync(cancellationToken);
        var notes = await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [.. sizes.Select(row => new object?[] { row.LogId, row.Size })], ["note"], cancellationToken);
        var heads = new Dictionary<Guid, Head>();
        foreach (var (row, stored) in sizes.Zip(notes))
        {
            try
            {
                var note = SignedNote.Parse(Encoding.UTF8.GetBytes((string)stored![0]!));
                heads[row.LogId] = new Head(Checkpoint.Parse(note.Text), note);
            }
            catch (FormatException)
            {
                // A row that is damaged is told by whoever signs; nobody is shown it.
            }
        }

        return heads;
    }

    private static ClusterLogHeld HeldOf(ClusterLog? log) => log is null ? new ClusterLogHeld() : new ClusterLogHeld { Origin = log.Origin, Size = log.Size, Root = ByteString.CopyFrom(log.Root) };

    private static bool HasSigned(ReadOnlyMemory<byte> publicKey, Head head)
    {
        using var signer = NoteKey.From(head.Checkpoint.Origin, NoteKeyType.Ed25519, publicKey.Span);
        return head.Note.Signatures.Any(signer.Owns);
    }

    internal sealed record Head(Checkpoint Checkpoint, SignedNote Note);

    [LoggerMessage(6015, LogLevel.Error, "Too few witnesses have seen the anchor of the audit logs: {Seen} was the last epoch that {Quorum} of them saw, and {Epoch} is the newest")]
    private static partial void LogMissing(ILogger logger, long seen, long epoch, int quorum);
}
