using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace MissionControl.Benchmarks.Subject;

/// <summary>The floor of everything that is stored embedded: prepared inserts through the same driver, on the same disk, with the same durability.</summary>
internal static class RawSqlite
{
    /// <summary>Rows per second, with so many rows in a transaction.</summary>
    public static double RowsPerSecond(int rows, int perTransaction)
    {
        var directory = Directory.CreateTempSubdirectory("mc-bench-");
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory.FullName, "floor.db"), Pooling = false }.ToString());
            connection.Open();
            Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
            Execute(connection, "CREATE TABLE cell (cluster_id TEXT, hour INTEGER, epoch INTEGER, revision INTEGER, meter TEXT, dimension_hash INTEGER, customer_id TEXT, meter_version INTEGER, environment TEXT, dimensions TEXT, quantity INTEGER, PRIMARY KEY (cluster_id, hour, epoch, revision, meter, dimension_hash))");
            using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO cell VALUES ($0, $1, 1, 1, 'data_points', $2, $0, 1, 'e1', '{\"env\":\"e1\"}', 12345) ON CONFLICT DO NOTHING";
            var cluster = command.Parameters.Add("$0", SqliteType.Text);
            var hour = command.Parameters.Add("$1", SqliteType.Integer);
            var cell = command.Parameters.Add("$2", SqliteType.Integer);
            cluster.Value = Guid.NewGuid();
            var clock = Stopwatch.StartNew();
            for (var row = 0; row < rows;)
            {
                using var transaction = connection.BeginTransaction();
                command.Transaction = transaction;
                for (var i = 0; i < perTransaction && row < rows; i++, row++)
                {
                    hour.Value = row / 50;
                    cell.Value = row % 50;
                    command.ExecuteNonQuery();
                }

                transaction.Commit();
            }

            return rows / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
