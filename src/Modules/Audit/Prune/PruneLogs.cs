using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Prune;

/// <summary>
/// <c>missioncontrol admin audit prune</c>: takes entries away that are older than the published term, from the first one on. First the
/// log says it, in an entry; then that is signed; then the minimum is published, which the database takes only because of that entry;
/// then entries go, some at a time. A process that is killed at any point has left what the next run finishes. The tiles all stay, so
/// that every proof of before, and every signature, holds as it did.
/// </summary>
internal sealed class PruneLogs(ControlPlaneDbContext db, Sequencer sequencer, TimeProvider time)
{
    /// <summary>What the entry is called by which a log says that it was pruned.</summary>
    public const string Told = "audit.log-pruned";

    public static readonly ConsoleTask Task = new(
        "audit prune",
        "Take entries of audit logs away that are older than the term that the log of the fleet publishes (Audit:RetentionDays): by whole tiles of 256 entries, from the first one on, and never of the fleet, the anchor, or a customer under a legal hold. The log says so, and the command waits until Mission Control, which has to run, has signed that. On PostgreSQL and SQL Server it takes the owner's login, as missioncontrol migrate does. Exit code 0: what could be pruned is; 2: some of it could not be, and why. Run again, it goes on where it ended. Examples: missioncontrol admin audit prune --log all --dry-run; missioncontrol admin audit prune --log all; missioncontrol admin audit prune --log 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b --before 2026-01-01",
        [("log", "The log's id, or all.")],
        RunAsync)
    {
        Optional = [("before", "Only entries recorded before this date (UTC), as 2026-01-01; it cannot be later than the term permits.")],
        Flags = [("dry-run", "Only say what would be pruned.")],
    };

    private const int Batch = 8 * TileId.FullWidth;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private static async Task<string> RunAsync(IServiceProvider services, Func<string, string> option, CancellationToken cancellationToken)
    {
        var one = option("log") == "all" ? (Guid?)null : Guid.TryParse(option("log"), out var id) ? id : throw new ArgumentException("--log is the id of a log, or all.");
        var before = option("before") is not { } text ? (DateTimeOffset?)null
            : DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : throw new ArgumentException("--before is a date, written as 2026-01-01.");
        var prune = ActivatorUtilities.CreateInstance<PruneLogs>(services);
        var (said, refused) = await prune.RunAsync(one, before, option("dry-run") is not null, Patience, cancellationToken);
        return refused ? throw new InvalidOperationException(said) : said;
    }

    /// <summary>Prunes.</summary>
    /// <param name="one">The log; null: all.</param>
    /// <param name="before">Only what was recorded before; null: all that may go.</param>
    /// <param name="isDry">Only says what it would do.</param>
    /// <param name="patience">How long it waits for a signature.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What to print, and whether something that was asked for was not done.</returns>
    public async Task<(string Said, bool Refused)> RunAsync(Guid? one, DateTimeOffset? before, bool isDry, TimeSpan patience, CancellationToken cancellationToken)
    {
        var logs = await db.Set<Log>().AsNoTracking().Where(log => one == null ? log.Kind != AnchorLog.Kind && log.Kind != "fleet" : log.Id == one).OrderBy(log => log.Name).ToListAsync(cancellationToken);
        if (one is not null && logs is not [{ Kind: "customer" or "operator" }])
        {
            throw new ArgumentException(logs.Count == 0 ? $"There is no log {one}." : "The logs of the fleet and the anchor are never pruned: whoever verifies any other needs all of them.");
        }

        if (await RetentionPolicy.ReadAsync(db, cancellationToken) is not { Days: { } days } policy)
        {
            throw new InvalidOperationException("No term is published after which entries may be pruned: nothing is. Set Audit:RetentionDays, and wait until the log of the fleet says it (audit.retention-set).");
        }

        if (!await PrunePlan.IsCaughtUpAsync(db, cancellationToken))
        {
            throw new InvalidOperationException("The upgrade is not finished: entries of before are still put into the logs. Try again later.");
        }

        var limit = time.GetUtcNow().AddDays(-days);
        if (before > limit)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"--before is later than the published term of {days} days permits: {limit.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} at most."));
        }

        if (!isDry)
        {
            await RequireRightAsync(cancellationToken);
        }

        var (lines, refused) = (new List<string>(), false);
        foreach (var log in logs)
        {
            var (line, done) = await PruneAsync(log, policy, before ?? limit, limit, isDry, patience, cancellationToken);
            lines.Add($"{log.Id} {log.Origin}: {line}");
            refused |= !done && one is not null;
        }

        return (string.Join('\n', [.. lines, string.Create(CultureInfo.InvariantCulture, $"The published term is {days} days (audit.retention-set {policy.EventId}).{(isDry ? " Nothing was changed." : "")}")]), refused);
    }

    private async Task<(string Line, bool Done)> PruneAsync(Log log, RetentionPolicy policy, DateTimeOffset before, DateTimeOffset limit, bool isDry, TimeSpan patience, CancellationToken cancellationToken)
    {
        var minimum = await LogMinimum.OfAsync(db, log.Id, cancellationToken);
        var plan = await PrunePlan.MakeAsync(db, log, minimum, before, cancellationToken);
        var left = await FirstAsync(log.Id, minimum, cancellationToken);
        if (isDry)
        {
            return (plan.Refusal is null ? string.Create(CultureInfo.InvariantCulture, $"entries {Math.Min(left ?? minimum, minimum)} to {plan.Minimum - 1} would be pruned.") : $"{plan.Refusal}.{(left is null ? "" : string.Create(CultureInfo.InvariantCulture, $" Entries {left} to {minimum - 1}, which the log says to be pruned, are still there."))}", true);
        }

        // What a run before this one said and did not come to: a minimum is no reason, only what age, numbers and the tree permit now.
        if (left is { } first)
        {
            var rest = await PrunePlan.MakeAsync(db, log, first, limit, cancellationToken, minimum);
            if ((rest.Refusal ?? (rest.Minimum < minimum ? "not all of them are old enough" : await DeleteAsync(log, minimum, cancellationToken))) is { } why)
            {
                return (string.Create(CultureInfo.InvariantCulture, $"entries {first} to {minimum - 1}, which it says to be pruned, are not all gone, and the rest of them stays: {why}."), false);
            }
        }

        if (plan.Refusal is not null)
        {
            return ($"{plan.Refusal}.{(minimum > 0 ? string.Create(CultureInfo.InvariantCulture, $" It begins at entry {minimum}.") : "")}", minimum > 0 && !plan.IsStopped);
        }

        // An entry that says it already is that of a run before: only what may be pruned is believed.
        if (await ToldAsync(log.Id, minimum, plan.Minimum, cancellationToken) is not { } told)
        {
            if (await RetentionPolicy.ReadAsync(db, cancellationToken) != policy)
            {
                return ("another term was published meanwhile. Nothing was deleted; run this again.", false);
            }

            told = await TellAsync(log, policy, minimum, plan.Minimum, before, cancellationToken);
        }

        if (!await IsSignedAsync(log.Id, told.Position, patience, cancellationToken))
        {
            return (string.Create(CultureInfo.InvariantCulture, $"it says that it is pruned up to entry {told.Minimum}, and that is not signed yet. Is Mission Control running? Nothing was deleted; run this again."), false);
        }

        return (await PublishAsync(log, told, cancellationToken) ?? await DeleteAsync(log, told.Minimum, cancellationToken)) is { } stopped
            ? (string.Create(CultureInfo.InvariantCulture, $"it says that it is pruned up to entry {told.Minimum}, and not all of that is gone: {stopped}."), false)
            : (string.Create(CultureInfo.InvariantCulture, $"pruned entries {minimum} to {told.Minimum - 1}; entry {told.Position} says so."), true);
    }

    // By whole tiles, and never one that the entry that says it stands in.
    private async Task<Pruned?> ToldAsync(Guid log, long above, long most, CancellationToken cancellationToken)
    {
        var places = await db.Set<IndexedEntry>().AsNoTracking().Where(row => row.LogId == log && row.Type == Told && row.Position >= above).OrderByDescending(row => row.Position).Take(Batch).Select(row => row.Position).ToListAsync(cancellationToken);
        var leaves = await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. places.Select(place => new object?[] { log, place })], ["content"], cancellationToken);
        return places.Zip(leaves).Select(one => one.Second is [byte[] content] ? Pruned.Read(one.First, content) : null).FirstOrDefault(pruned => pruned is not null && pruned.Minimum > above && pruned.Minimum <= most);
    }

    private async Task<Pruned> TellAsync(Log log, RetentionPolicy policy, long from, long to, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var root = (await TileReader.ResolveAsync(db, log.Id, ProofPlan.Root(to), cancellationToken))[0];
        var id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Told} {log.Id} {to}"))).AsSpan(0, 16), bigEndian: true);
        var entry = new AuditEntryRecorded(
            1, id, "audit", 0, time.GetUtcNow(), log.Kind, log.CustomerId, null, Told, "success", new AuditActor("staff", "console", "local"), new AuditTarget("log", log.Id.ToString()),
            [Change.Add("/minimum", to), Change.Add("/entries", to - from), Change.Add("/root", root.ToString()), Change.Add("/days", policy.Days), Change.Add("/policy", policy.EventId), Change.Add("/before", before)],
            "Entries that were older than the published term were taken away.", null, null, "none", new Dictionary<string, string> { ["user"] = Environment.UserName });
        await using (var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken))
        {
            await sequencer.AppendAsync([Logs.Told.Of(entry) with { IsNumbered = false }], cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return await ToldAsync(log.Id, from, to, cancellationToken) ?? throw new InvalidOperationException($"The entry by which {log.Origin} says that it is pruned cannot be found.");
    }

    private async Task<bool> IsSignedAsync(Guid log, long position, TimeSpan patience, CancellationToken cancellationToken)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!await db.Set<LogCheckpoint>().AnyAsync(row => row.LogId == log && row.Size > position, cancellationToken))
        {
            if (TimeProvider.System.GetElapsedTime(since) >= patience)
            {
                return false;
            }

            await System.Threading.Tasks.Task.Delay(Pause, cancellationToken);
        }

        return true;
    }

    // Why not; null: it is. A customer can be put under a hold while this runs.
    private async Task<string?> PublishAsync(Log log, Pruned told, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        if (await PrunePlan.StopAsync(db, log, cancellationToken) is { } why)
        {
            return why;
        }

        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogMinimum.Table, ["log_id", "minimum", "position", "event_id", "published_at"], ["log_id", "minimum"], [[log.Id, told.Minimum, told.Position, told.EventId, time.GetUtcNow().ToUnixTimeMilliseconds()]]), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return null;
    }

    private Task<long?> FirstAsync(Guid log, long minimum, CancellationToken cancellationToken) =>
        db.Set<LogLeaf>().Where(row => row.LogId == log && row.Position < minimum).MinAsync(row => (long?)row.Position, cancellationToken);

    // Some at a time, each with all that belongs to it: whoever appends waits for one batch at most. Why it ended early; null: it did not.
    private async Task<string?> DeleteAsync(Log one, long minimum, CancellationToken cancellationToken)
    {
        var log = one.Id;
        while (await FirstAsync(log, minimum, cancellationToken) is { } from)
        {
            var to = Math.Min(minimum, from + Batch);
            await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            if (await PrunePlan.StopAsync(db, one, cancellationToken) is { } why)
            {
                return why;
            }

            var events = await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == log && row.Position >= from && row.Position < to).Select(row => new object?[] { row.LogId, row.EventId, row.Position, row.EventHash }).ToListAsync(cancellationToken);
            await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(PrunedEvent.Table, ["log_id", "event_id", "position", "event_hash"], ["log_id", "event_id"], events), cancellationToken);
            await db.Set<PersonalValue>().Where(row => row.LogId == log && row.Position >= from && row.Position < to).ExecuteDeleteAsync(cancellationToken);
            await db.Set<IndexedEntry>().Where(row => row.LogId == log && row.Position >= from && row.Position < to).ExecuteDeleteAsync(cancellationToken);
            await db.Set<LogLeaf>().Where(row => row.LogId == log && row.Position >= from && row.Position < to).ExecuteDeleteAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        return null;
    }

    // Before anything is told: or the log would say what this login cannot do.
    private async Task RequireRightAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var rolledBack = await db.BeginWriteAsync(cancellationToken: cancellationToken);
            await db.Set<LogLeaf>().Where(row => row.LogId == Guid.Empty && row.Position < 0).ExecuteDeleteAsync(cancellationToken);
        }
        catch (DbException exception) when (!db.Dialect.IsUnavailable(exception))
        {
            throw new InvalidOperationException("This login may not delete entries, and should not: run it under the login that owns the database, as missioncontrol migrate.", exception);
        }
    }
}
