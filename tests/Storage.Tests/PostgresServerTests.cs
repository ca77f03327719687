using MissionControl.Testing;
using Npgsql;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>The server that other tests stand on does what they rely on.</summary>
public sealed class PostgresServerTests
{
    [Fact]
    public async Task What_was_committed_is_there_after_a_stop_and_after_a_kill()
    {
        await using var server = await PostgresServer.StartNewAsync();
        Assert.SkipUnless(server.IsOwn, "MC_TEST_POSTGRES gives a server, which is not stopped from here.");
        var database = await server.CreateDatabaseAsync();
        await server.ExecuteAsync(database, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");

        await server.StopAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => server.ExecuteAsync(database, "SELECT 1"));
        await server.StartAsync();
        await server.ExecuteAsync(database, "INSERT INTO t VALUES (2)");

        await server.KillAsync();
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => server.ExecuteAsync(database, "SELECT 1"));
        await server.StartAsync();

        await using var connection = new NpgsqlConnection(server.ConnectionString(database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT count(*) FROM t", connection);
        Assert.Equal(2L, await command.ExecuteScalarAsync());
    }
}
