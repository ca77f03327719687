using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>The real schema, made from nothing by the real migrations, on every provider.</summary>
public abstract class SchemaContract<TDatabase>(TDatabase database) : IClassFixture<TDatabase>, IAsyncLifetime
    where TDatabase : TestDatabase
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(database.Unavailable is not null, database.Unavailable ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Migrations_make_every_table_from_nothing_and_again_change_nothing()
    {
        var services = await database.EmptyAsync();
        await MigrateAsync(services);
        await MigrateAsync(services);

        await TestDatabase.WithAsync(services, async db =>
        {
            Assert.Empty(await db.Database.GetPendingMigrationsAsync(Token));
            Assert.False(db.Database.HasPendingModelChanges());
            await db.OpenConnectionAsync(Token);
            foreach (var table in db.Model.GetRelationalModel().Tables)
            {
                // The stream of what licensing comes to know has one row from the start on.
                Assert.Equal(table.Name == "licensing_stream" ? 1L : 0L, await ScalarAsync(db, $"SELECT COUNT(*) FROM {table.Name}"));
            }

            Assert.InRange(await db.Dialect.SizeAsync(db, Token), 100_000, 1L << 40);

            return 0;
        });
    }

    [Fact]
    public async Task Replicas_that_migrate_at_once_do_not_disturb_each_other()
    {
        var services = await database.EmptyAsync();

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => MigrateAsync(services))));

        await TestDatabase.WithAsync(services, async db =>
        {
            Assert.Empty(await db.Database.GetPendingMigrationsAsync(Token));
            return 0;
        });
    }

    [Fact]
    public async Task Append_only_tables_take_rows_and_let_none_be_changed_or_removed()
    {
        var services = await database.EmptyAsync();
        await MigrateAsync(services);
        await TestDatabase.WithAsync(services, async db =>
        {
            using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, Token);
            await db.OpenConnectionAsync(Token);
            var tables = AppendOnly.Tables(db.Model);
            Assert.Contains("audit_entry_foundation", tables);
            foreach (var name in tables)
            {
                var table = db.Model.GetRelationalModel().FindTable(name, null)!;
                var columns = string.Join(", ", table.Columns.Select(column => column.Name));
                var key = table.PrimaryKey!.Columns.Select(column => column.Name).ToList();
                var row = $"INSERT INTO {name} ({columns}) VALUES ({string.Join(", ", table.Columns.Select(column => database.Literal(column.StoreType)))})";
                if (name == "audit_log_minimum")
                {
                    // Not even that, where no signed entry says it.
                    Assert.Contains("append-only", (await Assert.ThrowsAnyAsync<DbException>(() => ExecuteAsync(db, row))).Message, StringComparison.Ordinal);
                    continue;
                }

                await ExecuteAsync(db, row);

                foreach (var attack in Attacks(name, key, table.Columns.Select(column => column.Name).First(column => !key.Contains(column))))
                {
                    var refusal = await Assert.ThrowsAnyAsync<DbException>(() => ExecuteAsync(db, attack));
                    Assert.Contains(Refusal(attack), refusal.Message, StringComparison.Ordinal);
                    Assert.Equal(1L, await ScalarAsync(db, $"SELECT COUNT(*) FROM {name}"));
                }
            }

            return 0;
        });
    }

    [Fact]
    public async Task Who_takes_the_protection_of_an_append_only_table_away_is_found_out()
    {
        var services = await database.EmptyAsync();
        await MigrateAsync(services);
        Assert.Empty(await FaultsAsync(services));
        foreach (var (sabotage, shows) in Sabotages("audit_log_leaf"))
        {
            await TestDatabase.WithAsync(services, async db =>
            {
                using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, Token);
                await db.OpenConnectionAsync(Token);
                await ExecuteAsync(db, sabotage);
                return 0;
            });
            var faults = await FaultsAsync(services);
            Assert.All(shows, what => Assert.Contains(faults, fault => fault.Contains("audit_log_leaf", StringComparison.Ordinal) && fault.Contains(what, StringComparison.Ordinal)));

            // Nothing of what was tried is left, and the next one begins with a table that is protected.
            await TestDatabase.WithAsync(services, async db =>
            {
                await db.Dialect.EnforceAppendOnlyAsync(db, Token);
                await db.OpenConnectionAsync(Token);
                foreach (var table in AppendOnly.Tables(db.Model))
                {
                    Assert.Equal(0L, await ScalarAsync(db, $"SELECT COUNT(*) FROM {table}"));
                }

                return 0;
            });
            await AfterAsync(services);
            Assert.Empty(await FaultsAsync(services));
        }
    }

    [Fact]
    public async Task A_column_may_be_called_as_rows_are_numbered_elsewhere()
    {
        // "position" is what the statements of one engine called that, until a table of ours had it in its key.
        var (services, log, content) = (await database.EmptyAsync(), Guid.CreateVersion7(), new byte[] { 1, 2, 3 });
        await MigrateAsync(services);
        var rows = new BulkRows("audit_log_leaf", ["log_id", "position", "hash", "event_id", "event_hash", "content"], ["log_id", "position"],
            [.. Enumerable.Range(0, 3).Select(i => new object?[] { log, (long)i, new byte[32], Guid.CreateVersion7(), new byte[32], content })]);
        await TestDatabase.WithAsync(services, async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            Assert.Equal(3, await db.Dialect.InsertIfAbsentAsync(db, rows, Token));
            await transaction.CommitAsync(Token);
            var read = await db.Dialect.ReadByKeyAsync(db, rows.Table, rows.Key, [[log, 2L], [log, 3L], [log, 0L]], ["position", "content"], Token);
            Assert.Equal([2L, content], read[0]);
            Assert.Null(read[1]);
            Assert.Equal([0L, content], read[2]);
            return 0;
        });
    }

    /// <summary>Statements that would change or remove a row, each by another way round.</summary>
    protected abstract IEnumerable<string> Attacks(string table, IReadOnlyList<string> key, string column);

    /// <summary>Ways to take the protection of a table away, and what must be said of each.</summary>
    protected abstract IEnumerable<(string Sql, string[] Shows)> Sabotages(string table);

    /// <summary>Undoes what making the triggers anew does not.</summary>
    protected virtual Task AfterAsync(ServiceProvider services) => Task.CompletedTask;

    /// <summary>What the engine's refusal of a statement says.</summary>
    protected virtual string Refusal(string attack) => "append-only";

    protected static async Task ExecuteAsync(ControlPlaneDbContext db, string sql)
    {
        await using var command = Command(db, sql);
        await command.ExecuteNonQueryAsync(Token);
    }

    private static async Task<long> ScalarAsync(ControlPlaneDbContext db, string sql)
    {
        await using var command = Command(db, sql);
        return Convert.ToInt64(await command.ExecuteScalarAsync(Token));
    }

    private static DbCommand Command(ControlPlaneDbContext db, string sql)
    {
        var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private static Task<IReadOnlyList<string>> FaultsAsync(ServiceProvider services) => TestDatabase.WithAsync(services, db => AppendOnly.FaultsAsync(db, "audit", Token));

    private static Task MigrateAsync(ServiceProvider services) => TestDatabase.WithAsync(services, async db =>
    {
        await db.Dialect.MigrateAsync(db, Token);
        return 0;
    });
}
