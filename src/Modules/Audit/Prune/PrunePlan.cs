using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Numbers;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Prune;

/// <summary>What may be pruned, or why nothing.</summary>
/// <param name="Refusal">Why nothing may be; null: it may.</param>
/// <param name="Minimum">The minimum that the log may have at most, a multiple of 256.</param>
/// <param name="IsStopped">Not even what was begun is to be finished.</param>
internal sealed record PrunePlan(string? Refusal, long Minimum, bool IsStopped = false)
{
    private const string Held = "licensing.customer-held";
    private const string Released = "licensing.customer-released";

    /// <summary>Finds out.</summary>
    /// <param name="db">The database.</param>
    /// <param name="log">The log.</param>
    /// <param name="now">The minimum that it has.</param>
    /// <param name="before">Entries recorded before that may go.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="most">No larger minimum is wanted.</param>
    public static async Task<PrunePlan> MakeAsync(ControlPlaneDbContext db, Log log, long now, DateTimeOffset before, CancellationToken cancellationToken, long most = long.MaxValue)
    {
        if (await StopAsync(db, log, cancellationToken) is { } stop)
        {
            return new PrunePlan(stop, 0, IsStopped: true);
        }

        var signed = await db.Set<LogCheckpoint>().Where(row => row.LogId == log.Id).MaxAsync(row => (long?)row.Size, cancellationToken) ?? 0;
        var older = await OlderAsync(db, log.Id, now, signed, before, cancellationToken);

        // The first entry that stays is too old, too: by its time everybody sees that all before it were.
        var minimum = Math.Min(most, Math.Max(0, older - 1) / TileId.FullWidth * TileId.FullWidth);
        if (log.Kind == "operator" && await HoldsAsync(db, null, cancellationToken) is { Count: > 0 } holds)
        {
            // Who is held stands in it, and has to be known for as long.
            minimum = Math.Min(minimum, holds.Values.Min() / TileId.FullWidth * TileId.FullWidth);
        }

        return minimum <= now ? new PrunePlan("nothing of it is old enough, by whole tiles of 256 entries", 0)
            : await BehindAsync(db, log.Id, minimum, cancellationToken) ? new PrunePlan("its numbers were not all looked at yet, by which it is known that none is missing: try again later", 0)
            : await DamageAsync(db, log.Id, now, minimum, cancellationToken) is { } entry ? new PrunePlan($"entry {entry} is not what its tree has: what is damaged is not taken away. See missioncontrol admin audit fsck", 0)
            : new PrunePlan(null, minimum);
    }

    /// <summary>Why nothing of a log may go at present, whatever its age; null: it may.</summary>
    public static async Task<string?> StopAsync(ControlPlaneDbContext db, Log log, CancellationToken cancellationToken) =>
        (await HeldLogs.ReadAsync(db, cancellationToken)).Exists(row => row.Log == HeldLogs.All || row.Log == log.Id) ? "it is not signed at present, because the database is not the one that was signed before"
        : log.CustomerId is { } customer && (await HoldsAsync(db, customer, cancellationToken)).Count > 0 ? "its customer is under a legal hold"
        : null;

    /// <summary>Whether whatever reads the index has read all of what an upgrade leaves to do.</summary>
    public static async Task<bool> IsCaughtUpAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await db.Set<Progress>().CountAsync(row => row.Done && (row.Name == FillIndex.Name || row.Name == ImportEntries.Name), cancellationToken) == 2;

    // The customers under a legal hold, or the one that is asked for, each with the place of the entry in the operators' log that says so: it was there before this role kept anything else of it.
    private static async Task<Dictionary<string, long>> HoldsAsync(ControlPlaneDbContext db, Guid? customer, CancellationToken cancellationToken)
    {
        var operators = Log.IdOf("operator");
        var rows = db.Set<IndexedEntry>().AsNoTracking().Where(row => row.LogId == operators && (row.Type == Held || row.Type == Released));
        var told = await (customer is null ? rows : rows.Where(row => row.CustomerId == customer))
            .OrderBy(row => row.OccurredAt).ThenBy(row => row.Position).Select(row => new { row.TargetId, row.Type, row.Position }).ToListAsync(cancellationToken);
        var holds = new Dictionary<string, long>(StringComparer.OrdinalIgnoreCase);
        foreach (var one in told)
        {
            holds.Remove(one.TargetId);
            if (one.Type == Held)
            {
                holds[one.TargetId] = one.Position;
            }
        }

        return holds;
    }

    // How many entries were recorded before an instant: times never go back in a log.
    private static async Task<long> OlderAsync(ControlPlaneDbContext db, Guid log, long from, long to, DateTimeOffset before, CancellationToken cancellationToken)
    {
        while (from < to)
        {
            var middle = from + ((to - from) / 2);
            if ((await TileReader.LeavesAsync(db, log, middle, middle + 1, ["content"], cancellationToken))[0] is [byte[] content] && RecordedAt(content) < before)
            {
                from = middle + 1;
            }
            else
            {
                to = middle;
            }
        }

        return from;
    }

    // One that is damaged is as if it were new.
    private static DateTimeOffset RecordedAt(byte[] content)
    {
        try
        {
            using var entry = JsonDocument.Parse(content);
            return entry.RootElement.GetProperty("recordedAt").GetDateTimeOffset();
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return DateTimeOffset.MaxValue;
        }
    }

    // What was not looked at would look as if it had been missing, once its row in the index is gone.
    private static async Task<bool> BehindAsync(ControlPlaneDbContext db, Guid log, long minimum, CancellationToken cancellationToken) =>
        !await db.Set<NumbersRead>().AnyAsync(row => row.LogId == log && row.Position >= minimum, cancellationToken)
        || await db.Set<IndexedEntry>().AnyAsync(
            row => row.LogId == log && row.Position < minimum && row.ProducerSeq > 0 && row.ProducerSeq <= TellGaps.Highest && !db.Set<Producer>().Any(producer => producer.Name == row.Producer && producer.Reached >= row.ProducerSeq), cancellationToken);

    // Whoever prunes takes the evidence away: only what is as it was signed may go.
    private static async Task<long?> DamageAsync(ControlPlaneDbContext db, Guid log, long from, long to, CancellationToken cancellationToken)
    {
        // Entries go by whole tiles: where another one is the first, those before it are missing.
        for (from = from / TileId.FullWidth * TileId.FullWidth; from < to; from += TileId.FullWidth)
        {
            var leaves = await TileReader.LeavesAsync(db, log, from, from + TileId.FullWidth, ["content"], cancellationToken);
            var tile = await TileReader.ReadAsync(db, log, new TileId(0, from / TileId.FullWidth, TileId.FullWidth), cancellationToken);
            for (var i = 0; i < leaves.Count; i++)
            {
                if (leaves[i] is not [byte[] content] || tile is null || !TreeHash.OfLeaf(content).Span.SequenceEqual(tile.AsSpan(i * TreeHash.Size, TreeHash.Size)))
                {
                    return from + i;
                }
            }
        }

        return null;
    }
}
