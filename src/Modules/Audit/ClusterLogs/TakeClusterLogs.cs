using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Witnesses;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;
using MissionControl.Protocol.Documents;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.ClusterLogs;

/// <summary>
/// Takes what clusters show of their own logs: entries that go on from what is held, under a checkpoint that the cluster's key has signed
/// over exactly these. One that does not go on is taken no more, and its customer's log says so with both checkpoints.
/// </summary>
internal sealed partial class TakeClusterLogs(ControlPlaneDbContext db, IEvents events, ClusterLogFindings findings, ILogger<TakeClusterLogs> logger)
{
    /// <summary>Far more than a cluster can note in a day of being used as it is meant; what is beyond is asked for again later.</summary>
    private const int MostADay = 5_000;

    private const int MostText = 100;
    private const string HeadTold = "audit.cluster-head";

    /// <summary>How often the head of a log is told.</summary>
    private static readonly TimeSpan Rarely = TimeSpan.FromHours(1);

    /// <summary>Takes them, in the order that they were written in; the caller holds the rows of the witnesses.</summary>
    public async Task TakeAsync(IReadOnlyList<(WitnessRow Row, long Epoch, DateTimeOffset At, ClusterLogShown Shown)> told, CancellationToken cancellationToken)
    {
        if (told.Count == 0)
        {
            // Most batches bring cosignatures alone, and agents of before have no log: these cost no statement.
            return;
        }

        var clusters = told.Select(one => one.Row.ClusterId).Distinct().ToList();
        var held = await ClusterLog.LockAsync(db, clusters, cancellationToken);
        var (changed, lines, before) = (new HashSet<ClusterLog>(), new List<ClusterLogLine>(), await BeforeAsync(held, cancellationToken));
        foreach (var (row, epoch, at, shown) in told)
        {
            var log = held.GetValueOrDefault(row.ClusterId) ?? new ClusterLog { ClusterId = row.ClusterId, CustomerId = row.CustomerId };
            if (Take(row, log, epoch, at, shown, lines, before.GetValueOrDefault(row.ClusterId) ?? new Before(null, null, null)))
            {
                held[row.ClusterId] = log;
                changed.Add(log);
            }
        }

        await ClusterLogLine.AddAsync(db, lines, cancellationToken);
        if ((await ClusterLog.StoreAsync(db, changed, cancellationToken)).Contains(false))
        {
            throw new InvalidOperationException("The log of a cluster was reconciled meanwhile; its items are taken anew.");
        }
    }

    // When the newest line was taken, and the one that is as far back as a day may bring; and when the head was told last.
    private async Task<Dictionary<Guid, Before>> BeforeAsync(Dictionary<Guid, ClusterLog> held, CancellationToken cancellationToken)
    {
        var (logs, clusters) = (held.Values.ToList(), held.Keys.Select(id => (Guid?)id).ToList());
        var heads = await db.Set<IndexedEntry>().AsNoTracking().Where(row => clusters.Contains(row.ClusterId) && row.Type == HeadTold)
            .GroupBy(row => row.ClusterId!.Value).Select(group => new { group.Key, At = group.Max(row => row.RecordedAt) }).ToDictionaryAsync(group => group.Key, group => group.At, cancellationToken);
        var taken = (await db.Dialect.ReadByKeyAsync(db, ClusterLogLine.Table, ["cluster_id", "epoch", "position"],
            [.. logs.SelectMany(log => new[] { log.Size - 1, log.Size - MostADay }.Select(position => new object?[] { log.ClusterId, log.Epoch, position }))], ["taken_at"], cancellationToken))
            .Select(row => row is [long at] ? DateTimeOffset.FromUnixTimeMilliseconds(at) : (DateTimeOffset?)null).Chunk(2);
        return logs.Zip(taken).ToDictionary(pair => pair.First.ClusterId, pair => new Before(pair.Second[0], pair.Second[1], heads.TryGetValue(pair.First.ClusterId, out var at) ? at : null));
    }

    private bool Take(WitnessRow row, ClusterLog log, long epoch, DateTimeOffset at, ClusterLogShown shown, List<ClusterLogLine> lines, Before before)
    {
        // Whose key is not known yet, or who spoke in an epoch that has passed, is asked again.
        if (row.PublicKey is null || epoch < log.Epoch || (epoch == log.Epoch && log.Refusal is not null))
        {
            return false;
        }

        var origin = ClusterLogName.Of(row.PublicKey, row.ClusterId, epoch);
        if (shown.Origin != origin || (!shown.Checkpoint.IsEmpty && !IsSigned(row.PublicKey, origin, shown)))
        {
            findings.Untaken();
            LogNotGood(logger, row.ClusterId, shown.Origin);
            return false;
        }

        // That nothing is new, said of what is not held here, is answered by asking for it.
        if (shown.Checkpoint.IsEmpty)
        {
            return log.Origin == origin && shown.Size == log.Size && Confirm(log, at, before, isNew: false);
        }

        if (log.Origin != origin)
        {
            (log.Epoch, log.Origin, log.Size, log.Root, log.Range, log.Note) = (epoch, origin, 0, TreeHash.Empty.Span.ToArray(), [], "");
            (log.BegunAt, log.Matched, log.Refusal) = (at, 0, null);
        }

        var checkpoint = Checkpoint.Parse(SignedNote.Parse(shown.Checkpoint.Span).Text);
        if (checkpoint.Size <= log.Size)
        {
            return checkpoint.Size < log.Size ? Refuse(log, "rollback", shown) : checkpoint.Root.Span.SequenceEqual(log.Root) ? shown.Size == log.Size && Confirm(log, at, before, isNew: false) : Refuse(log, "fork", shown);
        }

        if (shown.From != log.Size || shown.Entries.Count != checkpoint.Size - log.Size)
        {
            // Made for another size than is held: it is asked within the hour from there.
            return false;
        }

        if (log.Size >= MostADay && before.DayTakenAt is { } day && at - day < TimeSpan.FromDays(1))
        {
            return false;
        }

        var range = new CompactRange(log.Size, log.Range);
        foreach (var entry in shown.Entries)
        {
            range.Append(TreeHash.OfLeaf(entry.Span));
        }

        if (range.Root != checkpoint.Root)
        {
            return Refuse(log, "fork", shown);
        }

        lines.AddRange(shown.Entries.Select((entry, i) => new ClusterLogLine { ClusterId = row.ClusterId, Epoch = epoch, Position = shown.From + i, TakenAt = at, Content = entry.ToByteArray() }));
        (log.Size, log.Root, log.Range, log.Note) = (range.Size, range.Root.Span.ToArray(), range.ToArray(), shown.Checkpoint.ToStringUtf8());
        if (shown.Size != log.Size)
        {
            // Only of one that tells as much as it may at once, so that nobody is kept busy by it.
            row.DueAt = shown.Entries.Count == ItemLimits.ClusterLogEntries ? DateTimeOffset.UnixEpoch : row.DueAt;
            return Due(log, at);
        }

        return Confirm(log, at, before, isNew: true);
    }

    // All of it is here now, so that what is not in it is missing there. A head that came within an hour of another is told later.
    private bool Confirm(ClusterLog log, DateTimeOffset at, Before before, bool isNew)
    {
        if ((before.ToldAt is not { } told || at - told >= Rarely) && (isNew || before.TakenAt is null || before.ToldAt is null || before.TakenAt > before.ToldAt))
        {
            before.ToldAt = at;
            Tell(log, HeadTold, AuditOutcome.Success, Change.Add("/size", log.Size), Change.Add("/root", new TreeHash(log.Root).ToString()));
        }

        log.ConfirmedAt = at;
        return Due(log, at);
    }

    private static bool Due(ClusterLog log, DateTimeOffset at)
    {
        log.DueAt = at;
        return true;
    }

    private static bool IsSigned(byte[] publicKey, string origin, ClusterLogShown shown)
    {
        using var key = NoteKey.From(origin, NoteKeyType.Ed25519, publicKey);
        try
        {
            var note = SignedNote.Parse(shown.Checkpoint.Span).Open([key]).Note;
            if (!shown.Entries.Select(entry => ClusterLogEntry.Parse(entry.Memory)).All(entry => IsText(entry.Type) && IsText(entry.Reference ?? "")))
            {
                return false;
            }

            return Checkpoint.Parse(note.Text) is { Size: > 0 and <= ClusterLogName.MostEntries } checkpoint && checkpoint.Origin == origin;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    // What is stored of it must be what every database holds.
    private static bool IsText(string text) => text.Length <= MostText && text.All(character => character is >= ' ' and <= '~');

    private bool Refuse(ClusterLog log, string reason, ClusterLogShown shown)
    {
        log.Refusal = reason;
        findings.Refused();
        LogRefused(logger, log.ClusterId, log.Origin, reason);
        Tell(log, "audit.cluster-log-refused", AuditOutcome.Failed, Change.Add("/reason", reason), Change.Add("/held", log.Note), Change.Add("/shown", shown.Checkpoint.ToStringUtf8()));
        return true;
    }

    private void Tell(ClusterLog log, string type, AuditOutcome outcome, params AuditChange[] changes) => events.Audit(new AuditFact(type, AuditLog.Customer, "log", log.Origin)
    {
        CustomerId = log.CustomerId,
        ClusterId = log.ClusterId,
        Outcome = outcome,
        Actor = new AuditActor("cluster", log.ClusterId.ToString(), "accessToken"),
        Changes = changes,
    });

    private sealed class Before(DateTimeOffset? takenAt, DateTimeOffset? dayTakenAt, DateTimeOffset? toldAt)
    {
        public DateTimeOffset? TakenAt => takenAt;

        public DateTimeOffset? DayTakenAt => dayTakenAt;

        public DateTimeOffset? ToldAt { get; set; } = toldAt;
    }

    [LoggerMessage(6040, LogLevel.Critical, "The log that cluster {Cluster} keeps itself ({Origin}) does not go on from what is held of it ({Reason}): its machine was restored or copied, or somebody has changed it. Both checkpoints stand in its customer's log, audit.cluster-log-refused")]
    private static partial void LogRefused(ILogger logger, Guid cluster, string origin, string reason);

    [LoggerMessage(6041, LogLevel.Warning, "Cluster {Cluster} has shown a log of its own ({Origin}) that is not signed by its key, or none of this cluster and epoch; it is not taken")]
    private static partial void LogNotGood(ILogger logger, Guid cluster, string origin);
}
