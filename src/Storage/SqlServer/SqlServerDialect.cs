using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using Microsoft.Data.SqlClient;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using MissionControl.Platform.Data;

namespace MissionControl.Storage.SqlServer;

/// <summary>SQL Server: every bulk statement is one round trip, whatever the number of rows; see <see cref="BulkSql"/>.</summary>
internal sealed class SqlServerDialect : IDatabaseDialect
{
    public async Task<DateTimeOffset?> ClockAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) => DateTimeOffset.FromUnixTimeMilliseconds(
        await db.Database.SqlQueryRaw<long>("SELECT DATEDIFF_BIG(millisecond, '1970-01-01', SYSUTCDATETIME()) AS [Value]").SingleAsync(cancellationToken));

    // In pages of 8 KiB, the log included.
    public Task<long> SizeAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        db.Database.SqlQueryRaw<long>("SELECT COALESCE(SUM(CAST(size AS bigint)), 0) * 8192 AS [Value] FROM sys.database_files").SingleAsync(cancellationToken);

    // The engine sorts its own type for ids by the last bytes first, which scatters time-ordered ids over the whole index.
    private static readonly ValueConverter<Guid, byte[]> BigEndian = new(id => id.ToByteArray(true), bytes => new Guid(bytes, true));

    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, string>> columnTypes = new();

    public string Name => "sqlserver";

    public IsolationLevel SnapshotLevel => IsolationLevel.Snapshot;

    public ValueTask<IDisposable> EnterWriteAsync(ControlPlaneDbContext db, WritePriority priority, CancellationToken cancellationToken) => ValueTask.FromResult<IDisposable>(NoGate.Instance);

    public async Task MigrateAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        await db.Database.MigrateAsync(cancellationToken);
        await db.Database.ExecuteSqlRawAsync("ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON", cancellationToken);
        await EnforceAppendOnlyAsync(db, cancellationToken);
    }

    public async Task EnforceAppendOnlyAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        foreach (var statement in AppendOnly.Tables(db.Model).SelectMany(table => AppendOnlySql(table).Append(NoTruncateSql(db.Model, table))))
        {
            await db.Database.ExecuteSqlRawAsync(statement, cancellationToken);
        }
    }

    public async Task<int> InsertIfAbsentAsync(ControlPlaneDbContext db, BulkRows rows, CancellationToken cancellationToken) =>
        (await WriteAsync(db, FirstOfEachKey(rows), null, cancellationToken)).Count;

    public async Task<int> UpsertAsync(ControlPlaneDbContext db, BulkRows rows, string? onlyIfNewer, CancellationToken cancellationToken)
    {
        var condition = onlyIfNewer is null ? "" : $" WHERE s.{BulkSql.Quote(onlyIfNewer)} > t.{BulkSql.Quote(onlyIfNewer)}";
        return (await WriteAsync(db, rows, condition, cancellationToken)).Count;
    }

    public async Task<bool[]> CompareAndSwapAsync(ControlPlaneDbContext db, BulkRows rows, string versionColumn, CancellationToken cancellationToken)
    {
        var written = new bool[rows.Rows.Count];
        foreach (var position in await WriteAsync(db, rows, $" WHERE t.{BulkSql.Quote(versionColumn)} = s.{BulkSql.Quote(versionColumn)} - 1", cancellationToken))
        {
            written[position] = true;
        }

        return written;
    }

    public async Task<IReadOnlyList<object?[]?>> ReadByKeyAsync(
        ControlPlaneDbContext db, string table, IReadOnlyList<string> key, IReadOnlyList<object?[]> keys, IReadOnlyList<string> columns, CancellationToken cancellationToken)
    {
        var found = new object?[]?[keys.Count];
        if (keys.Count == 0)
        {
            return found;
        }

        await db.OpenConnectionAsync(cancellationToken);
        await using var command = Command(db, db.CurrentTransaction, BulkSql.Read(table, key, columns, Types(db.Model, table)), keys);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found[reader.GetInt32(0)] = [.. Enumerable.Range(1, columns.Count).Select(i => reader.IsDBNull(i) ? null : Widen(reader.GetValue(i)))];
        }

        return found;
    }

    public async Task LockRowsAsync(ControlPlaneDbContext db, string table, IReadOnlyList<string> key, IReadOnlyList<object?[]> keys, CancellationToken cancellationToken)
    {
        if (keys.Count > 0)
        {
            await using var command = Command(db, db.RequireTransaction(), BulkSql.Lock(table, key, Types(db.Model, table)), keys);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    public async Task<IReadOnlyList<OutboxMessage>> ClaimOutboxAsync(
        ControlPlaneDbContext db, string module, int limit, DateTimeOffset now, DateTimeOffset claimUntil, CancellationToken cancellationToken)
    {
        var connection = (SqlConnection)await db.OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.Transaction = (SqlTransaction?)db.CurrentTransaction;
        command.CommandText = BulkSql.Claim($"{module}_outbox");
        command.Parameters.Add("@limit", SqlDbType.Int).Value = limit;
        command.Parameters.Add("@now", SqlDbType.BigInt).Value = now.ToUnixTimeMilliseconds();
        command.Parameters.Add("@beyond", SqlDbType.BigInt).Value = (now + IDatabaseDialect.LongestWait).ToUnixTimeMilliseconds();
        command.Parameters.Add("@until", SqlDbType.BigInt).Value = claimUntil.ToUnixTimeMilliseconds();
        var rows = new List<OutboxMessage>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new OutboxMessage
            {
                Id = new Guid(reader.GetFieldValue<byte[]>(0), bigEndian: true),
                Type = reader.GetString(1),
                Key = reader.GetString(2),
                Payload = reader.GetFieldValue<byte[]>(3),
                Attachment = await reader.IsDBNullAsync(4, cancellationToken) ? null : reader.GetFieldValue<byte[]>(4),
                CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(5)),
                Attempts = reader.GetInt32(6),
                NextAttemptAt = claimUntil,
                LastError = await reader.IsDBNullAsync(7, cancellationToken) ? null : reader.GetString(7),
            });
        }

        return [.. rows.OrderBy(row => row.Id)];
    }

    public void Configure(IMutableProperty property)
    {
        if ((Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType) == typeof(Guid))
        {
            property.SetValueConverter(BigEndian);
            property.SetColumnType("binary(16)");
        }
        else if ((property.GetProviderClrType() ?? property.ClrType) == typeof(string))
        {
            property.SetCollation(BulkSql.Collation);
        }
    }

    public IReadOnlyList<string> AppendOnlySql(string table) =>
    [
        .. PruneTriggers.Of(table).SelectMany(trigger => new[]
        {
            $"CREATE OR ALTER TRIGGER {BulkSql.Quote(trigger.Name)} ON {BulkSql.Quote(table)} {trigger.Body};",
            $"ENABLE TRIGGER {BulkSql.Quote(trigger.Name)} ON {BulkSql.Quote(table)};",
        }),
    ];

    public async Task<IReadOnlyList<string>> AppendOnlyFaultsAsync(ControlPlaneDbContext db, string table, CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        foreach (var (name, body) in PruneTriggers.Of(table))
        {
            // Who may not see definitions sees no trigger, and says nothing of it: what is refused shows by trying.
            var state = await db.Database.SqlQueryRaw<string>(
                "SELECT CASE WHEN t.object_id IS NULL THEN 'is missing' WHEN t.is_disabled = 1 THEN 'is disabled' ELSE 'was changed' END AS [Value] FROM (SELECT OBJECT_ID({0}) AS id) o LEFT JOIN sys.triggers t ON t.parent_id = o.id AND t.name = {1} LEFT JOIN sys.sql_modules m ON m.object_id = t.object_id WHERE HAS_PERMS_BY_NAME({0}, 'OBJECT', 'VIEW DEFINITION') = 1 AND (t.object_id IS NULL OR t.is_disabled = 1 OR CHARINDEX({2}, m.definition) = 0)",
                BulkSql.Quote(table), name, body).ToListAsync(cancellationToken);
            faults.AddRange(state.Select(what => $"{table}: trigger {name} {what}"));
        }

        return faults;
    }

    public IReadOnlyList<string> AppendOnlyAttacks(string table, string column) =>
    [
        $"UPDATE TOP (1) {BulkSql.Quote(table)} SET {BulkSql.Quote(column)} = {BulkSql.Quote(column)}",
        $"DELETE TOP (1) t FROM {BulkSql.Quote(table)} t{PruneTriggers.Kept(table)}",
        $"SET LOCK_TIMEOUT 0; TRUNCATE TABLE {BulkSql.Quote(table)}",
    ];

    // TRUNCATE fires no trigger; a table that a foreign key leads to cannot be truncated. Who may drop this table may drop the trigger, too.
    internal static string NoTruncateSql(IModel model, string table)
    {
        var key = model.GetRelationalModel().FindTable(table, null)!.PrimaryKey!.Columns;
        var guard = $"{table}_no_truncate";
        var columns = string.Join(", ", key.Select(column => $"{BulkSql.Quote(column.Name)} {column.StoreType}{(column.StoreType.StartsWith("nvarchar", StringComparison.Ordinal) ? $" COLLATE {BulkSql.Collation}" : "")} NULL"));
        var names = string.Join(", ", key.Select(column => BulkSql.Quote(column.Name)));
        return $"IF OBJECT_ID('{guard}') IS NULL CREATE TABLE {BulkSql.Quote(guard)} ({columns}, FOREIGN KEY ({names}) REFERENCES {BulkSql.Quote(table)} ({names}));";
    }

    private async Task<List<int>> WriteAsync(ControlPlaneDbContext db, BulkRows rows, string? condition, CancellationToken cancellationToken)
    {
        var written = new List<int>(rows.Rows.Count);
        if (rows.Rows.Count == 0)
        {
            return written;
        }

        await using var command = Command(db, db.RequireTransaction(), BulkSql.Write(rows, Types(db.Model, rows.Table), condition), rows.Rows);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            written.Add(reader.GetInt32(0));
        }

        return written;
    }

    private static SqlCommand Command(ControlPlaneDbContext db, DbTransaction? transaction, string sql, IReadOnlyList<object?[]> rows)
    {
        var command = ((SqlConnection)db.Database.GetDbConnection()).CreateCommand();
        command.Transaction = (SqlTransaction?)transaction;
        command.CommandText = sql;
        command.Parameters.Add("@json", SqlDbType.NVarChar, -1).Value = BulkSql.ToJson(rows.Select((row, i) => (i, row)));
        return command;
    }

    private static BulkRows FirstOfEachKey(BulkRows rows)
    {
        var positions = rows.Key.Select(column => rows.Columns.ToList().IndexOf(column)).ToArray();
        var first = rows.Rows.DistinctBy(row => string.Join('\u001f', positions.Select(position => row[position])), StringComparer.Ordinal).ToList();
        return first.Count == rows.Rows.Count ? rows : rows with { Rows = first };
    }

    internal IReadOnlyDictionary<string, string> Types(IModel model, string table) => columnTypes.GetOrAdd(table, static (name, model) =>
    {
        var found = model.GetRelationalModel().FindTable(name, null) ?? throw new InvalidOperationException($"There is no table {name}.");
        return found.Columns.ToDictionary(column => column.Name, column => column.StoreType, StringComparer.Ordinal);
    }, model);

    private static object Widen(object value) => value is int number ? (long)number : value;

    private sealed class NoGate : IDisposable
    {
        public static readonly NoGate Instance = new();

        public void Dispose()
        {
        }
    }
}
