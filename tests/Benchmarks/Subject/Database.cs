using Microsoft.Data.Sqlite;
using MissionControl.Fleet.History;

namespace MissionControl.Benchmarks.Subject;

/// <summary>Looks into the host's database from outside, reading only.</summary>
internal sealed class Database(HostProcess host) : IDisposable
{
    private readonly SqliteConnection connection = Open(Path.Combine(host.Data, "missioncontrol.db"));

    /// <summary>Rows in an outbox that no consumer has finished with.</summary>
    public long OutboxDepth(string module = "callhome") => Number($"SELECT count(*) FROM {module}_outbox");

    /// <summary>Order of the newest health that fleet has of a cluster.</summary>
    public long RankOf(Guid cluster)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT rank FROM fleet_last_health WHERE cluster_id = $id";
        command.Parameters.AddWithValue("$id", cluster);
        return command.ExecuteScalar() as long? ?? 0;
    }

    /// <summary>Samples in fleet's history of every cluster, closed blocks and open ones.</summary>
    public IReadOnlyDictionary<Guid, long> Samples()
    {
        var counts = new Dictionary<Guid, long>();
        using (var open = connection.CreateCommand())
        {
            open.CommandText = "SELECT cluster_id, samples FROM fleet_last_health";
            using var rows = open.ExecuteReader();
            while (rows.Read())
            {
                counts[rows.GetGuid(0)] = SampleBlock.Open(rows.GetFieldValue<byte[]>(1)).Count;
            }
        }

        using var closed = connection.CreateCommand();
        closed.CommandText = "SELECT cluster_id, sum(samples) FROM fleet_history GROUP BY cluster_id";
        using var sums = closed.ExecuteReader();
        while (sums.Read())
        {
            counts[sums.GetGuid(0)] = counts.GetValueOrDefault(sums.GetGuid(0)) + sums.GetInt64(1);
        }

        return counts;
    }

    public long Number(string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every text is a constant of this project.
        command.CommandText = sql;
#pragma warning restore CA2100
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until an outbox is empty; how long that took.</summary>
    public async Task<TimeSpan> DrainAsync(string module = "callhome")
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (OutboxDepth(module) > 0)
        {
            if (clock.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new TimeoutException($"The outbox of {module} still holds {OutboxDepth(module)} rows after 2 minutes.");
            }

            await Task.Delay(10);
        }

        return clock.Elapsed;
    }

    public void Dispose() => connection.Dispose();

    private static SqliteConnection Open(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }
}
