using Microsoft.Extensions.DependencyInjection;
using MissionControl.Catalog;
using MissionControl.Platform.Modules;
using MissionControl.Storage.PostgreSql;
using Npgsql;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>A migrated database under the grants that are shipped, with a login for each role.</summary>
public sealed class GrantedDatabase(SharedPostgres shared) : IAsyncLifetime
{
    private string database = "";

    public string ConnectionString(string role) => shared.Server.ConnectionString(database, $"mc_{role}", "test");

    public async ValueTask InitializeAsync()
    {
        database = await shared.Server.CreateDatabaseAsync();
        var services = new ServiceCollection();
        services.AddSingleton(new ModuleCatalog(ModuleList.All, [ModuleCatalog.AllRoles]));
        services.AddPostgreSqlStorage(shared.Server.ConnectionString(database));
        await using var provider = services.BuildServiceProvider();
        await TestDatabase.WithAsync(provider, async db =>
        {
            await db.Dialect.MigrateAsync(db, TestContext.Current.CancellationToken);
            return 0;
        });
        foreach (var role in ModuleList.All.Select(module => module.Name))
        {
            await shared.Server.ExecuteAsync(database, $"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'mc_{role}') THEN CREATE ROLE mc_{role}; END IF; END $$; ALTER ROLE mc_{role} LOGIN PASSWORD 'test'");
        }

        await shared.Server.ExecuteAsync(database, await File.ReadAllTextAsync(Path.Combine(SourceTree(), "infra", "grants", "postgresql.sql")));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string SourceTree()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MissionControl.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The grants are read from the source tree: run this from artifacts/ inside it.");
    }
}

/// <summary>Under its own login a role reaches its own tables and nobody else's: the file that is shipped, on a real server.</summary>
public sealed class GrantsTests(GrantedDatabase database) : IClassFixture<GrantedDatabase>
{
    private const string Refused = "42501";

    public static TheoryData<string> Roles => [.. ModuleList.All.Select(module => module.Name)];

    [Theory]
    [MemberData(nameof(Roles))]
    public async Task A_role_reaches_its_own_tables_and_no_others(string role)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString(role));
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        foreach (var owner in ModuleList.All.Select(module => module.Name))
        {
            foreach (var sql in new[] { $"SELECT count(*) FROM {owner}_outbox", $"DELETE FROM {owner}_lease", $"UPDATE {owner}_projection SET version = version", $"INSERT INTO {owner}_inbox (consumer, message_id, applied_at) VALUES ('test', gen_random_uuid(), 0)" })
            {
                Assert.Equal(owner == role ? null : Refused, await TryAsync(connection, sql));
            }

            Assert.Equal(Refused, await TryAsync(connection, $"TRUNCATE {owner}_outbox"));
            Assert.NotNull(await TryAsync(connection, $"DROP TABLE {owner}_outbox"));
        }

        Assert.Equal(role == "audit" ? null : Refused, await TryAsync(connection, "SELECT count(*) FROM audit_log_leaf"));
        foreach (var sql in new[] { "UPDATE audit_log_leaf SET content = content", "DELETE FROM audit_log_leaf", "ALTER TABLE audit_log_leaf DISABLE TRIGGER ALL", "SET session_replication_role = replica", "CREATE TABLE other (id int)", "INSERT INTO audit_log_minimum (log_id, minimum) VALUES (gen_random_uuid(), 256)", "INSERT INTO audit_log_pruned (log_id, position) VALUES (gen_random_uuid(), 0)" })
        {
            Assert.Equal(Refused, await TryAsync(connection, sql));
        }
    }

    private static async Task<string?> TryAsync(NpgsqlConnection connection, string sql)
    {
#pragma warning disable CA2100 // The tests' own text.
        await using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        try
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            return null;
        }
        catch (PostgresException refusal)
        {
            return refusal.SqlState;
        }
    }
}
