using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using MissionControl.Platform.Data;
using SQLitePCL;

namespace MissionControl.Storage.Sqlite;

/// <summary>
/// Connections that stay open from one unit of work to the next: many that only read, and one that writes, for whoever holds the
/// gate. Opening one costs more than what most units of work do with it: functions are registered, settings made, statements
/// prepared. And SQLite keeps pages per connection and forgets them when another connection writes; the one writer never has to.
/// </summary>
internal sealed class SqliteConnections(string file) : IDisposable, IAsyncDisposable
{
    /// <summary>
    /// What SQLite keeps per connection: synchronous=FULL (an answer means fsynced), a busy timeout for second processes such as a
    /// backup, and recursive triggers, without which REPLACE walks past append-only triggers. A commit moves the log into the file by
    /// itself only when <see cref="SqliteCheckpoints"/> has fallen far behind.
    /// </summary>
    private const string Settings = "PRAGMA busy_timeout=20000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON; PRAGMA wal_autocheckpoint=16000;";

    // Who has not entered the gate cannot write, not even by mistake.
    private const string Reading = "PRAGMA query_only=ON; PRAGMA cache_size=-1024;";

    // 32 MB of pages.
    private const string Writing = "PRAGMA cache_size=-32768;";

    // As many as consumers may work at once. Each may hold 1 MB of pages; a rush of requests must not leave more behind for ever.
    private const int MostIdle = 64;
    private readonly string connectionString = new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWriteCreate, Cache = SqliteCacheMode.Private, Pooling = false }.ToString();
    private readonly ConcurrentStack<SqliteConnection> idle = [];
    private int kept;
    private SqliteConnection? writer;
    private volatile bool closed;

    /// <summary>Whose turn it is to write.</summary>
    public WriterGate Gate { get; } = new();

    /// <summary>The connection that writes; only for who holds the gate.</summary>
    public SqliteConnection Writer()
    {
        if (writer is not null && !IsClean(writer))
        {
            writer.Dispose();
            writer = null;
        }

        return writer ??= Open(Writing);
    }

    /// <summary>An open connection to read with, for one unit of work; the one returned last, whose pages are the warmest.</summary>
    public SqliteConnection Rent()
    {
        if (!idle.TryPop(out var connection))
        {
            return Open(Reading);
        }

        Interlocked.Decrement(ref kept);
        return connection;
    }

    /// <summary>Takes a connection back, unless it was left within a transaction.</summary>
    public void Return(SqliteConnection connection)
    {
        if (closed || !IsClean(connection))
        {
            connection.Dispose();
        }
        else if (Interlocked.Increment(ref kept) > MostIdle)
        {
            Interlocked.Decrement(ref kept);
            connection.Dispose();
        }
        else
        {
            idle.Push(connection);
        }
    }

    /// <summary>A connection of the caller's own, for as long as it likes.</summary>
    public SqliteConnection Open() => Open("");

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Closes them, the one that writes when its turn has ended: a consumer may outlast the host's stop by a transaction.</summary>
    public async ValueTask DisposeAsync()
    {
        if (closed)
        {
            return;
        }

        closed = true;
        using var turn = await Gate.EnterAsync(WritePriority.Intake, CancellationToken.None);
        writer?.Dispose();
        while (idle.TryPop(out var connection))
        {
            connection.Dispose();
        }
    }

    private static bool IsClean(SqliteConnection connection) => connection.Handle is { } handle && raw.sqlite3_get_autocommit(handle) != 0;

    private SqliteConnection Open(string further)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = Settings + further;
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The connection of one scope.</summary>
    public sealed class Lease(SqliteConnections connections) : IDisposable
    {
        public SqliteConnection Connection { get; } = connections.Rent();

        public void Dispose() => connections.Return(Connection);
    }
}
