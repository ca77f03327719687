using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Guard;

/// <summary>
/// Which logs are not to be signed, because somebody knows that the database is not the one that was signed. Each replica writes down
/// what it knows, so that one that has lost its own memory does not sign what another knows to be a fork.
/// </summary>
internal static class HeldLogs
{
    /// <summary>In place of a log: nothing at all is signed.</summary>
    public static readonly Guid All = Guid.Empty;

    private const string Table = "audit_projection";
    private const string Kind = "held-log";
    private static readonly string[] Columns = ["kind", "id", "version", "body"];

    /// <summary>Reads them: the log, whose memory says so, and why.</summary>
    public static async Task<List<(Guid Log, Guid Guard, string Problem)>> ReadAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var rows = await db.Projections("audit").AsNoTracking().Where(row => row.Kind == Kind).Select(row => new { row.Id, row.Body }).ToListAsync(cancellationToken);
        return [.. rows.Select(row => Read(row.Id, row.Body))];
    }

    /// <summary>Adds some and takes others away, in a transaction of its own.</summary>
    public static async Task ChangeAsync(ControlPlaneDbContext db, Guid guard, IReadOnlyCollection<KeyValuePair<Guid, string>> add, IReadOnlyCollection<(Guid Log, Guid Guard)> remove, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: cancellationToken);
        await db.Dialect.UpsertAsync(db, new BulkRows(Table, Columns, ["kind", "id"], [.. add.Select(pair => new object?[] { Kind, IdOf(pair.Key, guard), now.ToUnixTimeMilliseconds(), JsonSerializer.Serialize(pair.Value) })]), null, cancellationToken);
        await RemoveAsync(db, remove, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Takes all away, in the open write transaction, what cannot be read too.</summary>
    public static Task RemoveAllAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) => db.Projections("audit").Where(row => row.Kind == Kind).ExecuteDeleteAsync(cancellationToken);

    /// <summary>Takes some away, in the open write transaction.</summary>
    public static async Task RemoveAsync(ControlPlaneDbContext db, IReadOnlyCollection<(Guid Log, Guid Guard)> remove, CancellationToken cancellationToken)
    {
        foreach (var ids in remove.Select(one => IdOf(one.Log, one.Guard)).Chunk(500))
        {
            await db.Projections("audit").Where(row => row.Kind == Kind && ids.Contains(row.Id)).ExecuteDeleteAsync(cancellationToken);
        }
    }

    // What cannot be read was written by somebody else, and holds all: it goes away with what holds all.
    private static (Guid Log, Guid Guard, string Problem) Read(string id, string body)
    {
        try
        {
            return id.Length == 65 && Guid.TryParseExact(id[..32], "N", out var log) && Guid.TryParseExact(id[33..], "N", out var guard) ? (log, guard, JsonSerializer.Deserialize<string>(body)!) : Unreadable(id);
        }
        catch (JsonException)
        {
            return Unreadable(id);
        }
    }

    private static (Guid Log, Guid Guard, string Problem) Unreadable(string id) => (All, Guid.Empty, $"The row {id} of what is held cannot be read.");

    private static string IdOf(Guid log, Guid guard) => $"{log:N}/{guard:N}";
}
