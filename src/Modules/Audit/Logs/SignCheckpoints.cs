using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>
/// Signs the head of every log that has grown. Only what is committed, and only after it was read again: the tree of before must still
/// have the root that was signed, every entry since must hash to its place, and the rows of the tree to the root of the head. A log of
/// which that is not so is signed no more, and says so in the log of the process; the others go on.
/// </summary>
internal sealed partial class SignCheckpoints(LogKey key, TimeProvider time, ILogger<SignCheckpoints> logger) : Sweeper("audit.sign-checkpoints", "audit", TimeSpan.FromSeconds(1))
{
    private const int Batch = 200;
    private static readonly TimeSpan Room = TimeSpan.FromMinutes(5);
    private readonly HashSet<Guid> damaged = [];

    // The first look after a start is at all of them.
    private DateTimeOffset looked = DateTimeOffset.UnixEpoch + Room;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        while (await SignAsync(db, cancellationToken) == Batch)
        {
        }

        looked = now;
    }

    private async Task<int> SignAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        // Only those that were written since the last look, with room for a transaction that took its time. A head that went back to a
        // size that was signed once is due, too: it is found to be damaged.
        var since = looked - Room;
        var due = await (from head in db.Set<LogHead>().AsNoTracking()
                         where head.RecordedAt >= since
                         let signed = db.Set<LogCheckpoint>().Where(note => note.LogId == head.LogId).Max(note => (long?)note.Size) ?? 0
                         where head.Size != signed && !damaged.Contains(head.LogId)
                         join log in db.Set<Log>().AsNoTracking() on head.LogId equals log.Id
                         orderby head.LogId
                         select new { log.Id, log.Origin, head.Size, head.Root, Signed = signed })
            .Take(Batch).ToListAsync(cancellationToken);
        var notes = new List<object?[]>();
        foreach (var head in due)
        {
            if (await ProblemAsync(db, head.Id, head.Signed, head.Size, head.Root, cancellationToken) is { } problem)
            {
                damaged.Add(head.Id);
                LogDamaged(logger, head.Origin, problem);
                continue;
            }

            notes.Add([head.Id, head.Size, time.GetUtcNow().ToUnixTimeMilliseconds(), key.Sign(new Checkpoint(head.Origin, head.Size, new TreeHash(head.Root))).ToString()]);
        }

        if (notes.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogCheckpoint.Table, ["log_id", "size", "signed_at", "note"], ["log_id", "size"], notes), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return due.Count;
    }

    private static async Task<string?> ProblemAsync(ControlPlaneDbContext db, Guid log, long signed, long size, byte[] root, CancellationToken cancellationToken)
    {
        try
        {
            return signed > size ? string.Create(CultureInfo.InvariantCulture, $"it was signed with {signed} entries, and has {size} now: was a part of the database brought back from a backup?")
                : !await IsAsSignedAsync(db, log, signed, cancellationToken) ? string.Create(CultureInfo.InvariantCulture, $"its first {signed} entries are not those that were signed.")
                : await BrokenEntryAsync(db, log, signed, size, cancellationToken) is { } broken ? string.Create(CultureInfo.InvariantCulture, $"entry {broken} is missing, or does not hash to what the tree has for it.")
                : (await TileReader.ResolveAsync(db, log, ProofPlan.Root(size), cancellationToken))[0].Span.SequenceEqual(root) ? null : "its tiles do not hash to the root of its head.";
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException)
        {
            // A tile that is not there, or has another length: this log alone is damaged.
            return exception.Message;
        }
    }

    private static async Task<bool> IsAsSignedAsync(ControlPlaneDbContext db, Guid log, long signed, CancellationToken cancellationToken)
    {
        if (signed == 0)
        {
            return true;
        }

        var note = (await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [[log, signed]], ["note"], cancellationToken))[0]!;
        var before = Checkpoint.Parse(SignedNote.Parse(Encoding.UTF8.GetBytes((string)note[0]!)).Text);
        return (await TileReader.ResolveAsync(db, log, ProofPlan.Root(signed), cancellationToken))[0] == before.Root;
    }

    private static async Task<long?> BrokenEntryAsync(ControlPlaneDbContext db, Guid log, long from, long to, CancellationToken cancellationToken)
    {
        for (; from < to; from += TileId.FullWidth)
        {
            var leaves = await TileReader.LeavesAsync(db, log, from, Math.Min(to, from + TileId.FullWidth), ["hash", "content"], cancellationToken);
            for (var i = 0; i < leaves.Count; i++)
            {
                if (leaves[i] is not [byte[] hash, byte[] content] || !TreeHash.OfLeaf(content).Span.SequenceEqual(hash))
                {
                    return from + i;
                }
            }
        }

        return null;
    }

    [LoggerMessage(6001, LogLevel.Critical, "The audit log {Origin} is damaged and no longer signed: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string origin, string problem);
}
