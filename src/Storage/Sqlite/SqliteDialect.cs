using System.Data.Common;
using System.Data;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;

namespace MissionControl.Storage.Sqlite;

/// <summary>SQLite: one file, WAL, synchronous=FULL, one writer at a time through the gate.</summary>
internal sealed class SqliteDialect(SqliteConnections connections) : IDatabaseDialect
{
    // Connections stay open, so that each statement is prepared once.
    private readonly ConditionalWeakTable<DbConnection, Dictionary<string, DbCommand>> prepared = [];

    // PRAGMA user_version of a file whose append-only tables have had their triggers.
    private const int Enforced = 1;

    private static readonly string[] Refused = ["UPDATE", "DELETE"];

    public string Name => "sqlite";

    // The driver's word for a transaction that takes no lock until it writes; what it reads is a snapshot all the same.
    public IsolationLevel SnapshotLevel => IsolationLevel.ReadUncommitted;

    public int WritersAtOnce => 1;

    public async Task MigrateAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        using var writing = await EnterWriteAsync(db, WritePriority.Normal, cancellationToken);

        // The framework's lock is a row, which a process that was killed while it migrated leaves behind: the next would wait for it for
        // ever. The file belongs to one process, so whoever is here may take it away.
        await db.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\";", cancellationToken);
        var changes = (await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any();
        if (changes)
        {
            // A process that is killed between the tables and their triggers must find that there is something left to do.
            await db.Database.ExecuteSqlRawAsync("PRAGMA user_version=0;", cancellationToken);
        }

        await db.Database.MigrateAsync(cancellationToken);

        // WAL is a property of the file.
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL;", cancellationToken);
        if (changes || await db.Database.SqlQueryRaw<long>("SELECT user_version AS \"Value\" FROM pragma_user_version()").SingleAsync(cancellationToken) != Enforced)
        {
            await EnforceAsync(db, cancellationToken);
        }
    }

    public async Task EnforceAppendOnlyAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        using var writing = await EnterWriteAsync(db, WritePriority.Normal, cancellationToken);
        await EnforceAsync(db, cancellationToken);
    }

    // Who may write to the file may take triggers away. A start that silently put them back would hide that.
    private async Task EnforceAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        foreach (var statement in AppendOnly.Tables(db.Model).SelectMany(AppendOnlySql))
        {
            await db.Database.ExecuteSqlRawAsync(statement, cancellationToken);
        }

        await db.Database.ExecuteSqlRawAsync($"PRAGMA user_version={Enforced};", cancellationToken);
    }

    public Task<long> SizeAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        db.Database.SqlQueryRaw<long>("SELECT page_count * page_size AS \"Value\" FROM pragma_page_count(), pragma_page_size()").SingleAsync(cancellationToken);

    public async ValueTask<IDisposable> EnterWriteAsync(ControlPlaneDbContext db, WritePriority priority, CancellationToken cancellationToken)
    {
        var turn = await connections.Gate.EnterAsync(priority, cancellationToken);
        try
        {
            return new Writing(db, connections.Writer(), turn);
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    public Task<int> InsertIfAbsentAsync(ControlPlaneDbContext db, BulkRows rows, CancellationToken cancellationToken) =>
        RunAsync(db, rows, "DO NOTHING", null, cancellationToken);

    public Task<int> UpsertAsync(ControlPlaneDbContext db, BulkRows rows, string? onlyIfNewer, CancellationToken cancellationToken)
    {
        var where = onlyIfNewer is null ? "" : $" WHERE excluded.{onlyIfNewer} > {rows.Table}.{onlyIfNewer}";
        return RunAsync(db, rows, Overwrite(rows) + where, null, cancellationToken);
    }

    public async Task<bool[]> CompareAndSwapAsync(ControlPlaneDbContext db, BulkRows rows, string versionColumn, CancellationToken cancellationToken)
    {
        var written = new bool[rows.Rows.Count];
        await RunAsync(db, rows, $"{Overwrite(rows)} WHERE {rows.Table}.{versionColumn} = excluded.{versionColumn} - 1", written, cancellationToken);
        return written;
    }

    // In process a prepared statement per key costs microseconds; there is no round trip to save.
    public async Task<IReadOnlyList<object?[]?>> ReadByKeyAsync(
        ControlPlaneDbContext db, string table, IReadOnlyList<string> key, IReadOnlyList<object?[]> keys, IReadOnlyList<string> columns, CancellationToken cancellationToken)
    {
        var found = new object?[]?[keys.Count];
        if (keys.Count == 0)
        {
            return found;
        }

        var command = Prepared(
            await db.OpenConnectionAsync(cancellationToken), db.CurrentTransaction,
            $"SELECT {string.Join(", ", columns)} FROM {table} WHERE {string.Join(" AND ", key.Select((column, i) => $"{column} = $p{i}"))}", key.Count);
        for (var k = 0; k < keys.Count; k++)
        {
            Bind(command.Parameters, keys[k]);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            if (await reader.ReadAsync(cancellationToken))
            {
                var row = found[k] = new object?[columns.Count];
                for (var i = 0; i < row.Length; i++)
                {
                    row[i] = reader.GetValue(i) is var value and not DBNull ? value : null;
                }
            }
        }

        return found;
    }

    public Task LockRowsAsync(ControlPlaneDbContext db, string table, IReadOnlyList<string> key, IReadOnlyList<object?[]> keys, CancellationToken cancellationToken) => Task.CompletedTask;

    // One process, one dispatcher per module: rows in flight are not read again before they are settled, so no claim is written.
    public async Task<IReadOnlyList<OutboxMessage>> ClaimOutboxAsync(
        ControlPlaneDbContext db, string module, int limit, DateTimeOffset now, DateTimeOffset claimUntil, CancellationToken cancellationToken)
    {
        var beyond = now + IDatabaseDialect.LongestWait;
        return await db.Outbox(module).AsNoTracking().Where(row => row.NextAttemptAt <= now || row.NextAttemptAt > beyond).OrderBy(row => row.Id).Take(limit).ToListAsync(cancellationToken);
    }

    // Busy and locked by another process, read-only, I/O error, full, cannot open: https://www.sqlite.org/rescode.html.
    public bool IsUnavailable(DbException exception) => exception is SqliteException { SqliteErrorCode: 5 or 6 or 8 or 10 or 13 or 14 };

    // INSERT OR REPLACE deletes without firing delete triggers unless recursive_triggers is on; the connection interceptor sets it.
    public IReadOnlyList<string> AppendOnlySql(string table) =>
    [.. Triggers(table).SelectMany(trigger => new[] { $"DROP TRIGGER IF EXISTS {trigger.Name};", $"{trigger.Sql};" })];

    public async Task<IReadOnlyList<string>> AppendOnlyFaultsAsync(ControlPlaneDbContext db, string table, CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        foreach (var (name, sql) in Triggers(table))
        {
            var stored = await db.Database.SqlQueryRaw<string>("SELECT sql AS \"Value\" FROM sqlite_master WHERE type = 'trigger' AND name = {0}", name).SingleOrDefaultAsync(cancellationToken);
            if (stored != sql)
            {
                faults.Add($"{table}: trigger {name} {(stored is null ? "is missing" : "was changed")}");
            }
        }

        if (await db.Database.SqlQueryRaw<long>("SELECT recursive_triggers AS \"Value\" FROM pragma_recursive_triggers()").SingleAsync(cancellationToken) != 1)
        {
            faults.Add($"{table}: recursive_triggers is off, and REPLACE walks past the triggers");
        }

        return faults;
    }

    public IReadOnlyList<string> AppendOnlyAttacks(string table, string column) =>
    [
        $"UPDATE {table} SET {column} = {column} WHERE rowid = (SELECT max(rowid) FROM {table})",
        $"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
        $"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
    ];

    private static (string Name, string Sql)[] Triggers(string table) => table switch
    {
        PruneTriggers.Leaf => [Trigger(table, "UPDATE", ""), Trigger(table, "DELETE", PruneTriggers.NotPruned), Trigger(table, "INSERT", PruneTriggers.IsPruned)],
        PruneTriggers.Minimum => [Trigger(table, "UPDATE", ""), Trigger(table, "DELETE", ""), Trigger(table, "INSERT", PruneTriggers.NotSaid)],
        _ => [.. Refused.Select(verb => Trigger(table, verb, ""))],
    };

    private static (string Name, string Sql) Trigger(string table, string verb, string when) => (
        $"{table}_no_{verb.ToLowerInvariant()}", $"CREATE TRIGGER {table}_no_{verb.ToLowerInvariant()} BEFORE {verb} ON {table} {when}BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END");

    private static string Overwrite(BulkRows rows)
    {
        var set = string.Join(", ", rows.Columns.Except(rows.Key).Select(column => $"{column} = excluded.{column}"));
        return $"DO UPDATE SET {set}";
    }

    private async Task<int> RunAsync(ControlPlaneDbContext db, BulkRows rows, string onConflict, bool[]? written, CancellationToken cancellationToken)
    {
        if (rows.Rows.Count == 0)
        {
            return 0;
        }

        var transaction = db.RequireTransaction();
        var command = Prepared(transaction.Connection!, transaction, InsertSql(rows, onConflict), rows.Columns.Count);
        var total = 0;
        for (var r = 0; r < rows.Rows.Count; r++)
        {
            Bind(command.Parameters, rows.Rows[r]);
            var affected = await command.ExecuteNonQueryAsync(cancellationToken);
            total += affected;
            if (written is not null)
            {
                written[r] = affected > 0;
            }
        }

        return total;
    }

    private DbCommand Prepared(DbConnection connection, DbTransaction? transaction, string sql, int parameters)
    {
        var known = prepared.GetOrCreateValue(connection);
        if (!known.TryGetValue(sql, out var command))
        {
            known[sql] = command = connection.CreateCommand();
            command.CommandText = sql;
            Parameters(command, parameters);
        }

        command.Transaction = transaction;
        return command;
    }

    private static void Parameters(DbCommand command, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = $"$p{i}";
            command.Parameters.Add(parameter);
        }
    }

    private static void Bind(DbParameterCollection parameters, object?[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }

    private static string InsertSql(BulkRows rows, string onConflict)
    {
        var sql = new StringBuilder($"INSERT INTO {rows.Table} (").AppendJoin(", ", rows.Columns).Append(") VALUES (");
        sql.AppendJoin(", ", Enumerable.Range(0, rows.Columns.Count).Select(i => $"$p{i}"));
        return sql.Append(") ON CONFLICT (").AppendJoin(", ", rows.Key).Append(") ").Append(onConflict).ToString();
    }

    /// <summary>A context whose turn it is: until the end it works on the connection that writes.</summary>
    private sealed class Writing : IDisposable
    {
        private readonly ControlPlaneDbContext db;
        private readonly DbConnection own;
        private readonly IDisposable turn;

        public Writing(ControlPlaneDbContext db, DbConnection writer, IDisposable turn)
        {
            (this.db, this.turn, own) = (db, turn, db.Database.GetDbConnection());
            db.Database.SetDbConnection(writer);
        }

        public void Dispose()
        {
            db.Database.SetDbConnection(own);
            turn.Dispose();
        }
    }
}
