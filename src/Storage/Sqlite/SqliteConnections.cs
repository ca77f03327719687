using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace MissionControl.Storage.Sqlite;

/// <summary>
/// Connections that stay open from one unit of work to the next. Opening one costs more than what most units of work do with it:
/// functions are registered, settings made, statements prepared; a kept one keeps all three.
/// </summary>
internal sealed class SqliteConnections(string file) : IDisposable
{
    /// <summary>
    /// What SQLite keeps per connection: synchronous=FULL (an answer means fsynced), a busy timeout for second processes such as a
    /// backup, and recursive triggers, without which REPLACE walks past append-only triggers.
    /// </summary>
    private const string Settings = "PRAGMA busy_timeout=20000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;";

    // Each may hold 2 MB of pages; a rush of requests must not leave that behind for ever.
    private const int MostIdle = 16;
    private readonly string connectionString = new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWriteCreate, Cache = SqliteCacheMode.Private, Pooling = false }.ToString();
    private readonly ConcurrentStack<SqliteConnection> idle = [];
    private volatile bool closed;

    /// <summary>An open connection for one unit of work; the newest returned, whose pages are the warmest.</summary>
    public SqliteConnection Rent()
    {
        if (idle.TryPop(out var kept))
        {
            return kept;
        }

        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = Settings;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Takes a connection back, unless it was left within a transaction.</summary>
    public void Return(SqliteConnection connection)
    {
        if (closed || idle.Count >= MostIdle || connection.Handle is not { } handle || raw.sqlite3_get_autocommit(handle) == 0)
        {
            connection.Dispose();
            return;
        }

        idle.Push(connection);
    }

    public void Dispose()
    {
        closed = true;
        while (idle.TryPop(out var connection))
        {
            connection.Dispose();
        }
    }

    /// <summary>The connection of one scope.</summary>
    public sealed class Lease(SqliteConnections connections) : IDisposable
    {
        public SqliteConnection Connection { get; } = connections.Rent();

        public void Dispose() => connections.Return(Connection);
    }
}
