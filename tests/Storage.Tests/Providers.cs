using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Storage.Tests;

public sealed class SqliteContract(SqliteDatabase database) : StorageContract<SqliteDatabase>(database)
{
    [Fact]
    public async Task Who_has_not_entered_the_gate_cannot_write()
    {
        var refusal = await Assert.ThrowsAsync<SqliteException>(() => Database.WithAsync(db => db.Outbox("probe").ExecuteDeleteAsync(TestContext.Current.CancellationToken)));

        Assert.Equal(8, refusal.SqliteErrorCode);
        Assert.Equal(0, await Database.WriteAsync(db => db.Outbox("probe").Where(row => row.Attempts < 0).ExecuteDeleteAsync(TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task The_log_is_moved_into_the_file_beside_the_commits()
    {
        var services = await Database.EmptyAsync([new ProbeModule()]);
        var file = await CreateAsync(services);
        var moving = services.GetServices<IHostedService>().Single();
        await moving.StartAsync(Token);

        // Four megabytes: a commit by itself would leave them in the log.
        await TestDatabase.WithAsync(services, async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            db.Outbox("probe").AddRange(Enumerable.Range(0, 64).Select(_ => new OutboxMessage { Id = Guid.CreateVersion7(), Type = "t", Key = "k", Payload = new byte[65_536], CreatedAt = DateTimeOffset.UnixEpoch, NextAttemptAt = DateTimeOffset.UnixEpoch }));
            await db.SaveChangesAsync(Token);
            await transaction.CommitAsync(Token);
            return 0;
        });

        await Eventually.TrueAsync(() => new FileInfo(file).Length > 4_000_000, "the rows stand in the file");
        await moving.StopAsync(Token);
    }

    [Fact]
    public async Task Who_closes_the_database_waits_for_the_turn_under_way()
    {
        var services = await Database.EmptyAsync([new ProbeModule()]);
        await CreateAsync(services);
        var scope = services.CreateAsyncScope();
        var transaction = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().BeginWriteAsync(cancellationToken: Token);

        var closing = services.DisposeAsync().AsTask();
        Assert.False(closing.IsCompleted);
        await transaction.CommitAsync(Token);
        await transaction.DisposeAsync();

        await closing;
        await scope.DisposeAsync();
    }

    private static Task<string> CreateAsync(ServiceProvider services) => TestDatabase.WithAsync(services, async db =>
    {
        using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, Token);
        await db.Database.EnsureCreatedAsync(Token);
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL;", Token);
        return db.Database.GetDbConnection().DataSource;
    });
}

public sealed class PostgreSqlContract(PostgreSqlDatabase database) : ServerContract<PostgreSqlDatabase>(database);

public sealed class SqliteAudit(SqliteDatabase database) : AuditContract<SqliteDatabase>(database);

public sealed class SqliteLists(SqliteDatabase database) : ListContract<SqliteDatabase>(database);

public sealed class SqliteSchema(SqliteDatabase database) : SchemaContract<SqliteDatabase>(database)
{
    protected override IEnumerable<string> Attacks(string table, IReadOnlyList<string> key, string column) =>
    [
        $"UPDATE {table} SET {column} = {column}",
        $"UPDATE OR REPLACE {table} SET {key[0]} = {key[0]}",
        $"DELETE FROM {table}",
        $"REPLACE INTO {table} SELECT * FROM {table}",
        $"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        $"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT ({string.Join(", ", key)}) DO UPDATE SET {column} = excluded.{column}",
    ];

    protected override IEnumerable<(string Sql, string[] Shows)> Sabotages(string table) =>
    [
        ($"DROP TRIGGER {table}_no_update", ["no_update is missing", "nothing refuses: UPDATE"]),
        ($"DROP TRIGGER {table}_no_delete", ["no_delete is missing", "nothing refuses: DELETE", "nothing refuses: INSERT OR REPLACE"]),
        ($"DROP TRIGGER {table}_no_delete; CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT 1; END;", ["no_delete was changed", "nothing refuses: DELETE"]),
        ("PRAGMA recursive_triggers=OFF", ["recursive_triggers is off", "nothing refuses: INSERT OR REPLACE"]),
    ];

    // It is the connection's, which stays open.
    protected override Task AfterAsync(ServiceProvider services) => TestDatabase.WithAsync(services, async db =>
    {
        using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, TestContext.Current.CancellationToken);
        await db.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync(db, "PRAGMA recursive_triggers=ON");
        return 0;
    });
}

public sealed class PostgreSqlAudit(PostgreSqlDatabase database) : AuditContract<PostgreSqlDatabase>(database);

public sealed class PostgreSqlLists(PostgreSqlDatabase database) : ListContract<PostgreSqlDatabase>(database);

public sealed class PostgreSqlSchema(PostgreSqlDatabase database) : SchemaContract<PostgreSqlDatabase>(database)
{
    protected override IEnumerable<string> Attacks(string table, IReadOnlyList<string> key, string column) =>
    [
        $"UPDATE {table} SET {column} = {column}",
        $"UPDATE ONLY {table} SET {column} = {column}",
        $"DELETE FROM {table}",
        $"DELETE FROM {table} USING {table} AS other WHERE true",
        $"TRUNCATE {table}",
        $"TRUNCATE {table} CASCADE",
        $"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({string.Join(", ", key)}) DO UPDATE SET {column} = excluded.{column}",
        $"WITH gone AS (DELETE FROM {table} RETURNING *) SELECT * FROM gone",
        $"MERGE INTO {table} AS t USING {table} AS s ON t.{key[0]} = s.{key[0]} WHEN MATCHED THEN DELETE",
    ];

    // The tests' login is the server's superuser, which may say that it replicates: only triggers that always fire hold it back.
    protected override IEnumerable<(string Sql, string[] Shows)> Sabotages(string table) =>
    [
        ($"DROP TRIGGER {table}_append_only ON {table}", ["append_only is missing", "nothing refuses: UPDATE", "nothing refuses: DELETE"]),
        ($"DROP TRIGGER {table}_no_truncate ON {table}", ["no_truncate is missing", "TRUNCATE"]),
        ($"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only", ["append_only is disabled", "nothing refuses: DELETE"]),
        ($"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only", ["nothing refuses: SET LOCAL session_replication_role = replica; DELETE"]),
        ($"ALTER TABLE {table} ENABLE REPLICA TRIGGER {table}_no_truncate", ["no_truncate is disabled", "nothing refuses: LOCK TABLE"]),
        ("CREATE OR REPLACE FUNCTION mc_audit_prune() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'", ["append_only does something else", "nothing refuses: UPDATE"]),
    ];
}

public sealed class SqlServerContract(SqlServerDatabase database) : ServerContract<SqlServerDatabase>(database);

public sealed class SqlServerAudit(SqlServerDatabase database) : AuditContract<SqlServerDatabase>(database);

public sealed class SqlServerLists(SqlServerDatabase database) : ListContract<SqlServerDatabase>(database);

public sealed class SqlServerSchema(SqlServerDatabase database) : SchemaContract<SqlServerDatabase>(database)
{
    protected override IEnumerable<string> Attacks(string table, IReadOnlyList<string> key, string column) =>
    [
        $"UPDATE {table} SET {column} = {column}",
        $"DELETE FROM {table}",
        $"DELETE TOP (1) FROM {table}",
        $"MERGE {table} AS t USING {table} AS s ON t.{key[0]} = s.{key[0]} WHEN MATCHED THEN DELETE;",
        $"MERGE {table} AS t USING {table} AS s ON t.{key[0]} = s.{key[0]} WHEN MATCHED THEN UPDATE SET t.{column} = s.{column};",
        $"TRUNCATE TABLE {table}",
    ];

    protected override IEnumerable<(string Sql, string[] Shows)> Sabotages(string table) =>
    [
        ($"DROP TRIGGER {table}_append_only", ["append_only is missing", "nothing refuses: UPDATE", "nothing refuses: DELETE"]),
        ($"DISABLE TRIGGER {table}_append_only ON {table}", ["append_only is disabled", "nothing refuses: UPDATE"]),
        ($"ALTER TRIGGER {table}_append_only ON {table} INSTEAD OF UPDATE, DELETE AS RETURN", ["append_only was changed", "nothing refuses: DELETE"]),
        ($"DROP TABLE {table}_no_truncate", ["nothing refuses: SET LOCK_TIMEOUT 0; TRUNCATE"]),
    ];

    protected override string Refusal(string attack) => attack.StartsWith("TRUNCATE", StringComparison.Ordinal) ? "FOREIGN KEY" : base.Refusal(attack);
}
