using Google.Protobuf;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using MissionControl.Audit;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Check;
using MissionControl.Audit.Erasure;
using MissionControl.Audit.ClusterLogs;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Receipts;
using MissionControl.Audit.Witnesses;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;
using MissionControl.Trust;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>A log that is written, signed, brought back from an older copy and checked, on every provider.</summary>
public abstract partial class AuditContract<TDatabase>(TDatabase database) : IClassFixture<TDatabase>, IAsyncLifetime
    where TDatabase : TestDatabase
{
    private static readonly Guid Customer = new("018f0000-0000-7000-8000-000000000001");
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
        Assert.Equal(["The value other kept beside entry 7 is not what the entry is committed to.", "The value address kept beside entry 7 is not there, and no entry says that it was erased."], changed.Problems);
        Assert.Equal((1, 1, 2), (changed.Withheld, changed.Tiles, changed.Checkpoints));
    }

    [Fact]
    public async Task Words_of_witnesses_are_kept_while_they_are_worth_something_and_whoever_is_due_is_found()
    {
        var services = await database.EmptyAsync();
        await TestDatabase.WithAsync(services, async db =>
        {
            await db.Dialect.MigrateAsync(db, Token);
            return 0;
        });
        var key = new LogKey(new DataDirectory(data), TimeProvider.System);
        await GrowAsync(services, key, 1, 3);
        var (one, two) = (new Speaker(1), new Speaker(2));
        var log = Log.IdOf(Log.NameOf("customer", Customer));
        await InTransactionAsync(services, async db => await (await new KeepWitness(db).PrepareAsync([one.Changed(2), one.Changed(1) with { State = "suspended" }, two.Changed(1)], Token))(Token));

        // The hello, then more and more checkpoints, each seen by one and the last one by both.
        var seq = 0L;
        await TellAsync(services, key, one.Item(++seq, "held", 0), two.Item(++seq, "held", 0));
        Assert.Equal(2, (await TestDatabase.WithAsync(services, db => Opened(db, () => AskWitnesses.DueAsync(db, DateTimeOffset.UtcNow, [], Token)))).Count);
        Assert.Equal(two.Id, Assert.Single(await TestDatabase.WithAsync(services, db => Opened(db, () => AskWitnesses.DueAsync(db, DateTimeOffset.UtcNow, [one.Id], Token)))).ClusterId);
        for (var size = 4; size < 4 + Cosignature.KeptOfOne + 2; size++)
        {
            await GrowAsync(services, key, size, 1);
            await TellAsync(services, key, one.Item(++seq, "cosigned", size, await NewestAsync(services, log)));
            Assert.Equal(1, await TestDatabase.WithAsync(services, db => db.Set<Cosignature>().CountAsync(Token)));
        }

        // Too late to be worth anything, and before its time.
        var newest = await NewestAsync(services, log);
        await TellAsync(services, key, two.Item(++seq, "cosigned", Checkpoint.Parse(newest.Text).Size, newest), two.Item(++seq, "cosigned", 1_000, newest));
        var (text, policy, head) = await TestDatabase.WithAsync(services, db => Opened(db, async () =>
        {
            var stored = await db.Set<Log>().AsNoTracking().SingleAsync(Token);
            var size = await Witnessed.SizeAsync(db, log, 2, Token);
            return (await Witnessed.OfSizeAsync(db, log, size, Token), await Witnessed.PolicyAsync(db, stored, key.KeysOf(stored.Origin, null), new AuditOptions(), Token), (await AskWitnesses.HeadsAsync(db, [log], Token))[log]);
        }));
        using var read = LogPolicy.Parse(policy);
        Assert.Equal(2, read.Judge(SignedNote.Parse(System.Text.Encoding.UTF8.GetBytes(text!))).Witnesses.Count);
        Assert.Equal(newest.ToString(), head.Note.ToString());
        Assert.Equal(2, (await TestDatabase.WithAsync(services, db => Opened(db, () => AskWitnesses.FreeAsync(db, DateTimeOffset.UnixEpoch, 5, Token)))).Count);

        // Of two replicas that ask the same cluster one does.
        var rows = await TestDatabase.WithAsync(services, db => Opened(db, () => db.Set<WitnessRow>().AsNoTracking().ToListAsync(Token)));
        Assert.All(rows, row => Assert.True(row is { MayBeAsked: true, IsActive: true, AnsweredAt: not null }));
        foreach (var expected in new[] { true, false })
        {
            await InTransactionAsync(services, async db => Assert.All(await db.Dialect.CompareAndSwapAsync(db, WitnessRow.Rows(rows), "version", Token), written => Assert.Equal(expected, written)));
        }
    }

    private static async Task<T> Opened<T>(ControlPlaneDbContext db, Func<Task<T>> read)
    {
        db.Scope.OpenAll("a test looks at all");
        return await read();
    }

    private static Task<SignedNote> NewestAsync(ServiceProvider services, Guid log) => TestDatabase.WithAsync(services, async db => (await AskWitnesses.HeadsAsync(db, [log], Token))[log].Note);

    private static Task InTransactionAsync(ServiceProvider services, Func<ControlPlaneDbContext, Task> write) => TestDatabase.WithAsync(services, async db =>
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await write(db);
        await transaction.CommitAsync(Token);
        return 0;
    });

    // Nothing here is alarming, so nobody is told.
    private static Task TellAsync(ServiceProvider services, LogKey key, params ReceivedItem[] items) => InTransactionAsync(services, async db =>
    {
        var message = new ItemsReceived(Guid.CreateVersion7(), "witness", DateTimeOffset.UtcNow) { Attachment = ItemsReceived.Deflate(new ReceivedItems { Items = { items } }) };
        using var findings = new ClusterLogFindings();
        await (await new RecordAnswers(db, null!, key, new TakeClusterLogs(db, null!, findings, NullLogger<TakeClusterLogs>.Instance), Options.Create(new AuditOptions()), NullLogger<RecordAnswers>.Instance).PrepareAsync([message], Token))(Token);
    });

    /// <summary>A cluster that speaks as its agent would.</summary>
    private sealed class Speaker(byte number)
    {
        private readonly Ed25519Key witness = Ed25519Key.FromSeed([.. Enumerable.Repeat(number, Ed25519Key.KeySize)]);

        public Guid Id { get; } = new($"018f0000-0000-7000-8000-00000000010{number}");

        public ClusterChanged Changed(long version) => new(Id, Customer, "Oslo", "active", false, 1, DateTimeOffset.UnixEpoch, [], DateTimeOffset.UnixEpoch, false, DateTimeOffset.UnixEpoch, version, witness.ToSpki());

        public ReceivedItem Item(long seq, string outcome, long size, SignedNote? over = null)
        {
            var answer = new WitnessAnswer { Log = "customer", Outcome = outcome, Size = size, Cosignature = over is null ? "" : WitnessRules.Cosign(witness.PublicKey.Span, witness.Sign, over.Text, 1_764_000_000).ToString() };
            return new ReceivedItem
            {
                ClusterId = ByteString.CopyFrom(Id.ToByteArray(bigEndian: true)), CustomerId = ByteString.CopyFrom(Customer.ToByteArray(bigEndian: true)), Epoch = 1, Seq = seq, ReceivedAtMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
                Body = new WitnessAnswers { Answers = { answer } }.ToByteString(),
            };
        }
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

        // Whoever takes it away says so behind it: of the person, of the entry, and of nobody else.
        Assert.Equal("The value address kept beside entry 0 is not there, and no entry says that it was erased; of 306 others the same is true.", Assert.Single((await CheckAsync(services, log, known, key)).Problems));
        await GrowAsync(services, key, 313, 1, "person:9", "person:1", ErasePersonal.Person);
        Assert.Contains("beside entry 307 ", Assert.Single((await CheckAsync(services, log, known, key)).Problems), StringComparison.Ordinal);
        await GrowAsync(services, key, 314, 1, "person:9", one.ToString(), ErasePersonal.Entry);
        await GrowAsync(services, key, 315, 1, "person:1");
        Assert.Equal((1, 1), await EraseAsync(services, log, "person:1", null));
        var after = await CheckAsync(services, log, known, key);
        Assert.Contains("beside entry 314 ", Assert.Single(after.Problems), StringComparison.Ordinal);
        Assert.Equal((0, 308), (before, after.Withheld));
    }

    private static Task<(int, int)> EraseAsync(ServiceProvider services, Guid log, string? subject, Guid? entry) => TestDatabase.WithAsync(services, async db =>
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        var (entries, fields) = await ErasePersonal.EraseAsync(db, log, subject, entry, Token);
        await transaction.CommitAsync(Token);
        return (entries, fields.GetValueOrDefault("address"));
    });

    private static Task<GuardFinding> LookAsync(ServiceProvider services, LogKey key, Dictionary<Guid, KnownHead> known) => TestDatabase.WithAsync(services, db => GuardLook.RunAsync(db, key, known, null, Token));

    private static Task<LogFinding> CheckAsync(ServiceProvider services, Guid log, KnownHead? known, LogKey key, Func<CancellationToken, Task>? pause = null) => TestDatabase.WithAsync(services, async db =>
    {
        var stored = (await GuardLook.RunAsync(db, key, new Dictionary<Guid, KnownHead>(), null, Token)).Logs.Single(one => one.Id == log);
        return await CheckLog.RunAsync(db, stored, known, key, pause ?? (static _ => Task.CompletedTask), Token);
    });

    private static Task GrowAsync(ServiceProvider services, LogKey key, int from, int count, string actor = "person:1", string? target = null, string? erased = null) => TestDatabase.WithAsync(services, async db =>
    {
        var customer = Customer;
        using var receipts = new WantedReceipts();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await new Sequencer(db, new LastEpoch(TimeProvider.System), receipts, TimeProvider.System).AppendAsync(
            [.. Enumerable.Range(from, count).Select(i => Told.Of(new AuditEntryRecorded(
                1, Guid.CreateVersion7(), "licensing/test", i, DateTimeOffset.UnixEpoch, "customer", customer, null, erased is null ? "licensing.customer-renamed" : ErasePersonal.Told, "success", new AuditActor("staff", actor, "session"),
                new AuditTarget(erased ?? "customer", target ?? customer.ToString()), [], null, null, null, "none", target is null || erased is not null ? new Dictionary<string, string> { ["address"] = "192.0.2.7" } : new Dictionary<string, string> { ["address"] = "192.0.2.7", ["name"] = "Ada" })))], Token);
        var log = await db.Set<Log>().AsNoTracking().SingleAsync(Token);
        var head = await db.Set<LogHead>().AsNoTracking().SingleAsync(Token);
        var note = key.Sign(new Checkpoint(log.Origin, head.Size, new TreeHash(head.Root))).ToString();
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogCheckpoint.Table, ["log_id", "size", "signed_at", "note"], ["log_id", "size"], [[log.Id, head.Size, 0L, note]]), Token);
        await transaction.CommitAsync(Token);
        return 0;
    });
}
