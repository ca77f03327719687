using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Guard;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>
/// Signs the head of every log that has grown. Only what is committed, and only after it was read again: the tree of before must still
/// have the root that was signed, every entry since must hash to its place, and the rows of the tree to the root of the head. A log of
/// which that is not so is signed no more, and says so in the log of the process; the others go on. Nor is a log signed of which
/// somebody remembers more than the database has, or something else: it was brought back from a backup, and what it would sign would
/// be a second history. What is signed is remembered outside the database before anybody can see it: a crash between leaves a memory
/// of a tree that is stored all the same, and never a checkpoint that nobody remembers.
/// </summary>
internal sealed partial class SignCheckpoints(LogKey key, HeadGuard guard, WatchHeads watch, AppendOnlyTest test, TimeProvider time, ILogger<SignCheckpoints> logger) : Sweeper("audit.sign-checkpoints", "audit", TimeSpan.FromMilliseconds(800))
{
    private const int Batch = 200;

    // Somebody waits for a look at once: what takes long is done with the next round.
    private const int MostAtOnce = 10_000;
    private static readonly TimeSpan Room = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<Guid, string> damaged = [];
    private HashSet<Guid> heldBefore = [];

    // The first look after a start is at all of them.
    private DateTimeOffset looked = DateTimeOffset.UnixEpoch + Room;

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        var now = time.GetUtcNow();
        if (await BasisAsync(db, cancellationToken) is not var (known, held))
        {
            return;
        }

        // One that is held no longer is due, whenever it was written to.
        looked = heldBefore.IsSubsetOf(held) ? looked : DateTimeOffset.UnixEpoch + Room;
        heldBefore = held;

        // Only those that were written since the last look, with room for a transaction that took its time. A head that went back to a
        // size that was signed once is due, too: it is found to be damaged.
        var since = looked - Room;
        var due = await Logs(db, db.Set<LogHead>().Where(head => head.RecordedAt >= since)).Where(log => log.Size != log.Signed).OrderBy(log => log.Id).ToListAsync(cancellationToken);
        await SignAsync(db, due, known, held, cancellationToken);
        looked = now;
    }

    /// <summary>Looks at some logs at once and signs those that have grown, whoever else signs at present.</summary>
    /// <returns>Those whose newest checkpoint can be spoken for, and those that another pass has to look at first; null: nothing may be signed at present.</returns>
    public async Task<(IReadOnlySet<Guid> Sound, IReadOnlySet<Guid> Later)?> SignNowAsync(ControlPlaneDbContext db, IReadOnlyCollection<Guid> logs, CancellationToken cancellationToken)
    {
        if (await BasisAsync(db, cancellationToken) is not var (known, held))
        {
            return null;
        }

        var due = (await Logs(db, db.Set<LogHead>().Where(head => logs.Contains(head.LogId))).ToListAsync(cancellationToken)).ToLookup(log => log.Size - log.Signed > MostAtOnce);
        var (sound, later) = await SignAsync(db, [.. due[false]], known, held, cancellationToken);
        later.UnionWith(due[true].Where(log => MaySign(log, held)).Select(log => log.Id));
        return (sound, later);
    }

    // What is known outside first, and the database then: a head that comes between is newer, and not one that is missing.
    private async Task<(IReadOnlyDictionary<Guid, KnownHead> Known, HashSet<Guid> Held)?> BasisAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        if (!watch.HasLooked || test.Refusal is not null)
        {
            return null;
        }

        var known = await guard.ReadAsync(cancellationToken);
        var held = (await HeldLogs.ReadAsync(db, cancellationToken)).Select(row => row.Log).ToHashSet();
        return known.State != GuardState.Good || held.Contains(HeldLogs.All) ? null : (known.Heads, held);
    }

    private static IQueryable<DueLog> Logs(ControlPlaneDbContext db, IQueryable<LogHead> heads) =>
        from head in heads.AsNoTracking()
        join log in db.Set<Log>().AsNoTracking() on head.LogId equals log.Id
        select new DueLog { Id = log.Id, Origin = log.Origin, Size = head.Size, Root = head.Root, Signed = db.Set<LogCheckpoint>().Where(note => note.LogId == head.LogId).Max(note => (long?)note.Size) ?? 0 };

    private bool MaySign(DueLog log, HashSet<Guid> held) => !damaged.ContainsKey(log.Id) && !held.Contains(log.Id);

    private async Task<(HashSet<Guid> Sound, HashSet<Guid> Later)> SignAsync(ControlPlaneDbContext db, IReadOnlyList<DueLog> due, IReadOnlyDictionary<Guid, KnownHead> known, HashSet<Guid> held, CancellationToken cancellationToken)
    {
        var (sound, later) = (new HashSet<Guid>(), new HashSet<Guid>());
        foreach (var batch in due.Where(log => MaySign(log, held)).Chunk(Batch))
        {
            await SignAsync(db, batch, known, sound, later, cancellationToken);
        }

        return (sound, later);
    }

    private async Task SignAsync(ControlPlaneDbContext db, IReadOnlyList<DueLog> due, IReadOnlyDictionary<Guid, KnownHead> known, HashSet<Guid> sound, HashSet<Guid> later, CancellationToken cancellationToken)
    {
        var (heads, notes) = (new Dictionary<Guid, KnownHead>(), new Dictionary<Guid, object?[]>());
        foreach (var log in due)
        {
            try
            {
                if (await ProblemAsync(db, log, cancellationToken) is { } problem)
                {
                    Damaged(log, problem);
                }
                else if (known.TryGetValue(log.Id, out var head) && await GuardLook.ProblemAsync(db, log.Id, log.Size, head, cancellationToken) is not null)
                {
                    // It is told, and held, by the one that watches.
                    watch.LookAtAll();
                }
                else
                {
                    sound.Add(log.Id);
                    if (log.Size > log.Signed)
                    {
                        var root = new TreeHash(log.Root);
                        var note = key.Sign(new Checkpoint(log.Origin, log.Size, root)).ToString();
                        heads[log.Id] = new KnownHead(log.Size, root);
                        notes[log.Id] = [log.Id, log.Size, time.GetUtcNow().ToUnixTimeMilliseconds(), note];
                    }
                }
            }
            catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException && db.Dialect.UnavailableBehind(exception) is null)
            {
                // A tile that is not there or has another length, or a name that nothing can be signed by: this log alone is damaged.
                Damaged(log, exception.Message);
            }
        }

        // Another pass may have signed more of a log since: what was looked at here is not all, and the next pass looks anew.
        var kept = heads.Count == 0 ? new HashSet<Guid>() : await guard.AddAsync(known, heads, cancellationToken);
        var moved = heads.Keys.Where(log => !kept.Contains(log)).ToList();
        sound.ExceptWith(moved);
        later.UnionWith(moved);
        if (kept.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogCheckpoint.Table, ["log_id", "size", "signed_at", "note"], ["log_id", "size"], [.. kept.Select(log => notes[log])]), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private void Damaged(DueLog log, string problem)
    {
        if (damaged.TryAdd(log.Id, problem))
        {
            LogDamaged(logger, log.Origin, problem);
        }
    }

    private static async Task<string?> ProblemAsync(ControlPlaneDbContext db, DueLog due, CancellationToken cancellationToken)
    {
        var (log, size, root, signed) = (due.Id, due.Size, due.Root, due.Signed);
        return signed > size ? string.Create(CultureInfo.InvariantCulture, $"it was signed with {signed} entries, and has {size} now: was a part of the database brought back from a backup?")
            : !await IsAsSignedAsync(db, log, signed, cancellationToken) ? string.Create(CultureInfo.InvariantCulture, $"its first {signed} entries are not those that were signed.")
            : await BrokenEntryAsync(db, log, signed, size, cancellationToken) is { } broken ? string.Create(CultureInfo.InvariantCulture, $"entry {broken} is missing, or does not hash to what the tree has for it.")
            : (await TileReader.ResolveAsync(db, log, ProofPlan.Root(size), cancellationToken))[0].Span.SequenceEqual(root) ? null : "its tiles do not hash to the root of its head.";
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

    private sealed class DueLog
    {
        public required Guid Id { get; init; }

        public required string Origin { get; init; }

        public required long Size { get; init; }

        public required byte[] Root { get; init; }

        public required long Signed { get; init; }
    }

    [LoggerMessage(6001, LogLevel.Critical, "The audit log {Origin} is damaged and no longer signed: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string origin, string problem);
}
