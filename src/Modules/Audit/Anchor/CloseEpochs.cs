using System.Buffers.Binary;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Time;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Anchor;

/// <summary>
/// Closes an epoch when it is time: gives every log that has none its slot, binds what each log has signed last, and appends the root
/// to the anchor, which is then signed like any other log. Only behind an epoch that is signed, so that what was refused a signature is
/// not built upon; and also when nothing has grown, since the anchor says that all of it is still so. Of a log that is held nothing is
/// bound, since what it had signed may be less than was bound before. While no server runs there are no epochs, which their times show.
/// </summary>
internal sealed partial class CloseEpochs(BlindingKey blinding, AppendOnlyTest test, WatchHeads watch, IOptions<AuditOptions> options, TimeProvider time, ILogger<CloseEpochs> logger) : Sweeper("audit.close-epochs", "audit", TimeSpan.FromSeconds(1))
{
    /// <summary>Of so many epochs slots can be proven; the last one says all that those before it did.</summary>
    public const int Kept = 60;

    // It tells whose the slots are, and has the first one itself: so of two of it the epochs bind one.
    private const string Fleet = "fleet";
    private const int Batch = 500;
    private const int SizeBytes = sizeof(long);

    // What this process saw the anchor come to, and when by a clock that nobody puts back.
    private (long Size, long At) seen = (-1, 0);

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        if (test.Refusal is not null || !watch.HasLooked)
        {
            return;
        }

        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        if (await AnchorLog.ReadAsync(db, cancellationToken) is not { } anchor)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await scope.GetRequiredService<Sequencer>().MakeAsync([(AnchorLog.Kind, AnchorLog.Kind, null), (Fleet, Fleet, null)], cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        else if (anchor.IsSigned && IsDue(anchor) && (await HeldLogs.ReadAsync(db, cancellationToken)).Select(row => row.Log).ToHashSet() is var held && !held.Contains(HeldLogs.All) && !held.Contains(AnchorLog.Id))
        {
            while (await RegisterAsync(db, scope.GetRequiredService<IEvents>(), cancellationToken) == Batch)
            {
            }

            await CloseAsync(db, scope.GetRequiredService<Sequencer>(), anchor, held, cancellationToken);
        }
    }

    /// <summary>What the slots of an epoch were made of, as it is stored.</summary>
    public static byte[] Pack(IReadOnlyList<long> sizes, SlotTree tree)
    {
        var content = new byte[sizes.Count * (SizeBytes + TreeHash.Size)];
        for (var slot = 0; slot < sizes.Count; slot++)
        {
            var at = content.AsSpan(slot * (SizeBytes + TreeHash.Size));
            BinaryPrimitives.WriteInt64BigEndian(at, sizes[slot]);
            tree[slot].Span.CopyTo(at[SizeBytes..]);
        }

        return content;
    }

    /// <summary>The tree again, and the sizes that were bound.</summary>
    public static (SlotTree Tree, long[] Sizes) Unpack(byte[] content)
    {
        var sizes = new long[content.Length / (SizeBytes + TreeHash.Size)];
        var leaves = new TreeHash[sizes.Length];
        for (var slot = 0; slot < sizes.Length; slot++)
        {
            var at = content.AsSpan(slot * (SizeBytes + TreeHash.Size));
            (sizes[slot], leaves[slot]) = (BinaryPrimitives.ReadInt64BigEndian(at), new TreeHash(at.Slice(SizeBytes, TreeHash.Size)));
        }

        return (new SlotTree(leaves), sizes);
    }

    // By the clock; and where that was put back, so long after the last one that this process saw.
    private bool IsDue(AnchorLog anchor)
    {
        if (anchor.Head.Size != seen.Size)
        {
            seen = (anchor.Head.Size, time.GetTimestamp());
        }

        return anchor.Last is null || time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(anchor.Last.Time) >= options.Value.Epoch || time.GetElapsedTime(seen.At) >= options.Value.Epoch;
    }

    // The entry in the fleet's log is told in the transaction that gives the slot: where one was moved, the log and the tree do not agree.
    private static async Task<int> RegisterAsync(ControlPlaneDbContext db, IEvents events, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var logs = await db.Set<Log>().AsNoTracking().Where(log => log.Kind != AnchorLog.Kind && !db.Set<LogSlot>().Any(slot => slot.LogId == log.Id))
            .OrderByDescending(log => log.Kind == Fleet).ThenBy(log => log.CreatedAt).ThenBy(log => log.Name).Select(log => new { log.Id, log.Origin }).Take(Batch).ToListAsync(cancellationToken);
        if (logs.Count == 0)
        {
            return 0;
        }

        var next = await db.Set<LogSlot>().MaxAsync(row => (long?)row.Slot, cancellationToken) + 1 ?? 0;
        if (await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogSlot.Table, ["slot", "log_id"], ["slot"], [.. logs.Select((log, i) => new object?[] { next + i, log.Id })]), cancellationToken) != logs.Count)
        {
            throw new DbUpdateConcurrencyException("Another replica has given the same slots.");
        }

        for (var i = 0; i < logs.Count; i++)
        {
            events.Audit(new AuditFact("audit.log-registered", AuditLog.Fleet, "log", logs[i].Origin) { Changes = [Change.Add("/slot", next + i)] });
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return logs.Count;
    }

    private async Task CloseAsync(ControlPlaneDbContext db, Sequencer sequencer, AnchorLog anchor, HashSet<Guid> held, CancellationToken cancellationToken)
    {
        var number = anchor.Head.Size + 1;
        var at = Math.Max(time.GetUtcNow().ToUnixTimeSeconds(), anchor.Last is null ? 0 : anchor.Last.Time + 1);
        var (sizes, tree) = await BindAsync(db, number, blinding.At(DateTimeOffset.FromUnixTimeSeconds(at)), held, cancellationToken);
        var epoch = new Epoch(number, at, tree.Size, tree.Root, Epoch.HashOf(anchor.Head));
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await sequencer.AppendAsync(AnchorLog.Id, epoch.Index, AnchorLog.EventOf(number), epoch.ToBytes(), cancellationToken))
        {
            await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(EpochSlots.Table, ["epoch", "content"], ["epoch"], [[number, Pack(sizes, tree)]]), cancellationToken);
            await db.Set<EpochSlots>().Where(row => row.Epoch <= number - Kept).ExecuteDeleteAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    // One statement, however many logs there are.
    private async Task<(List<long> Sizes, SlotTree Tree)> BindAsync(ControlPlaneDbContext db, long number, byte[] key, HashSet<Guid> held, CancellationToken cancellationToken)
    {
        var (sizes, leaves) = (new List<long>(), new List<TreeHash>());
        var rows = from slot in db.Set<LogSlot>()
                   join log in db.Set<Log>() on slot.LogId equals log.Id
                   orderby slot.Slot
                   select new { slot.Slot, log.Id, log.Origin, Note = db.Set<LogCheckpoint>().Where(note => note.LogId == log.Id).OrderByDescending(note => note.Size).Select(note => note.Note).FirstOrDefault() };
        await foreach (var row in rows.AsNoTracking().AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (row.Slot != leaves.Count)
            {
                throw new InvalidOperationException($"Slot {leaves.Count} is missing.");
            }

            var head = row.Note is null || held.Contains(row.Id) ? null : HeadOf(row.Origin, row.Note);
            if (head is null && row.Note is not null && !held.Contains(row.Id))
            {
                LogLeftOut(logger, row.Origin, number);
            }

            head ??= new Checkpoint(row.Origin, 0, TreeHash.Empty);
            sizes.Add(head.Size);
            leaves.Add(Epoch.SlotOf(number, head, BlindingKey.Blind(key, row.Origin, number)));
        }

        return (sizes, new SlotTree([.. leaves]));
    }

    // One log that is damaged does not keep the others from being bound.
    private static Checkpoint? HeadOf(string origin, string note)
    {
        try
        {
            // A checkpoint has no empty line of its own: up to the first one the note is what was signed.
            var head = Checkpoint.Parse(note[..(note.IndexOf("\n\n", StringComparison.Ordinal) + 1)]);
            return head.Origin == origin ? head : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    [LoggerMessage(6011, LogLevel.Critical, "The audit log {Origin} is not bound by epoch {Number}: its newest checkpoint is none that it signed")]
    private static partial void LogLeftOut(ILogger logger, string origin, long number);
}
