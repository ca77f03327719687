using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Host;
using MissionControl.Platform.Data;

namespace MissionControl.Architecture.Tests;

/// <summary>Tables that the model marks append-only are guarded by the database itself, not by good manners.</summary>
public sealed class AppendOnlyTests
{
    [Fact]
    public async Task The_database_refuses_to_change_or_delete_what_is_append_only()
    {
        var data = Directory.CreateTempSubdirectory("mc-append-only-").FullName;
        await using (var app = ControlPlaneHost.Build(new HostSettings { Data = data }))
        await using (var scope = app.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            await db.Dialect.MigrateAsync(db, TestContext.Current.CancellationToken);
            using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, TestContext.Current.CancellationToken);
            var connection = (SqliteConnection)await db.OpenConnectionAsync(TestContext.Current.CancellationToken);
            var tables = AppendOnly.Tables(db.Model).ToList();

            Assert.Contains("audit_entry_foundation", tables);
            foreach (var table in tables)
            {
                var columns = Read(connection, $"SELECT name FROM pragma_table_info('{table}')");
                if (table == "audit_log_minimum")
                {
                    // What no signed entry says does not come in.
                    Assert.Contains("append-only", Refused(connection, $"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(_ => "256"))})"), StringComparison.Ordinal);
                    continue;
                }

                Execute(connection, $"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(_ => "1"))})");

                Assert.Contains("append-only", Refused(connection, $"UPDATE {table} SET {columns[0]} = {columns[0]}"), StringComparison.Ordinal);
                Assert.Contains("append-only", Refused(connection, $"DELETE FROM {table}"), StringComparison.Ordinal);
                Assert.Contains("append-only", Refused(connection, $"REPLACE INTO {table} SELECT * FROM {table}"), StringComparison.Ordinal);
            }
        }

        SqliteConnection.ClearAllPools();
        Directory.Delete(data, recursive: true);
    }

    private static string Refused(SqliteConnection connection, string sql) => Assert.Throws<SqliteException>(() => Execute(connection, sql)).Message;

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static List<string> Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }
}
