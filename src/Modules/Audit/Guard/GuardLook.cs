using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Guard;

/// <summary>A log as the database has it.</summary>
/// <param name="Id">The log.</param>
/// <param name="Origin">By what its checkpoints call it.</param>
/// <param name="Kind">customer, fleet or operator.</param>
/// <param name="CustomerId">Whose.</param>
/// <param name="Size">How many entries it has.</param>
/// <param name="Signed">How many of them are signed.</param>
internal sealed record StoredLog(Guid Id, string Origin, string Kind, Guid? CustomerId, long Size, long Signed);

/// <summary>What came of holding the database against what is known outside of it.</summary>
/// <param name="Logs">The logs that were looked at.</param>
/// <param name="Problems">Those of which the database is not what was signed, and why.</param>
/// <param name="Newer">What the database has signed beyond what is known.</param>
internal sealed record GuardFinding(IReadOnlyList<StoredLog> Logs, IReadOnlyDictionary<Guid, string> Problems, IReadOnlyDictionary<Guid, KnownHead> Newer);

/// <summary>
/// Holds the database against what is known outside of it: every tree that was signed must still be the beginning of what is stored.
/// What is known is read first and the database then, so that a checkpoint that comes between is never taken for a lost one.
/// </summary>
internal static class GuardLook
{
    private const int Batch = 500;

    /// <summary>Looks at the logs that were written to since an instant; null: at all, and for those that are gone.</summary>
    public static async Task<GuardFinding> RunAsync(ControlPlaneDbContext db, LogKey key, IReadOnlyDictionary<Guid, KnownHead> known, DateTimeOffset? since, CancellationToken cancellationToken)
    {
        var heads = db.Set<LogHead>().AsNoTracking();
        heads = since is { } instant ? heads.Where(row => row.RecordedAt >= instant) : heads;
        var logs = await (from head in heads
                          join log in db.Set<Log>().AsNoTracking() on head.LogId equals log.Id
                          select new StoredLog(log.Id, log.Origin, log.Kind, log.CustomerId, head.Size, db.Set<LogCheckpoint>().Where(note => note.LogId == head.LogId).Max(note => (long?)note.Size) ?? 0)).ToListAsync(cancellationToken);
        var (problems, newer) = (new Dictionary<Guid, string>(), new Dictionary<Guid, KnownHead>());
        foreach (var chunk in logs.Where(log => log.Signed > 0 || known.ContainsKey(log.Id)).Chunk(Batch))
        {
            var notes = await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [.. chunk.Select(log => new object?[] { log.Id, log.Signed })], ["note"], cancellationToken);
            foreach (var (log, note) in chunk.Zip(notes))
            {
                await CompareAsync(db, key, log, note is null ? null : (string)note[0]!, known.TryGetValue(log.Id, out var head) ? head : null, problems, newer, cancellationToken);
            }
        }

        if (since is null)
        {
            var stored = logs.Select(log => log.Id).ToHashSet();
            foreach (var (log, head) in known.Where(pair => !stored.Contains(pair.Key)))
            {
                problems[log] = string.Create(CultureInfo.InvariantCulture, $"{head.Size} entries of it were signed, and the database does not know it.");
            }
        }

        return new GuardFinding(logs, problems, newer);
    }

    /// <summary>Why the database is not what was signed for a log; null: it is.</summary>
    /// <param name="db">The database.</param>
    /// <param name="log">The log.</param>
    /// <param name="size">How many entries it has there.</param>
    /// <param name="known">What is known outside.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<string?> ProblemAsync(ControlPlaneDbContext db, Guid log, long size, KnownHead known, CancellationToken cancellationToken) => known.Size > size
        ? string.Create(CultureInfo.InvariantCulture, $"{known.Size} entries of it were signed, and the database has {size}: it was brought back from a backup.")
        : (await TileReader.ResolveAsync(db, log, ProofPlan.Root(known.Size), cancellationToken))[0] == known.Root ? null
        : string.Create(CultureInfo.InvariantCulture, $"its first {known.Size} entries are others than those that were signed: the database was brought back from a backup, or changed.");

    private static async Task CompareAsync(ControlPlaneDbContext db, LogKey key, StoredLog log, string? note, KnownHead? known, Dictionary<Guid, string> problems, Dictionary<Guid, KnownHead> newer, CancellationToken cancellationToken)
    {
        try
        {
            var signed = note is null ? null : SignedNote.Parse(Encoding.UTF8.GetBytes(note));
            var said = signed is null ? null : Checkpoint.Parse(signed.Text);
            if (known is { } head && (head.Size == log.Signed ? (head.Root == said?.Root ? null : "the database has another signed root for as many entries.") : await ProblemAsync(db, log.Id, log.Size, head, cancellationToken)) is { } problem)
            {
                problems[log.Id] = problem;
            }
            else if (said is not null && (said.Origin != log.Origin || said.Size != log.Signed || said.Size > log.Size))
            {
                problems[log.Id] = "its newest checkpoint is not of what it holds.";
            }

            // Rows of that table can be added by whoever has the role's login; a signature cannot.
            else if (said is not null && said.Size > (known?.Size ?? 0) && key.HasSigned(log.Origin, signed!))
            {
                newer[log.Id] = new KnownHead(said.Size, said.Root);
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or FormatException && db.Dialect.UnavailableBehind(exception) is null)
        {
            // A tile that is missing, or a note that is none: it is not what was signed, either.
            problems[log.Id] = exception.Message;
        }
    }
}
