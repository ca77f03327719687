using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.ClusterLogs;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Witnesses;

/// <summary>
/// Takes what clusters say that they have seen. A cosignature is stored when it is the sender's own over a checkpoint that was signed
/// here, whoever brought it and however often. That one has refused a log is told in its customer's log, with both checkpoints.
/// </summary>
internal sealed partial class RecordAnswers(ControlPlaneDbContext db, IEvents events, LogKey key, TakeClusterLogs clusterLogs, IOptions<AuditOptions> options, ILogger<RecordAnswers> logger) : IBatchHandler<ItemsReceived>
{
    private const long MaxSequence = (1L << 42) - 1;

    public Task<Func<CancellationToken, Task>> PrepareAsync(IReadOnlyList<ItemsReceived> messages, CancellationToken cancellationToken)
    {
        var told = messages.SelectMany(message => message.Inflate().Items).Select(item => new Told(
            new Guid(item.ClusterId.Span, bigEndian: true), new Guid(item.CustomerId.Span, bigEndian: true), (item.Epoch << 42) | Math.Min(item.Seq, MaxSequence), DateTimeOffset.FromUnixTimeMilliseconds(item.ReceivedAtMs), WitnessAnswers.Parser.ParseFrom(item.Body))).OrderBy(one => one.Rank).ToList();
        return Task.FromResult<Func<CancellationToken, Task>>(token => WriteAsync(told, token));
    }

    private async Task WriteAsync(List<Told> told, CancellationToken cancellationToken)
    {
        db.Scope.OpenAll("a commit group holds answers of every customer's clusters");

        // What callhome says of the cluster, its key above all, may come later.
        await db.Dialect.InsertIfAbsentAsync(db, WitnessRow.Rows(told.DistinctBy(one => one.Cluster).Select(one => new WitnessRow { ClusterId = one.Cluster, CustomerId = one.Customer })), cancellationToken);
        var rows = await WitnessRow.LockAsync(db, [.. told.Select(one => one.Cluster).Distinct()], cancellationToken);
        var (good, notes, shown) = (new List<Cosignature>(), await NotesAsync(told, cancellationToken), new List<(WitnessRow, long, DateTimeOffset, ClusterLogShown)>());
        foreach (var one in told.Where(one => one.Rank > rows[one.Cluster].ItemRank))
        {
            var row = rows[one.Cluster];
            row.ItemRank = one.Rank;
            row.IsEnlisted = true;
            if (one.Answers.ClusterLog is { } log)
            {
                shown.Add((row, one.Rank >> 42, one.At, log));
            }

            foreach (var answer in one.Answers.Answers.Where(answer => answer.Log is AnchorLog.Kind or "customer"))
            {
                if (Take(row, answer, notes, one.At) is { } cosignature)
                {
                    good.Add(cosignature);
                }
            }
        }

        await clusterLogs.TakeAsync(shown, cancellationToken);
        await db.Dialect.UpsertAsync(db, WitnessRow.Rows(rows.Values), null, cancellationToken);
        await Cosignature.StoreAsync(db, good, options.Value, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
    }

    // What was signed here of the sizes that are said to be seen, in one go.
    private async Task<Dictionary<(Guid Log, long Size), string>> NotesAsync(List<Told> told, CancellationToken cancellationToken)
    {
        var wanted = told.SelectMany(one => one.Answers.Answers.Where(answer => answer.Outcome == "cosigned").Select(answer => (Log: LogOf(one.Customer, answer), answer.Size))).Distinct().ToList();
        var notes = await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [.. wanted.Select(one => new object?[] { one.Log, one.Size })], ["note"], cancellationToken);
        return wanted.Zip(notes).Where(pair => pair.Second is [string]).ToDictionary(pair => pair.First, pair => (string)pair.Second![0]!);
    }

    private static Guid LogOf(Guid customer, WitnessAnswer answer) => answer.Log == AnchorLog.Kind ? AnchorLog.Id : Log.IdOf(Log.NameOf("customer", customer));

    private Cosignature? Take(WitnessRow row, WitnessAnswer answer, Dictionary<(Guid Log, long Size), string> notes, DateTimeOffset at)
    {
        var (isAnchor, log) = (answer.Log == AnchorLog.Kind, LogOf(row.CustomerId, answer));
        var before = isAnchor ? row.AnchorRefusal : row.CustomerRefusal;
        var refusal = answer.Outcome == "stopped" ? answer.Reason.Length is 0 or > 20 ? "unknown" : answer.Reason : answer.Outcome == "malformed" ? before : null;
        (row.AnchorSize, row.AnchorRefusal) = isAnchor ? (Math.Max(0, answer.Size), refusal) : (row.AnchorSize, row.AnchorRefusal);
        (row.CustomerSize, row.CustomerRefusal) = isAnchor ? (row.CustomerSize, row.CustomerRefusal) : (Math.Max(0, answer.Size), refusal);
        switch (answer.Outcome)
        {
            case "cosigned" when notes.TryGetValue((log, answer.Size), out var note) && Verify(row, note, answer) is { } line:
                (row.AnsweredAt, row.Retries) = (at, 0);
                return isAnchor && !row.HasSeat ? null : new Cosignature { LogId = log, Size = answer.Size, ClusterId = row.ClusterId, Line = line };
            case "cosigned":
                LogNotGood(logger, row.ClusterId, answer.Log, answer.Size);
                break;
            case "held":
                // It was started a moment ago, and is asked at once.
                row.DueAt = DateTimeOffset.UnixEpoch;
                break;
            case "conflict" when row.Retries++ == 0:
                row.DueAt = DateTimeOffset.UnixEpoch;
                break;
            case "stopped" when before is null:
                row.HasSeat &= !isAnchor;
                Alarm(row, answer, refusal!);
                break;
            default:
                break;
        }

        return null;
    }

    // By the checkpoint that was signed here: whatever else was cosigned proves nothing to anybody.
    private static string? Verify(WitnessRow row, string stored, WitnessAnswer answer)
    {
        if (row.PublicKey is null || answer.Cosignature.Contains('\n', StringComparison.Ordinal))
        {
            return null;
        }

        using var witness = WitnessRules.KeyOf(row.PublicKey);
        try
        {
            var text = SignedNote.Parse(Encoding.UTF8.GetBytes(stored)).Text;
            var opened = SignedNote.Parse(Encoding.UTF8.GetBytes($"{text}\n{answer.Cosignature}\n")).Open([witness]);
            return opened.Note.Signatures[0].ToString();
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private void Alarm(WitnessRow row, WitnessAnswer answer, string reason)
    {
        LogRefused(logger, row.ClusterId, answer.Log, reason);
        events.Audit(new AuditFact("audit.log-refused", AuditLog.Customer, "log", answer.Log)
        {
            CustomerId = row.CustomerId,
            ClusterId = row.ClusterId,
            Outcome = AuditOutcome.Failed,
            Actor = new AuditActor("cluster", row.ClusterId.ToString(), "accessToken"),
            Changes =
            [
                Change.Add("/reason", reason), Change.Add("/held", answer.Held.ToStringUtf8()), Change.Add("/heldIsSigned", IsOurs(answer.Held)), Change.Add("/shown", answer.Shown.ToStringUtf8()), Change.Add("/shownIsSigned", IsOurs(answer.Shown)),
            ],
        });
    }

    // An agent can say what it likes: whether the key that is here has signed both is what makes it evidence.
    private bool IsOurs(Google.Protobuf.ByteString bytes)
    {
        try
        {
            var note = SignedNote.Parse(bytes.Span);
            return key.HasSigned(Checkpoint.Parse(note.Text).Origin, note);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private sealed record Told(Guid Cluster, Guid Customer, long Rank, DateTimeOffset At, WitnessAnswers Answers);

    [LoggerMessage(6013, LogLevel.Critical, "Cluster {Cluster} refuses the audit log {Log} ({Reason}): it is not what the cluster had seen. Both checkpoints stand in its customer's log, audit.log-refused")]
    private static partial void LogRefused(ILogger logger, Guid cluster, string log, string reason);

    [LoggerMessage(6014, LogLevel.Warning, "Cluster {Cluster} has sent a cosignature for {Size} entries of the audit log {Log} that is none; it is not stored")]
    private static partial void LogNotGood(ILogger logger, Guid cluster, string log, long size);
}
