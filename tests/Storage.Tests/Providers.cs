using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
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
}

public sealed class PostgreSqlContract(PostgreSqlDatabase database) : ServerContract<PostgreSqlDatabase>(database);

public sealed class SqliteSchema(SqliteDatabase database) : SchemaContract<SqliteDatabase>(database)
{
    protected override IEnumerable<string> Attacks(string table, string key, string column, string columns) =>
    [
        $"UPDATE {table} SET {column} = {column}",
        $"UPDATE OR REPLACE {table} SET {key} = {key}",
        $"DELETE FROM {table}",
        $"REPLACE INTO {table} SELECT * FROM {table}",
        $"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        $"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}",
    ];
}

public sealed class PostgreSqlSchema(PostgreSqlDatabase database) : SchemaContract<PostgreSqlDatabase>(database)
{
    protected override IEnumerable<string> Attacks(string table, string key, string column, string columns) =>
    [
        $"UPDATE {table} SET {column} = {column}",
        $"UPDATE ONLY {table} SET {column} = {column}",
        $"DELETE FROM {table}",
        $"DELETE FROM {table} USING {table} AS other WHERE true",
        $"TRUNCATE {table}",
        $"TRUNCATE {table} CASCADE",
        $"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}",
        $"WITH gone AS (DELETE FROM {table} RETURNING *) SELECT * FROM gone",
        $"MERGE INTO {table} AS t USING {table} AS s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE",
    ];
}

public sealed class SqlServerContract(SqlServerDatabase database) : ServerContract<SqlServerDatabase>(database);

public sealed class SqlServerSchema(SqlServerDatabase database) : SchemaContract<SqlServerDatabase>(database)
{
    protected override IEnumerable<string> Attacks(string table, string key, string column, string columns) =>
    [
        $"UPDATE {table} SET {column} = {column}",
        $"DELETE FROM {table}",
        $"DELETE TOP (1) FROM {table}",
        $"MERGE {table} AS t USING {table} AS s ON t.{key} = s.{key} WHEN MATCHED THEN DELETE;",
        $"MERGE {table} AS t USING {table} AS s ON t.{key} = s.{key} WHEN MATCHED THEN UPDATE SET t.{column} = s.{column};",
        $"TRUNCATE TABLE {table}",
    ];

    protected override string Refusal(string attack) => attack.StartsWith("TRUNCATE", StringComparison.Ordinal) ? "FOREIGN KEY" : base.Refusal(attack);
}
