using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Audit.Entries;

/// <summary>
/// Appends what stands in the table of before to the logs that it belongs to, in the order in which it was listed there. An event that
/// stands in its log is not appended again.
/// </summary>
internal static class ImportEntries
{
    public const string Name = "import";
    private const int Batch = 256;

    /// <summary>One step; false: nothing is left.</summary>
    public static async Task<bool> StepAsync(ControlPlaneDbContext db, Sequencer sequencer, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var progress = await Progress.TakeAsync(db, Name, DateTimeOffset.MinValue.ToUnixTimeMilliseconds(), cancellationToken);
        if (progress.Done)
        {
            return false;
        }

        var (at, id) = (DateTimeOffset.FromUnixTimeMilliseconds(progress.Place), progress.Id);
        var rows = await db.Set<FoundationEntry>().AsNoTracking().Where(row => row.OccurredAt >= at && (row.OccurredAt > at || row.Id > id)).OrderBy(row => row.OccurredAt).ThenBy(row => row.Id).Take(Batch)
            .Select(row => new { row.Id, row.OccurredAt, row.RecordedAt, row.Body }).ToListAsync(cancellationToken);
        await sequencer.AppendAsync([.. rows.Select(row => Told.Of(JsonSerializer.Deserialize<AuditEntryRecorded>(row.Body, MessageJson.Options)!) with { Imported = new ImportedEntry(row.RecordedAt, row.Body) })], cancellationToken);
        var (done, last) = (rows.Count < Batch, rows.LastOrDefault());
        await Progress.MoveAsync(db, Name, last?.OccurredAt.ToUnixTimeMilliseconds() ?? progress.Place, last?.Id ?? id, done, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return !done;
    }
}
