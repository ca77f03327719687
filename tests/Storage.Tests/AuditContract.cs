using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Check;
using MissionControl.Audit.Erasure;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>A log that is written, signed, brought back from an older copy and checked, on every provider.</summary>
public abstract class AuditContract<TDatabase>(TDatabase database) : IClassFixture<TDatabase>, IAsyncLifetime
    where TDatabase : TestDatabase
{
    private readonly string data = Directory.CreateTempSubdirectory("mc-audit-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(database.Unavailable is not null, database.Unavailable ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(data, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_older_copy_of_the_database_is_told_by_what_is_known_outside_of_it()
    {
        var services = await database.EmptyAsync();
        await TestDatabase.WithAsync(services, async db =>
        {
            await db.Dialect.MigrateAsync(db, Token);
            return 0;
        });
        var key = new LogKey(new DataDirectory(data), TimeProvider.System);
        await GrowAsync(services, key, 1, 300);
        var older = await database.CopyAsync(services);
        Assert.SkipWhen(older is null, "There is no cheap copy of a database here.");
        await GrowAsync(services, key, 301, 20);

        var now = await LookAsync(services, key, []);
        var (log, known) = Assert.Single(now.Newer);
        Assert.Equal(320, known.Size);
        Assert.Empty(now.Problems);
        var seen = await LookAsync(services, key, new() { [log] = known });
        Assert.Empty(seen.Problems.Values.Concat(seen.Newer.Select(one => one.ToString())));

        // Older; older, and gone on another way to the same size and beyond; one that never knew the log.
        Assert.Contains("the database has 300", (await LookAsync(older!, key, new() { [log] = known })).Problems[log], StringComparison.Ordinal);
        await GrowAsync(older!, key, 301, 20);
        Assert.Contains("another signed root", (await LookAsync(older!, key, new() { [log] = known })).Problems[log], StringComparison.Ordinal);
        await GrowAsync(older!, key, 321, 5);
        Assert.Contains("its first 320 entries are others", (await LookAsync(older!, key, new() { [log] = known })).Problems[log], StringComparison.Ordinal);
        Assert.Contains("does not know it", (await LookAsync(services, key, new() { [log] = known, [Guid.CreateVersion7()] = known })).Problems.Values.Single(), StringComparison.Ordinal);

        // Each of the two is sound by itself; of the second the check says what it is not.
        Assert.Empty((await CheckAsync(services, log, known, key)).Problems);
        Assert.Empty((await CheckAsync(older!, log, null, key)).Problems);
        Assert.Contains("The first 320 entries have another root than is remembered", Assert.Single((await CheckAsync(older!, log, known, key)).Problems), StringComparison.Ordinal);
        await TestDatabase.WithAsync(services, async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            Assert.Equal(1, await db.Set<PersonalValue>().Where(row => row.Position == 7).ExecuteUpdateAsync(set => set.SetProperty(row => row.Field, "other"), Token));
            await transaction.CommitAsync(Token);
            return 0;
        });
        var changed = await CheckAsync(services, log, known, key);
        Assert.Contains("other kept beside entry 7", Assert.Single(changed.Problems), StringComparison.Ordinal);
        Assert.Equal((1, 1, 2), (changed.Withheld, changed.Tiles, changed.Checkpoints));
    }

    [Fact]
    public async Task What_is_kept_of_a_person_is_erased_by_a_statement_and_nothing_of_anybody_else()
    {
        var services = await database.EmptyAsync();
        await TestDatabase.WithAsync(services, async db =>
        {
            await db.Dialect.MigrateAsync(db, Token);
            return 0;
        });
        var key = new LogKey(new DataDirectory(data), TimeProvider.System);
        await GrowAsync(services, key, 1, 300);
        await GrowAsync(services, key, 301, 5, "person:2", "person:1");
        await GrowAsync(services, key, 306, 7, "person:2", "person:3");
        var (log, known) = Assert.Single((await LookAsync(services, key, [])).Newer);
        var before = (await CheckAsync(services, log, known, key)).Withheld;

        // What it did, and what was done to it but for the address of who did; of one entry that alone; of another log nothing.
        Assert.Equal((0, 0), await EraseAsync(services, Guid.CreateVersion7(), "person:1", null));
        Assert.Equal((305, 300), await EraseAsync(services, log, "person:1", null));
        Assert.Equal((0, 0), await EraseAsync(services, log, "person:1", null));
        var one = await TestDatabase.WithAsync(services, db => db.Set<LogLeaf>().Where(row => row.LogId == log && row.Position == 307).Select(row => row.EventId).SingleAsync(Token));
        Assert.Equal((1, 1), await EraseAsync(services, log, null, one));

        var after = await CheckAsync(services, log, known, key);
        Assert.Empty(after.Problems);
        Assert.Equal((0, 307), (before, after.Withheld));
    }

    private static Task<(int, int)> EraseAsync(ServiceProvider services, Guid log, string? subject, Guid? entry) => TestDatabase.WithAsync(services, async db =>
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        var (entries, fields) = await ErasePersonal.EraseAsync(db, log, subject, entry, Token);
        await transaction.CommitAsync(Token);
        return (entries, fields.GetValueOrDefault("address"));
    });

    private static Task<GuardFinding> LookAsync(ServiceProvider services, LogKey key, Dictionary<Guid, KnownHead> known) => TestDatabase.WithAsync(services, db => GuardLook.RunAsync(db, key, known, null, Token));

    private static Task<LogFinding> CheckAsync(ServiceProvider services, Guid log, KnownHead? known, LogKey key) => TestDatabase.WithAsync(services, async db =>
    {
        var stored = (await GuardLook.RunAsync(db, key, new Dictionary<Guid, KnownHead>(), null, Token)).Logs.Single(one => one.Id == log);
        return await CheckLog.RunAsync(db, stored, known, key, static _ => Task.CompletedTask, Token);
    });

    private static Task GrowAsync(ServiceProvider services, LogKey key, int from, int count, string actor = "person:1", string? target = null) => TestDatabase.WithAsync(services, async db =>
    {
        var customer = new Guid("018f0000-0000-7000-8000-000000000001");
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await new Sequencer(db, new LastEpoch(TimeProvider.System), TimeProvider.System).AppendAsync(
            [.. Enumerable.Range(from, count).Select(i => Told.Of(new AuditEntryRecorded(
                1, Guid.CreateVersion7(), "licensing/test", i, DateTimeOffset.UnixEpoch, "customer", customer, null, "licensing.customer-renamed", "success", new AuditActor("staff", actor, "session"),
                new AuditTarget("customer", target ?? customer.ToString()), [], null, null, null, "none", target is null ? new Dictionary<string, string> { ["address"] = "192.0.2.7" } : new Dictionary<string, string> { ["address"] = "192.0.2.7", ["name"] = "Ada" })))], Token);
        var log = await db.Set<Log>().AsNoTracking().SingleAsync(Token);
        var head = await db.Set<LogHead>().AsNoTracking().SingleAsync(Token);
        var note = key.Sign(new Checkpoint(log.Origin, head.Size, new TreeHash(head.Root))).ToString();
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogCheckpoint.Table, ["log_id", "size", "signed_at", "note"], ["log_id", "size"], [[log.Id, head.Size, 0L, note]]), Token);
        await transaction.CommitAsync(Token);
        return 0;
    });
}
