using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Entries;

/// <summary>Makes the index of entries that were appended before it was there, or that it lost. Log by log, from the first entry on.</summary>
internal static class FillIndex
{
    public const string Name = "index";
    private const int Batch = 256;

    /// <summary>One step; false: nothing is left.</summary>
    public static async Task<bool> StepAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        var progress = await Progress.TakeAsync(db, Name, 0, cancellationToken);
        var (log, position, done, rows) = (progress.Id, progress.Place, progress.Done, new List<object?[]>());
        while (!done && rows.Count < Batch)
        {
            var (last, next) = (log, position);
            var head = await db.Set<LogHead>().AsNoTracking().Where(row => row.LogId != AnchorLog.Id && row.LogId >= last && (row.LogId > last || row.Size > next)).OrderBy(row => row.LogId).Select(row => new { row.LogId, row.Size }).FirstOrDefaultAsync(cancellationToken);
            if (head is null)
            {
                // What is appended from here on is indexed as it is appended.
                done = true;
                break;
            }

            var from = head.LogId == log ? position : 0;
            (log, position) = (head.LogId, Math.Min(head.Size, from + Batch));
            var leaves = await TileReader.LeavesAsync(db, log, from, position, ["content"], cancellationToken);
            rows.AddRange(leaves.Select((leaf, i) => Row(head.LogId, from + i, leaf)).OfType<object?[]>());
        }

        await db.Dialect.InsertIfAbsentAsync(db, IndexedEntry.Rows(rows), cancellationToken);
        await Progress.MoveAsync(db, Name, position, log, done, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return !done;
    }

    // What is damaged is found, and told, by who signs; the others are searched all the same.
    private static object?[]? Row(Guid log, long position, object?[]? leaf)
    {
        try
        {
            return leaf is null ? null : IndexedEntry.Row(log, position, (byte[])leaf[0]!);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
