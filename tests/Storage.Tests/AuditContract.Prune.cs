using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Anchor;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Logs;
using MissionControl.Audit.Prune;
using MissionControl.Audit.Receipts;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <content>A log that is pruned: what may go, what the database lets go, and what holds afterwards.</content>
public abstract partial class AuditContract<TDatabase>
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Entries_go_only_below_a_published_minimum_and_every_proof_of_before_still_holds()
    {
        var services = await database.EmptyAsync();
        await TestDatabase.WithAsync(services, async db =>
        {
            await db.Dialect.MigrateAsync(db, Token);
            return 0;
        });
        var (key, id) = (new LogKey(new DataDirectory(data), TimeProvider.System), Log.IdOf(Log.NameOf("customer", Customer)));
        await InTransactionAsync(services, db => db.Dialect.UpsertAsync(db, new BulkRows("audit_progress", ["name", "place", "id", "done"], ["name"], [[FillIndex.Name, 0L, Guid.Empty, true], [ImportEntries.Name, 0L, Guid.Empty, true]]), null, Token));
        var told = Enumerable.Range(1, 700).Select(i => Event(i, "customer", "licensing.customer-renamed")).ToList();
        foreach (var part in told.Chunk(150))
        {
            await AppendAsync(services, key, Begin, part);
        }

        // What others say to be pruned counts for nothing, whatever it says.
        await AppendAsync(services, key, Begin.AddDays(20), [.. Enumerable.Range(701, 48).Select(i => Event(i, "customer", "licensing.customer-renamed")), Pruned(749, 512), Pruned(750, "512")]);
        await ReadNumbersAsync(services, 750);

        // Nobody said for how long entries are kept; then it is said, and some are not old enough, and others are held.
        Assert.Contains("No term is published", (await Assert.ThrowsAsync<InvalidOperationException>(() => PruneAsync(services, Begin.AddDays(100)))).Message, StringComparison.Ordinal);
        await SetAsync(Begin, 30);
        await SetAsync(Begin, 1);
        await SetAsync(Begin, 60, "licensing/test");
        Assert.Contains("nothing of it is old enough", (await PruneAsync(services, Begin.AddDays(29))).Said, StringComparison.Ordinal);
        Assert.Contains("entries 0 to 511 would be pruned", (await PruneAsync(services, Begin.AddDays(45), isDry: true)).Said, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => PruneAsync(services, Begin.AddDays(45), before: Begin.AddDays(16)));
        await Assert.ThrowsAsync<ArgumentException>(() => PruneAsync(services, Begin.AddDays(45), log: Log.IdOf("fleet")));
        await AppendAsync(services, key, Begin, [Event(0, "operator", "licensing.customer-held")]);
        Assert.Contains("legal hold", (await PruneAsync(services, Begin.AddDays(45))).Said, StringComparison.Ordinal);
        await AppendAsync(services, key, Begin, [Event(0, "operator", "licensing.customer-released") with { OccurredAt = Begin.AddDays(1) }]);

        // The database lets nothing go that is not published, and publishes nothing that no signed entry says.
        var hashes = await TestDatabase.WithAsync(services, db => db.Set<LogLeaf>().Where(row => row.LogId == id).OrderBy(row => row.Position).Select(row => row.Hash).ToListAsync(Token));
        await RefusedAsync(services, db => db.Set<LogLeaf>().Where(row => row.LogId == id && row.Position == 0).ExecuteDeleteAsync(Token));
        await RefusedAsync(services, db => PublishAsync(db, id, 256, 749));

        // It is said once, and waits until that is signed.
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var (said, refused) = await PruneAsync(services, Begin.AddDays(45));
            Assert.True(refused);
            Assert.Contains("not signed yet", said, StringComparison.Ordinal);
        }

        await RefusedAsync(services, db => PublishAsync(db, id, 512, 750));
        Assert.Equal(751, await TestDatabase.WithAsync(services, db => db.Set<LogLeaf>().CountAsync(row => row.LogId == id, Token)));
        await AppendAsync(services, key, Begin.AddDays(45), [Event(751, "customer", "licensing.customer-renamed")]);
        await ReadNumbersAsync(services, 751);

        // Ended between publishing and deleting: only what is below may go, and the minimum stays as it is.
        await RefusedAsync(services, db => PublishAsync(db, id, 256, 750));
        await InTransactionAsync(services, db => PublishAsync(db, id, 512, 750));
        await RefusedAsync(services, db => db.Set<LogLeaf>().Where(row => row.LogId == id && row.Position >= 511 && row.Position <= 512).ExecuteDeleteAsync(Token));
        await RefusedAsync(services, db => db.Set<LogLeaf>().Where(row => row.LogId == id && row.Position == 5).ExecuteUpdateAsync(set => set.SetProperty(row => row.EventHash, new byte[32]), Token));
        await RefusedAsync(services, db => PublishAsync(db, id, 256, 750));
        await RefusedAsync(services, db => db.Set<LogMinimum>().ExecuteUpdateAsync(set => set.SetProperty(row => row.Position, 1L), Token));
        await RefusedAsync(services, db => db.Set<LogMinimum>().ExecuteDeleteAsync(Token));
        await RefusedAsync(services, db => db.Set<LogTile>().ExecuteDeleteAsync(Token));
        if (await TestDatabase.WithAsync(services, db => Task.FromResult(db.Dialect.Name)) == "sqlite")
        {
            await RefusedAsync(services, db => db.Database.ExecuteSqlRawAsync("INSERT OR REPLACE INTO audit_log_leaf SELECT * FROM audit_log_leaf WHERE position = 5", Token));
            await RefusedAsync(services, db => db.Database.ExecuteSqlRawAsync("INSERT OR REPLACE INTO audit_log_minimum SELECT * FROM audit_log_minimum", Token));
        }

        Assert.Empty(await TestDatabase.WithAsync(services, db => AppendOnly.FaultsAsync(db, "audit", Token)));
        Assert.Contains("Entries 0 to 511, which the log says to be pruned, are still there", (await PruneAsync(services, Begin.AddDays(45), isDry: true)).Said, StringComparison.Ordinal);

        // A minimum is no reason: what is not old enough by the term as it is now stays.
        await SetAsync(Begin.AddDays(45), 60);
        var (stays, isLeft) = await PruneAsync(services, Begin.AddDays(45));
        Assert.True(isLeft);
        Assert.Contains("entries 0 to 511, which it says to be pruned, are not all gone, and the rest of them stays: nothing of it is old enough", stays, StringComparison.Ordinal);
        await SetAsync(Begin.AddDays(45), 30);
        var (done, isRefused) = await PruneAsync(services, Begin.AddDays(45));
        Assert.Contains("It begins at entry 512.", done, StringComparison.Ordinal);
        Assert.False(isRefused);
        await LeftAsync(services, key, id, 512, 752);

        // What is told again is not appended again; another event under the id of one that is gone is told as ever.
        await AppendAsync(services, key, Begin.AddDays(46), [told[7], told[699]]);
        await LeftAsync(services, key, id, 512, 752);
        await AppendAsync(services, key, Begin.AddDays(46), [told[7] with { Reason = "another" }]);
        await LeftAsync(services, key, id, 512, 753);

        // Every tree of before, and what leads from it to every later one; of what is kept every entry in each.
        hashes.AddRange(await TestDatabase.WithAsync(services, db => db.Set<LogLeaf>().Where(row => row.LogId == id && row.Position >= hashes.Count).OrderBy(row => row.Position).Select(row => row.Hash).ToListAsync(Token)));
        var random = new Random(512);
        foreach (var _ in Enumerable.Range(0, 40))
        {
            var larger = random.Next(513, 754);
            var (smaller, index) = (random.Next(1, larger + 1), random.Next(512, larger));
            var proofs = await TestDatabase.WithAsync(services, db => TileReader.ResolveAsync(db, id, [ProofPlan.Consistency(smaller, larger), ProofPlan.Inclusion(index, larger), ProofPlan.Root(smaller)], Token));
            Assert.True(MerkleProof.VerifyConsistency(smaller, RootOf(hashes, smaller), larger, RootOf(hashes, larger), proofs[0]), $"{smaller} to {larger}");
            Assert.True(MerkleProof.VerifyInclusion(new TreeHash(hashes[index]), index, larger, proofs[1], RootOf(hashes, larger)), $"{index} in {larger}");
            Assert.Equal(RootOf(hashes, smaller), proofs[2][0]);
        }

        // Once more, later: what said the first is gone then, too. What is damaged stays.
        await AppendAsync(services, key, Begin.AddDays(46), [.. Enumerable.Range(752, 600).Select(i => Event(i, "customer", "licensing.customer-renamed"))]);
        Assert.Contains("not all looked at yet", (await PruneAsync(services, Begin.AddDays(100))).Said, StringComparison.Ordinal);
        await ReadNumbersAsync(services, 1353);
        Assert.Contains("not signed yet", (await PruneAsync(services, Begin.AddDays(100))).Said, StringComparison.Ordinal);
        await AppendAsync(services, key, Begin.AddDays(100), [Event(1352, "customer", "licensing.customer-renamed")]);
        await ReadNumbersAsync(services, 1355);

        // Under a check that goes on.
        var (rest, isPruned) = ("", false);
        var beside = await CheckAsync(services, id, null, key, async _ => rest = isPruned ? rest : (isPruned = true, (await PruneAsync(services, Begin.AddDays(100))).Said).Said);
        Assert.Contains("pruned entries 512 to 1279; entry 1353 says so.", rest, StringComparison.Ordinal);
        Assert.Empty(beside.Problems);
        await LeftAsync(services, key, id, 1280, 1355);
        if (await TestDatabase.WithAsync(services, db => Task.FromResult(db.Dialect.Name)) == "sqlite")
        {
            // Whoever takes the refusal away marks it as pruned.
            await InTransactionAsync(services, db => db.Database.ExecuteSqlRawAsync("DROP TRIGGER audit_log_minimum_no_insert", Token));
            await InTransactionAsync(services, db => PublishAsync(db, id, 1536, 1354));
            Assert.Contains("The log is marked as pruned up to entry 1536, and no signed entry of it says so.", (await CheckAsync(services, id, null, key)).Problems);
        }

        Task SetAsync(DateTimeOffset at, int days, string producer = "audit") => AppendAsync(services, key, at, [Event(0, "fleet", RetentionPolicy.Told) with { Producer = producer, Changes = [Change.Replace("/days", null, days)] }]);
        AuditEntryRecorded Pruned(int number, object minimum) => Event(number, "customer", PruneLogs.Told) with { Changes = [Change.Add("/minimum", minimum), Change.Add("/days", 30)] };
    }

    private static TreeHash RootOf(List<byte[]> hashes, int size)
    {
        var range = new CompactRange();
        hashes.GetRange(0, size).ForEach(hash => range.Append(new TreeHash(hash)));
        return range.Root;
    }

    private static AuditEntryRecorded Event(int number, string log, string type) => new(
        1, Guid.CreateVersion7(), "licensing/test", number, Begin, log, log == "fleet" ? null : Customer, null, type, "success", new AuditActor("staff", "person:1", "session"), new AuditTarget("customer", Customer.ToString()),
        [], null, null, null, "none", log == "customer" ? new Dictionary<string, string> { ["address"] = "192.0.2.7" } : new Dictionary<string, string>());

    private static Task<(string Said, bool Refused)> PruneAsync(ServiceProvider services, DateTimeOffset now, bool isDry = false, DateTimeOffset? before = null, Guid? log = null) => TestDatabase.WithAsync(services, async db =>
    {
        using var receipts = new WantedReceipts();
        var time = new Fixed(now);
        return await new PruneLogs(db, new Sequencer(db, new LastEpoch(time), receipts, time), time).RunAsync(log ?? Log.IdOf(Log.NameOf("customer", Customer)), before, isDry, TimeSpan.Zero, Token);
    });

    private static Task<int> PublishAsync(ControlPlaneDbContext db, Guid log, long minimum, long position) => PublishAsync(db, log, minimum, position, db.Set<LogLeaf>().Where(row => row.LogId == log && row.Position == position).Select(row => row.EventId).Single());

    private static Task<int> PublishAsync(ControlPlaneDbContext db, Guid log, long minimum, long position, Guid eventId) =>
        db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogMinimum.Table, ["log_id", "minimum", "position", "event_id", "published_at"], ["log_id", "minimum"], [[log, minimum, position, eventId, 0L]]), Token);

    private static Task RefusedAsync(ServiceProvider services, Func<ControlPlaneDbContext, Task> attack) => Assert.ThrowsAnyAsync<DbException>(() => InTransactionAsync(services, attack));

    private static Task ReadNumbersAsync(ServiceProvider services, long size) => InTransactionAsync(services, async db =>
    {
        await db.Dialect.UpsertAsync(db, new BulkRows("audit_numbers_read", ["log_id", "position"], ["log_id"], [[Log.IdOf(Log.NameOf("customer", Customer)), size]]), null, Token);
        await db.Dialect.UpsertAsync(db, new BulkRows("audit_producer", ["name", "reached", "known", "untold_since", "holes"], ["name"], [["licensing/test", size, null, null, "[]"]]), null, Token);
    });

    // As the log is to be: what is below is gone with all that belongs to it, and everything that is left is sound.
    private static async Task LeftAsync(ServiceProvider services, LogKey key, Guid id, long minimum, long size)
    {
        var (first, count, pruned, index, personal) = await TestDatabase.WithAsync(services, async db => (
            await db.Set<LogLeaf>().Where(row => row.LogId == id).MinAsync(row => row.Position, Token), await db.Set<LogLeaf>().CountAsync(row => row.LogId == id, Token), await db.Set<PrunedEvent>().CountAsync(row => row.LogId == id, Token),
            await db.Set<IndexedEntry>().Where(row => row.LogId == id).MinAsync(row => row.Position, Token), await db.Set<PersonalValue>().Where(row => row.LogId == id).MinAsync(row => row.Position, Token)));
        Assert.Equal((minimum, size - minimum, minimum, minimum, minimum), (first, count, pruned, index, personal));
        var finding = await CheckAsync(services, id, null, key);
        Assert.Empty(finding.Problems);
        Assert.Equal((size, size / 256), (finding.Size, finding.Tiles));
        Assert.True(finding.Checkpoints >= 5);
    }

    private static Task AppendAsync(ServiceProvider services, LogKey key, DateTimeOffset now, IReadOnlyList<AuditEntryRecorded> events) => InTransactionAsync(services, async db =>
    {
        using var receipts = new WantedReceipts();
        var time = new Fixed(now);
        await new Sequencer(db, new LastEpoch(time), receipts, time).AppendAsync([.. events.Select(one => Told.Of(one) with { IsNumbered = one.ProducerSeq > 0 })], Token);
        var id = Log.IdOf(Log.NameOf(events[0].Log, events[0].CustomerId));
        var log = await db.Set<Log>().AsNoTracking().SingleAsync(row => row.Id == id, Token);
        var head = await db.Set<LogHead>().AsNoTracking().SingleAsync(row => row.LogId == id, Token);
        await db.Dialect.InsertIfAbsentAsync(db, new BulkRows(LogCheckpoint.Table, ["log_id", "size", "signed_at", "note"], ["log_id", "size"], [[id, head.Size, 0L, key.Sign(new Checkpoint(log.Origin, head.Size, new TreeHash(head.Root))).ToString()]]), Token);
    });

    private sealed class Fixed(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
