using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace MissionControl.Storage.Sqlite;

/// <summary>
/// Sets on every opened connection what SQLite keeps per connection: synchronous=FULL (an answer means fsynced), a busy timeout
/// for second processes such as a backup, and recursive triggers, without which REPLACE walks past append-only triggers.
/// </summary>
internal sealed class SqliteConnectionSettings : DbConnectionInterceptor
{
    private const string Pragmas = "PRAGMA busy_timeout=20000; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;";

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
