using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Entries;

/// <summary>
/// Appends what stands in the table of before to the logs that it belongs to, in the order in which it was listed there. An event that
/// stands in its log is not appended again. A row that cannot be appended stays where it is, and the log of the operators says so.
/// </summary>
internal sealed partial class ImportEntries(ControlPlaneDbContext db, Sequencer sequencer, IEvents events, ILogger<ImportEntries> logger)
{
    public const string Name = "import";

    /// <summary>How many rows a step takes at most.</summary>
    public const int Batch = 256;

    /// <summary>One step; false: nothing is left.</summary>
    /// <param name="most">How many rows to take: one alone that cannot be appended is passed over.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<bool> StepAsync(int most, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var progress = await Progress.TakeAsync(db, Name, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), cancellationToken);
        if (progress.Done)
        {
            return false;
        }

        var (at, id) = (DateTimeOffset.FromUnixTimeMilliseconds(progress.Place), progress.Id);
        var rows = await db.Set<FoundationEntry>().AsNoTracking().Where(row => row.OccurredAt >= at && (row.OccurredAt > at || row.Id > id)).OrderBy(row => row.OccurredAt).ThenBy(row => row.Id).Take(most)
            .Select(row => new { row.Id, row.OccurredAt, row.RecordedAt, row.Body }).ToListAsync(cancellationToken);
        try
        {
            await sequencer.AppendAsync([.. rows.Select(row => Told.Of(JsonSerializer.Deserialize<AuditEntryRecorded>(row.Body, MessageJson.Options)!) with { Imported = new ImportedEntry(row.RecordedAt, row.Body) })], cancellationToken);
        }
        catch (Exception exception) when (rows.Count == 1 && IsOfRows(exception))
        {
            // Nothing was written of it: what is found to be wrong is found before.
            LogSkipped(logger, rows[0].Id, exception);
            events.Audit(new AuditFact("audit.import-skipped", AuditLog.Operator, "event", rows[0].Id.ToString()) { Actor = new AuditActor("system", "audit", "local"), Outcome = AuditOutcome.Failed });
            await db.SaveChangesAsync(cancellationToken);
        }

        var (done, last) = (rows.Count < most, rows.LastOrDefault());
        await Progress.MoveAsync(db, Name, last?.OccurredAt.ToUnixTimeMilliseconds() ?? progress.Place, last?.Id ?? id, done, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return !done;
    }

    /// <summary>Whether it is a row's fault, or its log's, and neither the database's nor another replica's: an entry that is none or too long, a head or a tile that is damaged.</summary>
    public bool IsOfRows(Exception exception) => exception is JsonException or InvalidOperationException or ArgumentException or FormatException && db.Dialect.UnavailableBehind(exception) is null;

    [LoggerMessage(6012, LogLevel.Critical, "Entry {Id} of before there were logs cannot be imported, and is passed over")]
    private static partial void LogSkipped(ILogger logger, Guid id, Exception exception);
}
