using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using MissionControl.Platform.Data;
using Npgsql;

namespace MissionControl.Storage.PostgreSql;

/// <summary>
/// PostgreSQL: every bulk statement is one round trip over arrays (<c>unnest</c>), whatever the number of rows. Rows are written in
/// the order of their keys, so that two replicas that write the same rows wait for each other instead of dead-locking.
/// </summary>
internal sealed class PostgreSqlDialect : IDatabaseDialect
{
    public async Task<DateTimeOffset?> ClockAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) => DateTimeOffset.FromUnixTimeMilliseconds(
        await db.Database.SqlQueryRaw<long>("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS \"Value\"").SingleAsync(cancellationToken));

    public Task<long> SizeAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        db.Database.SqlQueryRaw<long>("SELECT pg_database_size(current_database()) AS \"Value\"").SingleAsync(cancellationToken);

    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, string>> columnTypes = new();

    private static readonly TimeSpan LongestMigration = TimeSpan.FromMinutes(30);

    public string Name => "postgresql";

    public IsolationLevel SnapshotLevel => IsolationLevel.RepeatableRead;

    public ValueTask<IDisposable> EnterWriteAsync(ControlPlaneDbContext db, WritePriority priority, CancellationToken cancellationToken) => ValueTask.FromResult<IDisposable>(NoGate.Instance);

    public async Task MigrateAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        await CreateAsync(db, cancellationToken);
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            // The framework's own lock ends with the first migration of several, and the engine refuses two that replace a function or a
            // trigger at once; replicas that start together do both. This one is the connection's.
            db.Database.SetCommandTimeout(LongestMigration);
            await db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_lock(hashtext('missioncontrol.migrate'))", cancellationToken);
            await db.Database.MigrateAsync(cancellationToken);
            await EnforceAppendOnlyAsync(db, cancellationToken);
        }
        finally
        {
            await UnlockAsync(db);
        }
    }

    private static async Task UnlockAsync(ControlPlaneDbContext db)
    {
        try
        {
            await db.Database.ExecuteSqlRawAsync("SELECT pg_advisory_unlock_all()", CancellationToken.None);
        }
        catch (Exception exception) when (exception is DbException or InvalidOperationException)
        {
            // The connection broke, and the lock with it; why is what the caller is told.
        }

        db.Database.SetCommandTimeout(null);
        await db.Database.CloseConnectionAsync();
    }

    private static async Task CreateAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        var creator = db.GetService<IRelationalDatabaseCreator>();
        try
        {
            if (!await creator.ExistsAsync(cancellationToken))
            {
                await creator.CreateAsync(cancellationToken);
            }
        }
        catch (PostgresException exists) when (exists.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another replica made it in between.
        }
    }

    // A database's own collation is a language's: it sorts, and may compare, otherwise than the other engines.
    public void Configure(IMutableProperty property)
    {
        if ((property.GetProviderClrType() ?? property.ClrType) == typeof(string))
        {
            property.SetCollation("C");
        }
    }

    public async Task<int> InsertIfAbsentAsync(ControlPlaneDbContext db, BulkRows rows, CancellationToken cancellationToken)
    {
        if (rows.Rows.Count == 0)
        {
            return 0;
        }

        await using var command = Insert(db, rows, InKeyOrder(rows), "DO NOTHING", "");
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<int> UpsertAsync(ControlPlaneDbContext db, BulkRows rows, string? onlyIfNewer, CancellationToken cancellationToken)
    {
        if (rows.Rows.Count == 0)
        {
            return 0;
        }

        var where = onlyIfNewer is null ? "" : $" WHERE excluded.{Quote(onlyIfNewer)} > {Quote(rows.Table)}.{Quote(onlyIfNewer)}";
        await using var command = Insert(db, rows, InKeyOrder(rows), Overwrite(rows) + where, "");
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<bool[]> CompareAndSwapAsync(ControlPlaneDbContext db, BulkRows rows, string versionColumn, CancellationToken cancellationToken)
    {
        var written = new bool[rows.Rows.Count];
        if (rows.Rows.Count == 0)
        {
            return written;
        }

        var where = $" WHERE {Quote(rows.Table)}.{Quote(versionColumn)} = excluded.{Quote(versionColumn)} - 1";
        await using var command = Insert(db, rows, InKeyOrder(rows), Overwrite(rows) + where, $" RETURNING {List(rows.Key)}");
        var won = new HashSet<string>(rows.Rows.Count, StringComparer.Ordinal);
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                won.Add(KeyText(Enumerable.Range(0, rows.Key.Count).Select(reader.GetValue)));
            }
        }

        var positions = rows.Key.Select(column => IndexOf(rows.Columns, column)).ToArray();
        for (var i = 0; i < written.Length; i++)
        {
            var row = rows.Rows[i];
            written[i] = won.Contains(KeyText(positions.Select(position => row[position]!)));
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

        var types = Types(db, table);
        var connection = (NpgsqlConnection)await db.OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.Transaction = (NpgsqlTransaction?)db.CurrentTransaction;
        var arrays = key.Select((column, i) => Parameter(command, types[column], keys, i)).ToList();
        var join = string.Join(" AND ", key.Select(column => $"t.{Quote(column)} = k.{Quote(column)}"));

        // By a name that no column has: one of ours is called position.
        command.CommandText = $"SELECT k.mc_ordinal, {string.Join(", ", columns.Select(column => "t." + Quote(column)))} FROM unnest({string.Join(", ", arrays)}) WITH ORDINALITY AS k({List(key)}, mc_ordinal) JOIN {Quote(table)} t ON {join}";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found[(int)reader.GetInt64(0) - 1] = [.. Enumerable.Range(1, columns.Count).Select(i => reader.IsDBNull(i) ? null : Widen(reader.GetValue(i)))];
        }

        return found;
    }

    public async Task LockRowsAsync(ControlPlaneDbContext db, string table, IReadOnlyList<string> key, IReadOnlyList<object?[]> keys, CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
        {
            return;
        }

        var types = Types(db, table);
        await using var command = Command(db);
        var arrays = key.Select((column, i) => Parameter(command, types[column], keys, i)).ToList();
        var join = string.Join(" AND ", key.Select(column => $"t.{Quote(column)} = k.{Quote(column)}"));

        // In the order of the keys, as writes are: two that lock overlapping rows wait for each other and never in a circle.
        command.CommandText = $"SELECT 1 FROM {Quote(table)} t JOIN unnest({string.Join(", ", arrays)}) AS k({List(key)}) ON {join} ORDER BY {string.Join(", ", key.Select(column => "t." + Quote(column)))} FOR UPDATE OF t";
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<IReadOnlyList<OutboxMessage>> ClaimOutboxAsync(
        ControlPlaneDbContext db, string module, int limit, DateTimeOffset now, DateTimeOffset claimUntil, CancellationToken cancellationToken)
    {
        var table = Quote($"{module}_outbox");
        var connection = (NpgsqlConnection)await db.OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText =
            $"UPDATE {table} SET next_attempt_at = $2 WHERE id IN (SELECT id FROM {table} WHERE next_attempt_at <= $1 OR next_attempt_at > $4 ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED) " +
            "RETURNING id, type, key, payload, attachment, created_at, attempts, last_error";
        command.Parameters.Add(new NpgsqlParameter { Value = now.ToUnixTimeMilliseconds() });
        command.Parameters.Add(new NpgsqlParameter { Value = claimUntil.ToUnixTimeMilliseconds() });
        command.Parameters.Add(new NpgsqlParameter { Value = limit });
        command.Parameters.Add(new NpgsqlParameter { Value = (now + IDatabaseDialect.LongestWait).ToUnixTimeMilliseconds() });
        var rows = new List<OutboxMessage>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(new OutboxMessage
            {
                Id = reader.GetGuid(0),
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

    public IReadOnlyList<string> AppendOnlySql(string table) =>
    [
        .. PruneTriggers.Of(table).SelectMany(trigger => new[]
        {
            $"CREATE OR REPLACE FUNCTION {trigger.Function}() RETURNS trigger LANGUAGE plpgsql AS '{trigger.Body.Replace("'", "''", StringComparison.Ordinal)}'",
            $"CREATE OR REPLACE TRIGGER {trigger.Name} BEFORE {trigger.On} ON {Quote(table)} FOR EACH {(trigger.On == "TRUNCATE" ? "STATEMENT" : "ROW")} EXECUTE FUNCTION {trigger.Function}()",

            // Without that a session that says it replicates (session_replication_role) fires none of them.
            $"ALTER TABLE {Quote(table)} ENABLE ALWAYS TRIGGER {trigger.Name}",
        }),
    ];

    public async Task EnforceAppendOnlyAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        foreach (var statement in AppendOnly.Tables(db.Model).SelectMany(AppendOnlySql))
        {
            await db.Database.ExecuteSqlRawAsync(statement, cancellationToken);
        }
    }

    public async Task<IReadOnlyList<string>> AppendOnlyFaultsAsync(ControlPlaneDbContext db, string table, CancellationToken cancellationToken)
    {
        var faults = new List<string>();
        foreach (var (name, _, _, body) in PruneTriggers.Of(table))
        {
            // D: disabled; R: fires for replicas alone.
            var state = await db.Database.SqlQueryRaw<string>(
                "SELECT CASE WHEN t.tgenabled NOT IN ('O', 'A') THEN 'is disabled' WHEN p.prosrc <> {2} THEN 'does something else' ELSE '' END AS \"Value\" FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = to_regclass({0}) AND t.tgname = {1}",
                Quote(table), name, body).ToListAsync(cancellationToken);
            if (state is not [""])
            {
                faults.Add($"{table}: trigger {name} {(state is [var what] ? what : "is missing")}");
            }
        }

        return faults;
    }

    // The last two need a lock that waits behind everybody, and everybody behind it: at once or not at all.
    public IReadOnlyList<string> AppendOnlyAttacks(string table, string column) =>
    [
        $"UPDATE {Quote(table)} SET {Quote(column)} = {Quote(column)} WHERE ctid = (SELECT ctid FROM {Quote(table)} t{PruneTriggers.Kept(table)} LIMIT 1)",
        $"DELETE FROM {Quote(table)} WHERE ctid = (SELECT ctid FROM {Quote(table)} t{PruneTriggers.Kept(table)} LIMIT 1)",
        $"SET LOCAL session_replication_role = replica; DELETE FROM {Quote(table)} WHERE ctid = (SELECT ctid FROM {Quote(table)} t{PruneTriggers.Kept(table)} LIMIT 1)",
        $"LOCK TABLE {Quote(table)} IN ACCESS EXCLUSIVE MODE NOWAIT; TRUNCATE {Quote(table)}",
        $"SET LOCAL session_replication_role = replica; LOCK TABLE {Quote(table)} IN ACCESS EXCLUSIVE MODE NOWAIT; TRUNCATE {Quote(table)}",
    ];

    private NpgsqlCommand Insert(ControlPlaneDbContext db, BulkRows rows, IReadOnlyList<object?[]> ordered, string onConflict, string returning)
    {
        var types = Types(db, rows.Table);
        var command = Command(db);
        var arrays = rows.Columns.Select((column, i) => Parameter(command, types[column], ordered, i)).ToList();
        command.CommandText = $"INSERT INTO {Quote(rows.Table)} ({List(rows.Columns)}) SELECT * FROM unnest({string.Join(", ", arrays)}) ON CONFLICT ({List(rows.Key)}) {onConflict}{returning}";
        return command;
    }

    private static NpgsqlCommand Command(ControlPlaneDbContext db)
    {
        var transaction = (NpgsqlTransaction)db.RequireTransaction();
        var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        return command;
    }

    /// <summary>Adds one column of all rows as an array and returns its placeholder.</summary>
    private static string Parameter(NpgsqlCommand command, string type, IReadOnlyList<object?[]> rows, int column)
    {
        object array = type switch
        {
            "bigint" => Column(rows, column, value => (long?)Convert.ToInt64(value, CultureInfo.InvariantCulture)),
            "integer" => Column(rows, column, value => (int?)Convert.ToInt32(value, CultureInfo.InvariantCulture)),
            "boolean" => Column(rows, column, value => (bool?)Convert.ToBoolean(value, CultureInfo.InvariantCulture)),
            "double precision" => Column(rows, column, value => (double?)Convert.ToDouble(value, CultureInfo.InvariantCulture)),
            "uuid" => Column(rows, column, value => (Guid?)value),
            "bytea" => Column(rows, column, value => (byte[]?)value),
            "text" => Column(rows, column, value => (string?)value),
            _ => throw new NotSupportedException($"Columns of type {type} are not written in bulk."),
        };
        command.Parameters.Add(new NpgsqlParameter { Value = array });
        return $"${command.Parameters.Count}::{type}[]";
    }

    private static T?[] Column<T>(IReadOnlyList<object?[]> rows, int column, Func<object, T?> convert)
    {
        var values = new T?[rows.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = rows[i][column] is { } value ? convert(value) : default;
        }

        return values;
    }

    private IReadOnlyDictionary<string, string> Types(ControlPlaneDbContext db, string table) => columnTypes.GetOrAdd(table, static (name, model) =>
    {
        var found = model.GetRelationalModel().FindTable(name, null) ?? throw new InvalidOperationException($"There is no table {name}.");
        return found.Columns.ToDictionary(column => column.Name, column => column.StoreType.StartsWith("character varying", StringComparison.Ordinal) ? "text" : column.StoreType, StringComparer.Ordinal);
    }, db.Model);

    private static List<object?[]> InKeyOrder(BulkRows rows)
    {
        var ordered = rows.Rows.ToList();
        if (ordered.Count > 1)
        {
            var positions = rows.Key.Select(column => IndexOf(rows.Columns, column)).ToArray();
            ordered.Sort((left, right) =>
            {
                foreach (var position in positions)
                {
                    if (Compare(left[position], right[position]) is var order and not 0)
                    {
                        return order;
                    }
                }

                return 0;
            });
        }

        return ordered;
    }

    private static int Compare(object? left, object? right) => left is string text ? string.CompareOrdinal(text, right as string) : Comparer<object>.Default.Compare(left, right);

    private static string Overwrite(BulkRows rows) => $"DO UPDATE SET {string.Join(", ", rows.Columns.Except(rows.Key).Select(column => $"{Quote(column)} = excluded.{Quote(column)}"))}";

    private static int IndexOf(IReadOnlyList<string> columns, string column)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i] == column)
            {
                return i;
            }
        }

        throw new ArgumentException($"Column {column} is not among those written.", nameof(column));
    }

    private static object Widen(object value) => value is int number ? (long)number : value;

    private static string KeyText(IEnumerable<object> values) => string.Join('\u001f', values.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture)));

    private static string Quote(string name) => $"\"{name}\"";

    private static string List(IEnumerable<string> columns) => string.Join(", ", columns.Select(Quote));

    private sealed class NoGate : IDisposable
    {
        public static readonly NoGate Instance = new();

        public void Dispose()
        {
        }
    }
}
