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
}

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
}

public sealed class SqlServerContract(SqlServerDatabase database) : ServerContract<SqlServerDatabase>(database);

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

    protected override string Refusal(string attack) => attack.StartsWith("TRUNCATE", StringComparison.Ordinal) ? "FOREIGN KEY" : base.Refusal(attack);
}
