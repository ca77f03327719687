using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Witnesses;

/// <summary>Checkpoints with the words of witnesses, and the policy by which a reader judges them.</summary>
internal static class Witnessed
{
    /// <summary>As many lines stand under a checkpoint at most, and as many witnesses in a policy: a reader takes 100 signatures (C2SP signed-note).</summary>
    public const int Most = 90;

    /// <summary>By what a policy calls all of them.</summary>
    public const string Group = "witnesses";

    /// <summary>How many have to see a log: of the anchor as many as are wanted, or as there are; of any other log one. Of those from outside there are those who have cosigned it and do not refuse it now.</summary>
    public static async Task<int> QuorumAsync(ControlPlaneDbContext db, Guid log, AuditOptions options, CancellationToken cancellationToken)
    {
        if (log != AnchorLog.Id)
        {
            return 1;
        }

        var known = options.Witnesses.Count == 0 ? [] : await OutsideState.ReadAsync(db, cancellationToken);
        return Math.Clamp(await Seats(db).CountAsync(cancellationToken) + options.Witnesses.Count(witness => known.GetValueOrDefault(witness.Id) is { Refusal: null }), 1, options.WitnessQuorum);
    }

    /// <summary>The newest size of a log that so many have seen; 0: none.</summary>
    public static async Task<long> SizeAsync(ControlPlaneDbContext db, Guid log, int quorum, CancellationToken cancellationToken) =>
        await db.Set<Cosignature>().Where(row => row.LogId == log).GroupBy(row => row.Size).Where(group => group.Count() >= quorum).Select(group => (long?)group.Key).MaxAsync(cancellationToken) ?? 0;

    private static async Task<string> NoteAsync(ControlPlaneDbContext db, Guid log, long size, string note, CancellationToken cancellationToken) =>
        note + string.Concat((await db.Set<Cosignature>().AsNoTracking().Where(row => row.LogId == log && row.Size == size).OrderBy(row => row.ClusterId).Take(Most).Select(row => row.Line).ToListAsync(cancellationToken)).Select(line => $"{line}\n"));

    /// <summary>The newest checkpoint of a log, with the words of those who have seen that very one; null: nothing is signed yet.</summary>
    public static async Task<string?> NewestAsync(ControlPlaneDbContext db, Guid log, CancellationToken cancellationToken) =>
        await db.Set<LogCheckpoint>().AsNoTracking().Where(row => row.LogId == log).OrderByDescending(row => row.Size).FirstOrDefaultAsync(cancellationToken) is { } newest ? await NoteAsync(db, log, newest.Size, newest.Note, cancellationToken) : null;

    /// <summary>The checkpoint of a size, with the words of those who have seen it; null: none of that size was signed.</summary>
    public static async Task<string?> OfSizeAsync(ControlPlaneDbContext db, Guid log, long size, CancellationToken cancellationToken) =>
        (await db.Dialect.ReadByKeyAsync(db, LogCheckpoint.Table, ["log_id", "size"], [[log, size]], ["note"], cancellationToken))[0] is [string note] ? await NoteAsync(db, log, size, note, cancellationToken) : null;

    /// <summary>A policy for a log (C2SP tlog-policy): its keys, those who cosign it by names that name nobody, and how many of them are enough.</summary>
    public static async Task<string> PolicyAsync(ControlPlaneDbContext db, Log log, IReadOnlyList<string> keys, AuditOptions options, CancellationToken cancellationToken)
    {
        var isAnchor = log.Id == AnchorLog.Id;
        var rows = isAnchor ? Seats(db) : db.Set<WitnessRow>().AsNoTracking().Where(row => row.CustomerId == log.CustomerId && row.MayBeAsked && row.CustomerRefusal == null);
        var outside = isAnchor ? options.Witnesses : [];
        var known = isAnchor || log.Kind == "customer" ? await rows.OrderBy(row => row.ClusterId).Select(row => row.PublicKey!).Take(Most - outside.Count).ToListAsync(cancellationToken) : [];
        var text = new StringBuilder("# Keep this where whoever signs the log cannot change it.\n");
        foreach (var key in keys)
        {
            text.Append(CultureInfo.InvariantCulture, $"log {key}\n");
        }

        var names = new List<string>();
        foreach (var witness in outside.Select(one => one.Key()).Concat(known.Select(key => WitnessRules.KeyOf(key))))
        {
            using var own = witness;
            names.Add(witness.Name);
            text.Append(CultureInfo.InvariantCulture, $"witness {witness.Name} {witness}\n");
        }

        return names.Count == 0 ? text.Append("quorum none\n").ToString()
            : text.Append(CultureInfo.InvariantCulture, $"group {Group} {Math.Min(await QuorumAsync(db, log.Id, options, cancellationToken), names.Count)} {string.Join(' ', names)}\nquorum {Group}\n").ToString();
    }

    // Everybody's, as the anchor is: names and keys that name nobody.
    private static IQueryable<WitnessRow> Seats(ControlPlaneDbContext db)
    {
        db.Scope.OpenAll("the witnesses of the anchor are everybody's");
        return db.Set<WitnessRow>().AsNoTracking().Where(row => row.HasSeat && row.PublicKey != null);
    }
}
