using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Prune;

/// <summary>What an entry <c>audit.log-pruned</c> says.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="EventId">Its event.</param>
/// <param name="Minimum">The first entry that stays.</param>
internal sealed record Pruned(long Position, Guid EventId, long Minimum)
{
    /// <summary>Reads an entry as it stands in the log; null: it is none of these, or none that the role tells itself.</summary>
    public static Pruned? Read(long position, byte[] content)
    {
        try
        {
            using var entry = JsonDocument.Parse(content);
            return IsOwn(entry.RootElement, PruneLogs.Told) && Number(entry.RootElement, "/minimum") is { } minimum && minimum % TileId.FullWidth == 0 && minimum <= position && Number(entry.RootElement, "/days") is >= AuditOptions.ShortestRetention and <= AuditOptions.LongestRetention
                ? new Pruned(position, entry.RootElement.GetProperty("eventId").GetGuid(), minimum)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Whether an entry is of a type, and of the role itself: not one that tells of another.</summary>
    public static bool IsOwn(JsonElement entry, string type) => entry.GetProperty("type").ValueEquals(type) && entry.GetProperty("producer").GetString()?.Split('/')[0] == "audit";

    /// <summary>The newest minimum of a log, where no signed entry of the log says it; null: there is none, or one does.</summary>
    public static async Task<LogMinimum?> UnsaidAsync(ControlPlaneDbContext db, Guid log, CancellationToken cancellationToken)
    {
        for (LogMinimum? before = null, newest; ; before = newest)
        {
            newest = await db.Set<LogMinimum>().AsNoTracking().Where(one => one.LogId == log).OrderByDescending(one => one.Minimum).FirstOrDefaultAsync(cancellationToken);
            if (newest is null || await IsSaidAsync(db, newest, cancellationToken))
            {
                return null;
            }

            // Its entry is never pruned by it, and may have been by a newer one meanwhile.
            if (newest.Minimum == before?.Minimum)
            {
                return newest;
            }
        }
    }

    private static async Task<bool> IsSaidAsync(ControlPlaneDbContext db, LogMinimum row, CancellationToken cancellationToken) =>
        (await TileReader.LeavesAsync(db, row.LogId, row.Position, row.Position + 1, ["content"], cancellationToken))[0] is [byte[] content] && Read(row.Position, content) is { } said && said.Minimum == row.Minimum && said.EventId == row.EventId
        && await db.Set<LogCheckpoint>().AnyAsync(checkpoint => checkpoint.LogId == row.LogId && checkpoint.Size > row.Position, cancellationToken);

    private static long? Number(JsonElement entry, string path) =>
        entry.GetProperty("changes").EnumerateArray().FirstOrDefault(change => change.GetProperty("path").ValueEquals(path)) is { ValueKind: JsonValueKind.Object } found && found.GetProperty("value") is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : null;
}
