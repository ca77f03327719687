using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MissionControl.Platform.Data;

namespace MissionControl.Storage.Sqlite;

/// <summary>
/// Moves committed pages from the write-ahead log into the database file beside the writers. Left to itself SQLite does this within a
/// commit, for which everybody at the writer gate then waits, and every thousand pages, so that a page which changes often is copied
/// each time.
/// </summary>
internal sealed partial class SqliteCheckpoints(SqliteConnections connections, TimeProvider time, ILogger<SqliteCheckpoints> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(10);

    // 16 MB of pages of 4 KiB. The log starts over only after a moment in which nothing new came; beyond this one is made.
    private const long LongLog = 4000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var wait = Interval;
        SqliteConnection? connection = null;
        try
        {
            while (true)
            {
                await Task.Delay(wait, time, stoppingToken);
                try
                {
                    connection ??= connections.Open();
                    if (Checkpoint(connection) >= LongLog)
                    {
                        using var turn = await connections.Gate.EnterAsync(WritePriority.Normal, stoppingToken);
                        Checkpoint(connection);
                    }

                    wait = Interval;
                }
                catch (SqliteException exception)
                {
                    // The disk is full, or away: what is committed stays in the log.
                    LogFailed(logger, exception);
                    wait = AfterFailure;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Closing the last connection moves the rest.
        }
        finally
        {
            connection?.Dispose();
        }
    }

    /// <summary>Copies what nobody reads an older state of; waits for nobody. Returns the length of the log in pages.</summary>
    private static long Checkpoint(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(PASSIVE);";
        using var reader = command.ExecuteReader();
        return reader.Read() ? reader.GetInt64(1) : 0;
    }

    [LoggerMessage(140, LogLevel.Warning, "The write-ahead log could not be moved into the database file; tried again in 10 s")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
