using System.Data.Common;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Host;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>Databases of versions that had one table for what was done, brought up to date: its rows are in the logs, once and in order.</summary>
public abstract class AuditUpgradeContract : IAsyncLifetime
{
    private static readonly DateTimeOffset Before = new(2026, 11, 2, 0, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo data = Directory.CreateTempSubdirectory("mc-storage-");
    private readonly Guid acme = Guid.CreateVersion7();
    private readonly Guid beta = Guid.CreateVersion7();
    private readonly DyingCommits faults = new();
    private readonly SemaphoreSlim one = new(1);
    private WebApplication app = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var configuration = await ConfigurationAsync();
        app = ControlPlaneHost.Build(new HostSettings { Data = data.FullName, Serves = false }, null, builder =>
        {
            // Never started: nothing but what is called here touches the database.
            builder.Configuration.AddInMemoryCollection(configuration);
            builder.Services.ConfigureDbContext<ControlPlaneDbContext>(options => options.AddInterceptors(faults));
        });
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        one.Dispose();
        SqliteConnection.ClearAllPools();
        data.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_was_written_before_there_were_logs_is_in_them_once_and_in_order_and_is_found()
    {
        var told = await FoundationAsync();

        await MigrateAsync();
        await CatchUpAsync();

        await AssertWholeAsync(told);
        await WithAsync(async db =>
        {
            // It is told as it was, and marked. In its leaf is what anybody may know, and by salt and value the bytes of before.
            var last = told[^1];
            var sought = await db.Set<IndexedEntry>().AsNoTracking().Where(row => row.EventId == last.EventId).ToListAsync(Token);
            var item = Assert.Single(await EntryBodies.ReadAsync(db, sought, Token));
            Assert.Equal((last.Type, last.Actor.Id, last.OccurredAt, Before, last.Reason, last.ProducerSeq, true), (item.Type, item.ActorId, item.OccurredAt, item.RecordedAt, item.Reason, item.ProducerSeq, item.Imported));
            Assert.True(JsonElement.DeepEquals(JsonSerializer.SerializeToElement(last, MessageJson.Options), item.Entry));
            var leaf = JsonDocument.Parse((await db.Set<LogLeaf>().AsNoTracking().SingleAsync(row => row.EventId == last.EventId, Token)).Content).RootElement;
            var kept = await db.Set<PersonalValue>().AsNoTracking().SingleAsync(row => row.LogId == item.LogId && row.Position == item.Index, Token);
            Assert.Equal(("audit.imported", "system", last.EventId), (leaf.GetProperty("type").GetString(), leaf.GetProperty("actor").GetProperty("kind").GetString(), leaf.GetProperty("imported").GetProperty("eventId").GetGuid()));
            Assert.True(Commitment.Verify(leaf.GetProperty("commitments").GetProperty("imported").GetBytesFromBase64(), kept.Salt, "imported", JsonSerializer.Serialize(last, MessageJson.Options)));

            // What stands beside the log and is not what it is committed to is nobody's word.
            await using (var transaction = await db.BeginWriteAsync(cancellationToken: Token))
            {
                await db.Set<PersonalValue>().Where(row => row.LogId == item.LogId && row.Position == item.Index).ExecuteUpdateAsync(set => set.SetProperty(row => row.Value, row => row.Value.Replace("us", "eu")), Token);
                await transaction.CommitAsync(Token);
            }

            Assert.Equal("us", Assert.Single(await EntryBodies.ReadAsync(db, sought, Token)).Entry.GetProperty("changes")[0].GetProperty("value").GetString());

            // Once it is erased the rest is told all the same.
            await using (var transaction = await db.BeginWriteAsync(cancellationToken: Token))
            {
                Assert.Equal(1, await db.Set<PersonalValue>().Where(row => row.LogId == item.LogId && row.Position == item.Index).ExecuteDeleteAsync(Token));
                await transaction.CommitAsync(Token);
            }

            var erased = Assert.Single(await EntryBodies.ReadAsync(db, sought, Token)).Entry;
            Assert.Equal((last.Type, last.Reason, "us"), (erased.GetProperty("type").GetString(), erased.GetProperty("reason").GetString(), erased.GetProperty("changes")[0].GetProperty("value").GetString()));
            Assert.Empty(erased.GetProperty("personal").EnumerateObject());
            Assert.DoesNotContain("Ada Lovelace", erased.GetRawText(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task The_table_of_before_can_be_read_and_lets_no_row_be_changed_or_removed()
    {
        var told = await FoundationAsync();
        await MigrateAsync();
        await MigrateAsync();
        await CatchUpAsync();

        await WithAsync(async db =>
        {
            using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, Token);
            await db.OpenConnectionAsync(Token);
            foreach (var attack in Attacks("audit_entry_foundation"))
            {
                await using var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
                command.CommandText = attack;
#pragma warning restore CA2100
                Assert.Contains("append-only", (await Assert.ThrowsAnyAsync<DbException>(() => command.ExecuteNonQueryAsync(Token))).Message, StringComparison.Ordinal);
            }

            Assert.Equal(InOrder(told).Select(one => JsonSerializer.Serialize(one, MessageJson.Options)), await db.Set<FoundationEntry>().AsNoTracking().OrderBy(row => row.OccurredAt).ThenBy(row => row.Id).Select(row => row.Body).ToListAsync(Token));
            foreach (var (name, expected) in await TriggersAsync(db))
            {
                Assert.StartsWith("audit_entry_foundation_", name, StringComparison.Ordinal);
                Assert.Equal("audit_entry_foundation", expected);
            }
        });
    }

    [Fact]
    public async Task Who_dies_in_the_middle_or_is_not_alone_imports_nothing_twice()
    {
        var told = await FoundationAsync();
        await MigrateAsync();

        // Each commit fails before or after it was made, or succeeds; two work at once.
        faults.Armed = true;
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(CatchUpAsync, Token)));
        faults.Armed = false;

        Assert.True(faults.Before > 0 && faults.After > 0);
        await AssertWholeAsync(told);
    }

    [Fact]
    public async Task What_stands_in_a_log_is_not_imported_again_and_is_found()
    {
        await WithAsync(db => FoundationDatabase.MigrateAsync(db, "AuditLogs"));
        var told = Enumerable.Range(1, 300).Select(number => FoundationDatabase.Event(number, acme)).ToList();
        await WithAsync(db => FoundationDatabase.InsertAsync(db, told, Before));

        // The last hundred were appended by the version between: one of them under the id of another event, and another event came under
        // the id of one of them.
        var both = told.Skip(200).ToList();
        var conflict = Leaf.Conflict(Told.Of(both[0] with { Reason = "another" }), 0, Before);
        await WithAsync(db => AppendAsync(db, [both[0], both[1] with { Reason = "another" }, .. both.Skip(2), conflict]));
        await MigrateAsync();
        faults.Armed = true;
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(CatchUpAsync, Token)));
        faults.Armed = false;

        await SignedAsync();
        await WithAsync(async db =>
        {
            var rows = await db.Set<IndexedEntry>().AsNoTracking().OrderBy(row => row.Position).ToListAsync(Token);
            Assert.Equal([.. both.Select(one => one.EventId), conflict.EventId, .. InOrder(told.Take(200)).Select(one => one.EventId), Leaf.ConflictId(Told.Of(both[1]))], rows.Select(row => row.EventId));
            Assert.Equal(Enumerable.Range(0, 302).Select(i => (long)i), rows.Select(row => row.Position));
            Assert.All(rows, row => Assert.Equal(row.Position > 100, row.Imported));
            Assert.Equal(302, await db.Set<LogLeaf>().CountAsync(Token));
        });

        // Nor is it appended when it is told once more.
        foreach (var again in new[] { told[0], both[0], both[99] })
        {
            await app.Services.GetRequiredService<HandlerRunner>().ApplyAsync(app.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "audit.append-entry"), again, new MessageContext(Guid.CreateVersion7(), Before), Token);
        }

        await WithAsync(async db => Assert.Equal(302, await db.Set<LogLeaf>().CountAsync(Token)));
    }

    protected abstract Task<IReadOnlyDictionary<string, string?>> ConfigurationAsync();

    /// <summary>Statements that would change or remove rows, each by another way round.</summary>
    protected abstract IEnumerable<string> Attacks(string table);

    /// <summary>A query for each trigger of the table: its name, and the table of which it speaks.</summary>
    protected abstract string Triggers { get; }

    private static IEnumerable<AuditEntryRecorded> InOrder(IEnumerable<AuditEntryRecorded> told) => told.OrderBy(one => one.OccurredAt).ThenBy(one => one.EventId.ToString(), StringComparer.Ordinal);

    [Fact]
    public async Task A_row_that_is_no_entry_is_passed_over_and_told_and_keeps_no_other_from_its_log()
    {
        await WithAsync(db => FoundationDatabase.MigrateAsync(db, "Initial"));
        var told = Enumerable.Range(1, 300).Select(number => FoundationDatabase.Event(number, acme)).ToList();
        await WithAsync(db => FoundationDatabase.InsertAsync(db, told, Before, one => one == told[149] ? "{" : JsonSerializer.Serialize(one, MessageJson.Options)));
        await MigrateAsync();

        await CatchUpAsync();

        await AssertWholeAsync([.. told.Where(one => one != told[149])]);
        await WithAsync(async db =>
        {
            var skipped = Assert.Single(await db.Outbox("audit").AsNoTracking().ToListAsync(Token), message => Encoding.UTF8.GetString(message.Payload).Contains("audit.import-skipped", StringComparison.Ordinal));
            Assert.Contains(told[149].EventId.ToString(), Encoding.UTF8.GetString(skipped.Payload), StringComparison.Ordinal);
        });
    }

    private async Task<List<AuditEntryRecorded>> FoundationAsync()
    {
        await WithAsync(db => FoundationDatabase.MigrateAsync(db, "Initial"));
        var told = Enumerable.Range(1, 700).Select(number => FoundationDatabase.Event(number, (number % 3) switch { 0 => acme, 1 => beta, _ => null })).ToList();
        await WithAsync(db => FoundationDatabase.InsertAsync(db, told.AsEnumerable().Reverse(), Before));
        return told;
    }

    private Task MigrateAsync() => WithAsync(db => db.Dialect.MigrateAsync(db, Token));

    // As a replica that is started again whenever it dies.
    private async Task CatchUpAsync()
    {
        for (var done = false; !done;)
        {
            try
            {
                await using var scope = app.Services.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
                var test = app.Services.GetRequiredService<AppendOnlyTest>();
                await test.TryAsync(Token);
                await new CatchUp(test, TimeProvider.System).RunAsync(scope.ServiceProvider, Token);

                // A run ends before the lease does, done or not.
                var names = new[] { FillIndex.Name, ImportEntries.Name };
                done = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<Progress>().CountAsync(row => row.Done && names.Contains(row.Name), Token) == names.Length;
            }
            catch (DiedException)
            {
            }
        }
    }

    private async Task SignedAsync()
    {
        // As at the start of a process: what is known outside the database, and whether that protects the log.
        await app.Services.GetRequiredService<AppendOnlyTest>().TryAsync(Token);
        for (var watch = app.Services.GetRequiredService<WatchHeads>(); !watch.HasLooked;)
        {
            await watch.LookAsync(Token);
        }

        await using var scope = app.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        await app.Services.GetServices<Sweeper>().Single(sweeper => sweeper.Name == "audit.sign-checkpoints").RunAsync(scope.ServiceProvider, Token);
    }

    private async Task AssertWholeAsync(IReadOnlyList<AuditEntryRecorded> told)
    {
        await SignedAsync();
        await WithAsync(async db =>
        {
            foreach (var log in told.GroupBy(one => Log.NameOf(one.Log, one.CustomerId)))
            {
                var id = Log.IdOf(log.Key);
                var note = await db.Set<LogCheckpoint>().AsNoTracking().SingleAsync(row => row.LogId == id, Token);
                var finding = await LogWalk.RunAsync(Checkpoint.Parse(SignedNote.Parse(Encoding.UTF8.GetBytes(note.Note)).Text), null, async (tile, token) => await OneAtATimeAsync(db, id, tile, token), null, Token);
                Assert.Equal((WalkResult.Good, log.Count()), (finding.Result, finding.Entries));
                Assert.Equal(InOrder(log).Select(one => one.EventId), (await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == id).OrderBy(row => row.Position).Select(row => row.Content).ToListAsync(Token)).Select(content => JsonDocument.Parse(content).RootElement.GetProperty("imported").GetProperty("eventId").GetGuid()));
            }

            var rows = await db.Set<IndexedEntry>().AsNoTracking().OrderBy(row => row.OccurredAt).ThenBy(row => row.LogId).ThenBy(row => row.Position).ToListAsync(Token);
            Assert.Equal(told.Select(one => one.EventId).Order(), rows.Select(row => row.EventId).Order());
            Assert.Equal(told.Count(one => one.Type == "callhome.cluster-read"), rows.Count(row => row.IsRead));

            // Nobody is named in what cannot be erased, nor in what is searched.
            foreach (var table in new[] { IndexedEntry.Table, LogLeaf.Table })
            {
                Assert.DoesNotContain(await TextsAsync(db, table), text => text.Contains("Ada Lovelace", StringComparison.Ordinal) || text.Contains("192.0.2.", StringComparison.Ordinal));
            }
        });
    }

    private async Task<ReadOnlyMemory<byte>?> OneAtATimeAsync(ControlPlaneDbContext db, Guid log, TileId tile, CancellationToken cancellationToken)
    {
        await one.WaitAsync(cancellationToken);
        try
        {
            return await TileReader.ReadAsync(db, log, tile, cancellationToken) is { } content ? content : null;
        }
        finally
        {
            one.Release();
        }
    }

    // The version between wrote these bytes, and hashed events with the values that name a person.
    private static async Task AppendAsync(ControlPlaneDbContext db, IReadOnlyList<AuditEntryRecorded> told)
    {
        var (id, range, leaves, values) = (Log.IdOf(Log.NameOf("customer", told[0].CustomerId)), new CompactRange(), new List<object?[]>(), new List<object?[]>());
        foreach (var message in told)
        {
            var (content, personal) = Leaf.Write(id, range.Size, message, null, Before, null);
            leaves.Add([id, range.Size, TreeHash.OfLeaf(content).Span.ToArray(), message.EventId, SHA256.HashData(MessageJson.Write(message)), content]);
            values.AddRange(personal.Select(value => new object?[] { value.LogId, value.Position, value.Field, value.Salt, value.Value }));
            range.Append(TreeHash.OfLeaf(content));
        }

        var at = Before.ToUnixTimeMilliseconds();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        foreach (var rows in new[]
        {
            new BulkRows(Log.Table, ["name", "id", "origin", "kind", "customer_id", "created_at"], ["name"], [[Log.NameOf("customer", told[0].CustomerId), id, "mission-control/before", "customer", told[0].CustomerId, at]]),
            new BulkRows(LogHead.Table, ["log_id", "size", "root", "range", "recorded_at", "version"], ["log_id"], [[id, range.Size, range.Root.Span.ToArray(), range.ToArray(), at, 1L]]),
            new BulkRows(LogLeaf.Table, ["log_id", "position", "hash", "event_id", "event_hash", "content"], ["log_id", "position"], leaves),
            new BulkRows(PersonalValue.Table, ["log_id", "position", "field", "salt", "value"], ["log_id", "position", "field"], values),
        })
        {
            Assert.Equal(rows.Rows.Count, await db.Dialect.InsertIfAbsentAsync(db, rows, Token));
        }

        await transaction.CommitAsync(Token);
    }

    private static async Task<List<string>> TextsAsync(ControlPlaneDbContext db, string table)
    {
        var texts = new List<string>();
        await ReadAsync(db, $"SELECT * FROM {table}", reader => texts.AddRange(Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i) is byte[] bytes ? Encoding.UTF8.GetString(bytes) : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)!)));
        Assert.NotEmpty(texts);
        return texts;
    }

    private async Task<List<(string Name, string Table)>> TriggersAsync(ControlPlaneDbContext db)
    {
        var triggers = new List<(string, string)>();
        await ReadAsync(db, Triggers, reader => triggers.Add((reader.GetString(0), reader.GetString(1))));
        Assert.Equal(2, triggers.Count);
        return triggers;
    }

    private static async Task ReadAsync(ControlPlaneDbContext db, string sql, Action<DbDataReader> row)
    {
        await db.OpenConnectionAsync(Token);
        await using var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        await using var reader = await command.ExecuteReaderAsync(Token);
        while (await reader.ReadAsync(Token))
        {
            row(reader);
        }
    }

    private async Task WithAsync(Func<ControlPlaneDbContext, Task> work)
    {
        await using var scope = app.Services.CreateAsyncScope();
        await work(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }
}

public sealed class SqliteAuditUpgrade : AuditUpgradeContract
{
    protected override string Triggers => "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%audit_entry%'";

    protected override Task<IReadOnlyDictionary<string, string?>> ConfigurationAsync() => Task.FromResult<IReadOnlyDictionary<string, string?>>(new Dictionary<string, string?>());

    protected override IEnumerable<string> Attacks(string table) => [$"UPDATE {table} SET body = ''", $"DELETE FROM {table}", $"REPLACE INTO {table} SELECT * FROM {table}", $"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"];
}

public sealed class PostgreSqlAuditUpgrade(SharedPostgres shared) : AuditUpgradeContract
{
    protected override string Triggers => "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relname LIKE 'audit_entry%'";

    protected override async Task<IReadOnlyDictionary<string, string?>> ConfigurationAsync() => new Dictionary<string, string?>
    {
        ["Database:Provider"] = "postgresql", ["Database:ConnectionString"] = shared.Server.ConnectionString(await shared.Server.CreateDatabaseAsync()), ["RabbitMq:Address"] = "amqp://127.0.0.1:1/", ["RabbitMq:User"] = "nobody", ["RabbitMq:Password"] = "nothing",
    };

    protected override IEnumerable<string> Attacks(string table) => [$"UPDATE {table} SET body = ''", $"DELETE FROM {table}", $"TRUNCATE {table}", $"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT (id) DO UPDATE SET body = ''"];
}
