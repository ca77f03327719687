using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;
using MissionControl.Platform.Time;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Logs;

/// <summary>
/// Signs the head of every log that has grown. Only what is committed, and only after it was read again: the new entries must hash to
/// their places, and the rows of the tree to the root of the head. What does not is not signed, and says so in the log of the process.
/// </summary>
internal sealed partial class SignCheckpoints(LogKey key, TimeProvider time, ILogger<SignCheckpoints> logger) : Sweeper("audit.sign-checkpoints", "audit", TimeSpan.FromSeconds(1))
{
    private const int Batch = 200;
    private readonly HashSet<Guid> damaged = [];

    public override async Task RunAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<ControlPlaneDbContext>();
        while (await SignAsync(db, cancellationToken) == Batch)
        {
        }
    }

    private async Task<int> SignAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var due = await (from head in db.Set<LogHead>().AsNoTracking()
                         where head.Size > 0 && !damaged.Contains(head.LogId) && !db.Set<LogCheckpoint>().Any(signed => signed.LogId == head.LogId && signed.Size == head.Size)
                         join log in db.Set<Log>().AsNoTracking() on head.LogId equals log.Id
                         orderby head.LogId
                         select new { log.Id, log.Origin, head.Size, head.Root, Signed = db.Set<LogCheckpoint>().Where(signed => signed.LogId == head.LogId).Max(signed => (long?)signed.Size) ?? 0 })
            .Take(Batch).ToListAsync(cancellationToken);
        var notes = new List<object?[]>();
        foreach (var head in due)
        {
            var root = new TreeHash(head.Root);
            if (await ProblemAsync(db, head.Id, head.Signed, head.Size, root, cancellationToken) is { } problem)
            {
                damaged.Add(head.Id);
                LogDamaged(logger, head.Origin, problem);
                continue;
            }

            notes.Add([head.Id, head.Size, time.GetUtcNow().ToUnixTimeMilliseconds(), key.Sign(new Checkpoint(head.Origin, head.Size, root)).ToString()]);
        }

        if (notes.Count > 0)
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogCheckpoint.Table, ["log_id", "size", "signed_at", "note"], ["log_id", "size"], notes), cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return due.Count;
    }

    private static async Task<string?> ProblemAsync(ControlPlaneDbContext db, Guid log, long signed, long size, TreeHash root, CancellationToken cancellationToken)
    {
        if (signed > size)
        {
            return string.Create(CultureInfo.InvariantCulture, $"it was signed with {signed} entries, and has {size} now: is this database restored from a backup?");
        }

        await foreach (var leaf in db.Set<LogLeaf>().AsNoTracking().Where(leaf => leaf.LogId == log && leaf.Position >= signed && leaf.Position < size).OrderBy(leaf => leaf.Position).Select(leaf => new { leaf.Position, leaf.Hash, leaf.Content }).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (!TreeHash.OfLeaf(leaf.Content).Span.SequenceEqual(leaf.Hash))
            {
                return string.Create(CultureInfo.InvariantCulture, $"entry {leaf.Position} does not hash to what the tree has for it.");
            }
        }

        return (await TileReader.ResolveAsync(db, log, ProofPlan.Root(size), cancellationToken))[0] == root ? null : "its tiles do not hash to the root of its head.";
    }

    [LoggerMessage(6001, LogLevel.Critical, "The audit log {Origin} is damaged and no longer signed: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string origin, string problem);
}
