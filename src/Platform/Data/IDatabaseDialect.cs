using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Metadata;

namespace MissionControl.Platform.Data;

/// <summary>Who goes first at the writer gate.</summary>
public enum WritePriority
{
    /// <summary>Everything that people and consumers do.</summary>
    Normal,

    /// <summary>Call-home intake, whose callers wait for the commit.</summary>
    Intake,
}

/// <summary>Rows for one bulk statement. Values are as stored: <see cref="long"/> for instants (Unix ms), Guid, string, byte[], double, int, bool or null.</summary>
/// <param name="Table">Table name.</param>
/// <param name="Columns">All columns written, in the order of the values.</param>
/// <param name="Key">The columns of the key whose conflict decides.</param>
/// <param name="Rows">One array per row; a key stands at most once.</param>
public sealed record BulkRows(string Table, IReadOnlyList<string> Columns, IReadOnlyList<string> Key, IReadOnlyList<object?[]> Rows);

/// <summary>
/// What differs between the database engines; one implementation per provider, tested on each. Bulk writes join the
/// context's open write transaction and refuse to run without one.
/// </summary>
public interface IDatabaseDialect
{
    /// <summary>sqlite, postgresql or sqlserver.</summary>
    string Name { get; }

    /// <summary>How many transactions of one consumer are worth having at once. SQLite: one, writers take turns there anyway.</summary>
    int WritersAtOnce => 2;

    /// <summary>The isolation under which all statements of a transaction that only reads see the database as it was at the first of them.</summary>
    IsolationLevel SnapshotLevel { get; }

    /// <summary>Brings the schema up to date, append-only triggers included.</summary>
    Task MigrateAsync(ControlPlaneDbContext db, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until this context may write, until the result is disposed. SQLite: the writer gate, first come first served, intake in
    /// front, and the one connection that writes. Servers: at once.
    /// </summary>
    ValueTask<IDisposable> EnterWriteAsync(ControlPlaneDbContext db, WritePriority priority, CancellationToken cancellationToken);

    /// <summary>Inserts the rows whose key is not there yet; the others are left as they are.</summary>
    /// <returns>How many rows were inserted. Of two rows with one key the first counts.</returns>
    Task<int> InsertIfAbsentAsync(ControlPlaneDbContext db, BulkRows rows, CancellationToken cancellationToken);

    /// <summary>Inserts the rows, or overwrites those with the same key.</summary>
    /// <param name="db">The context with an open write transaction.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="onlyIfNewer">A column: an existing row is overwritten only when the new value is greater. Null: always.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How many rows were inserted or overwritten.</returns>
    Task<int> UpsertAsync(ControlPlaneDbContext db, BulkRows rows, string? onlyIfNewer, CancellationToken cancellationToken);

    /// <summary>
    /// Inserts or overwrites each row on its own terms: an existing row only when its <paramref name="versionColumn"/> is exactly one
    /// less than the new value. This is the compare-and-swap by which a second replica's write is noticed.
    /// </summary>
    /// <returns>For every row, in order, whether it was written.</returns>
    Task<bool[]> CompareAndSwapAsync(ControlPlaneDbContext db, BulkRows rows, string versionColumn, CancellationToken cancellationToken);

    /// <summary>Reads rows by their whole key, in the open write transaction if there is one: one round trip, however many keys.</summary>
    /// <param name="db">The context.</param>
    /// <param name="table">Table name.</param>
    /// <param name="key">The columns of its key.</param>
    /// <param name="keys">The keys sought.</param>
    /// <param name="columns">The columns wanted, of type <see cref="long"/>, string or byte[].</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>For every key, in order, the values, or null when there is no such row.</returns>
    Task<IReadOnlyList<object?[]?>> ReadByKeyAsync(
        ControlPlaneDbContext db, string table, IReadOnlyList<string> key, IReadOnlyList<object?[]> keys, IReadOnlyList<string> columns, CancellationToken cancellationToken);

    /// <summary>
    /// Waits until no other transaction works on these rows and keeps them to this one until its end, so that two replicas take turns
    /// instead of undoing each other's work. Rows that are not there yet are nobody's. SQLite: nothing to do, writers take turns anyway.
    /// </summary>
    Task LockRowsAsync(ControlPlaneDbContext db, string table, IReadOnlyList<string> key, IReadOnlyList<object?[]> keys, CancellationToken cancellationToken);

    /// <summary>
    /// Takes up to <paramref name="limit"/> due outbox rows for this process; on engines with several dispatchers it claims them until
    /// <paramref name="claimUntil"/>. Due is also what would wait longer than <see cref="LongestWait"/>.
    /// </summary>
    Task<IReadOnlyList<OutboxMessage>> ClaimOutboxAsync(ControlPlaneDbContext db, string module, int limit, DateTimeOffset now, DateTimeOffset claimUntil, CancellationToken cancellationToken);

    /// <summary>Sets how this engine stores a column where its own way would compare or sort unlike the others': texts go by their code points, ids by their bytes.</summary>
    void Configure(IMutableProperty property)
    {
    }

    /// <summary>Longer than any claim or pause: what is not due for longer was written by a clock since put back, and must not wait for it to catch up.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <summary>What the clock of the database's machine says; null where that is this machine.</summary>
    Task<DateTimeOffset?> ClockAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) => Task.FromResult<DateTimeOffset?>(null);

    /// <summary>Bytes that the database takes on its disk, what it could free again included.</summary>
    Task<long> SizeAsync(ControlPlaneDbContext db, CancellationToken cancellationToken);

    /// <summary>Whether the database cannot be used at present (full, locked, unreachable), so that the same request may succeed later.</summary>
    bool IsUnavailable(DbException exception) => exception?.IsTransient == true;

    /// <summary>The failure of the database that lies behind an exception, when the same work may succeed later; else null.</summary>
    DbException? UnavailableBehind(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is DbException database && IsUnavailable(database))
            {
                return database;
            }
        }

        return null;
    }

    /// <summary>SQL that makes a table append-only: triggers that refuse UPDATE and DELETE. One statement per element.</summary>
    IReadOnlyList<string> AppendOnlySql(string table);

    /// <summary>Makes the triggers of all append-only tables anew, whatever became of them. A start does not: what is missing is to be seen.</summary>
    Task EnforceAppendOnlyAsync(ControlPlaneDbContext db, CancellationToken cancellationToken);

    /// <summary>What is missing, changed or switched off of the triggers of an append-only table, in words; nothing when all is there.</summary>
    Task<IReadOnlyList<string>> AppendOnlyFaultsAsync(ControlPlaneDbContext db, string table, CancellationToken cancellationToken);

    /// <summary>Statements that would change or remove a row of a table, each by another way round; each must be refused. They touch one row at most, or wait for nobody.</summary>
    /// <param name="table">Table name; it has a row.</param>
    /// <param name="column">A column that is not in its key.</param>
    IReadOnlyList<string> AppendOnlyAttacks(string table, string column);
}
