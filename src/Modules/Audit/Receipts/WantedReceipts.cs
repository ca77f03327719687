using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Receipts;

/// <summary>An entry for which a receipt is wanted.</summary>
/// <param name="Log">The log in which it stands.</param>
/// <param name="Position">Where.</param>
/// <param name="EventId">The event.</param>
/// <param name="ClusterId">The cluster that it concerns.</param>
internal sealed record WantedReceipt(Guid Log, long Position, Guid EventId, Guid? ClusterId)
{
    /// <summary>Its row.</summary>
    public string Id => $"{Log:N}/{Position}";
}

/// <summary>Which entries have to be answered with a receipt: written down in the transaction that gives them their places, so that whoever appended them may die.</summary>
internal sealed class WantedReceipts : IDisposable
{
    private const string Table = "audit_projection";
    private const string Kind = "wanted-receipt";
    private static readonly string[] Columns = ["kind", "id", "version", "body"];
    private readonly SemaphoreSlim signal = new(0);

    public void Dispose() => signal.Dispose();

    /// <summary>Writes some down, in the open write transaction; who issues them is woken once it is committed. One that is wanted again is one.</summary>
    public async Task AddAsync(ControlPlaneDbContext db, IReadOnlyCollection<WantedReceipt> wanted, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await db.Dialect.UpsertAsync(db, new BulkRows(Table, Columns, ["kind", "id"], [.. wanted.DistinctBy(one => one.Id).Select(one => new object?[] { Kind, one.Id, now.ToUnixTimeMilliseconds(), JsonSerializer.Serialize(one) })]), null, cancellationToken);
        db.AfterCommit += () => signal.Release();
    }

    /// <summary>Waits until some are wanted, at most so long: another process may have written them down and be gone.</summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        await signal.WaitAsync(atMost, cancellationToken);
        while (signal.Wait(0, CancellationToken.None))
        {
            // All that were committed until now are looked at together.
        }
    }

    /// <summary>Those that have waited longest; null is what cannot be read.</summary>
    public static async Task<List<(string Id, WantedReceipt? Wanted, DateTimeOffset Since)>> ReadAsync(ControlPlaneDbContext db, int most, CancellationToken cancellationToken)
    {
        var rows = await db.Projections("audit").AsNoTracking().Where(row => row.Kind == Kind).OrderBy(row => row.Version).Take(most).ToListAsync(cancellationToken);
        return [.. rows.Select(row => (row.Id, Read(row.Body), DateTimeOffset.FromUnixTimeMilliseconds(row.Version)))];
    }

    /// <summary>Takes some away, in the open write transaction.</summary>
    public static Task RemoveAsync(ControlPlaneDbContext db, IReadOnlyCollection<string> ids, CancellationToken cancellationToken) =>
        db.Projections("audit").Where(row => row.Kind == Kind && ids.Contains(row.Id)).ExecuteDeleteAsync(cancellationToken);

    private static WantedReceipt? Read(string body)
    {
        try
        {
            return JsonSerializer.Deserialize<WantedReceipt>(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
