using System.Text;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>What every provider promises, each in the same words: the product is written against these and no engine's habits.</summary>
public abstract class StorageContract<TDatabase>(TDatabase database) : IClassFixture<TDatabase>, IAsyncLifetime
    where TDatabase : TestDatabase
{
    // Every test has rows of its own, so that they can share one database.
    private readonly string kind = Guid.CreateVersion7().ToString("N");

    protected TDatabase Database => database;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(database.Unavailable is not null, database.Unavailable ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Every_kind_of_value_comes_back_as_it_was()
    {
        var (full, empty) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var note = "Ünïcödé – 漢字 🚀 'quote\" \\back\u0001\t\r\n $p0 @p0";
        var document = string.Concat(Enumerable.Repeat("{\"ключ\":\"значение\"}\n", 5_000));
        var body = Enumerable.Range(0, 70_000).Select(i => (byte)i).ToArray();
        var at = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123);
        await database.WriteAsync(db => db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with
        {
            Rows =
            [
                [kind, full, long.MaxValue, int.MinValue, 0.1, true, note, document, body, at.ToUnixTimeMilliseconds(), full],
                [kind, empty, long.MinValue, int.MaxValue, double.MaxValue, false, null, null, null, null, null],
            ],
        }, Token));

        var rows = (await RowsAsync()).ToDictionary(row => row.Id);
        Assert.Equivalent(new Probe { Kind = kind, Id = full, Version = long.MaxValue, Number = int.MinValue, Share = 0.1, Flag = true, Note = note, Document = document, Body = body, At = at, Other = full }, rows[full], strict: true);
        Assert.Equivalent(new Probe { Kind = kind, Id = empty, Version = long.MinValue, Number = int.MaxValue, Share = double.MaxValue }, rows[empty], strict: true);

        var read = await database.WriteAsync(db => db.Dialect.ReadByKeyAsync(db, "probe_row", ["kind", "id"], [[kind, full], [kind, empty]], ["version", "number", "note", "document", "body", "at"], Token));
        Assert.Equal([long.MaxValue, (long)int.MinValue, note, document, body, at.ToUnixTimeMilliseconds()], read[0]!);
        Assert.Equal([long.MinValue, (long)int.MaxValue, null, null, null, null], read[1]!);
    }

    [Fact]
    public async Task A_search_minds_neither_case_nor_wildcards()
    {
        string[] notes = ["ACME Nord", "100 % Ökostrom"];
        await InsertAsync([.. notes.Select(note => Row(Guid.CreateVersion7(), 1, note))]);
        foreach (var (part, found) in new[] { ("acme", 0), ("AcMe", 0), ("me n", 0), ("%", 1), ("Öko", 1), ("_", -1) })
        {
            var rows = await database.WithAsync(db => db.Set<Probe>().AsNoTracking().Where(row => row.Kind == kind).Holding(row => row.Note!, part).Select(row => row.Note!).ToListAsync(Token));
            Assert.Equal(found < 0 ? [] : [notes[found]], rows);
        }
    }

    [Fact]
    public async Task Empty_texts_and_arrays_are_not_null()
    {
        var id = Guid.CreateVersion7();
        await database.WriteAsync(db => db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with { Rows = [[kind, id, 1L, 1, 0.0, false, "", "", Array.Empty<byte>(), null, null]] }, Token));

        var row = Assert.Single(await RowsAsync());
        Assert.Equal("", row.Note);
        Assert.Equal("", row.Document);
        Assert.Empty(row.Body!);
    }

    [Fact]
    public async Task Insert_if_absent_leaves_alone_what_is_there_and_counts_what_is_new()
    {
        var (old, fresh) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        Assert.Equal(1, await InsertAsync(Row(old, 1, "first")));
        Assert.Equal(1, await InsertAsync(Row(old, 9, "second"), Row(fresh, 1)));
        Assert.Equal(0, await InsertAsync(Row(old, 9), Row(fresh, 9)));

        var rows = (await RowsAsync()).ToDictionary(row => row.Id);
        Assert.Equal((1, "first"), (rows[old].Version, rows[old].Note));
        Assert.Equal(1, rows[fresh].Version);
    }

    [Fact]
    public async Task Insert_if_absent_takes_the_first_of_two_rows_with_one_key()
    {
        var id = Guid.CreateVersion7();

        Assert.Equal(1, await InsertAsync(Row(id, 1, "first"), Row(id, 2, "second")));

        Assert.Equal("first", Assert.Single(await RowsAsync()).Note);
    }

    [Fact]
    public async Task Upsert_overwrites_every_column_but_the_key()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync([kind, id, 5L, 5, 0.5, true, "note", "document", new byte[] { 5 }, 5L, id]);

        Assert.Equal(1, await UpsertAsync(null, [kind, id, 4L, 4, 0.25, false, null, null, null, null, null]));

        Assert.Equivalent(new Probe { Kind = kind, Id = id, Version = 4, Number = 4, Share = 0.25 }, Assert.Single(await RowsAsync()), strict: true);
    }

    [Fact]
    public async Task Upsert_only_if_newer_keeps_what_is_as_new_or_newer()
    {
        var (older, same, newer, absent) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await InsertAsync(Row(older, 1, "stored"), Row(same, 5, "stored"), Row(newer, 9, "stored"));

        Assert.Equal(2, await UpsertAsync("version", Row(older, 5, "new"), Row(same, 5, "new"), Row(newer, 5, "new"), Row(absent, 5, "new")));

        var notes = (await RowsAsync()).ToDictionary(row => row.Id, row => row.Note);
        Assert.Equal(("new", "stored", "stored", "new"), (notes[older], notes[same], notes[newer], notes[absent]));
    }

    [Fact]
    public async Task Compare_and_swap_writes_a_row_only_on_the_version_before_it()
    {
        var (next, same, gap, absent) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await InsertAsync(Row(next, 4, "stored"), Row(same, 5, "stored"), Row(gap, 3, "stored"));

        var written = await SwapAsync(Row(absent, 5, "new"), Row(same, 5, "new"), Row(next, 5, "new"), Row(gap, 5, "new"));

        Assert.Equal([true, false, true, false], written);

        var notes = (await RowsAsync()).ToDictionary(row => row.Id, row => row.Note);
        Assert.Equal(("new", "stored", "stored", "new"), (notes[next], notes[same], notes[gap], notes[absent]));
    }

    [Fact]
    public async Task Of_two_that_swap_at_once_one_wins_each_row_and_both_are_told()
    {
        var ids = Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7()).ToArray();
        for (var version = 1L; version <= 30; version++)
        {
            var rows = ids.Select(id => Row(id, version)).ToArray();
            var results = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => SwapAsync(rows))));

            Assert.All(Enumerable.Range(0, ids.Length), i => Assert.True(results[0][i] ^ results[1][i]));
        }

        Assert.All(await RowsAsync(), row => Assert.Equal(30, row.Version));
    }

    [Fact]
    public async Task Of_two_that_insert_at_once_each_row_counts_for_one()
    {
        for (var round = 0; round < 20; round++)
        {
            var rows = Enumerable.Range(0, 50).Select(_ => Row(Guid.CreateVersion7(), 1)).ToArray();
            var counts = await Task.WhenAll(Task.Run(() => InsertAsync(rows)), Task.Run(() => InsertAsync([.. rows.Reverse()])));

            Assert.Equal(50, counts.Sum());
        }
    }

    [Fact]
    public async Task Two_that_write_the_same_rows_in_opposite_order_do_not_dead_lock()
    {
        var ids = Enumerable.Range(0, 300).Select(_ => Guid.CreateVersion7()).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 2).Select(writer => Task.Run(async () =>
        {
            for (var round = 1; round <= 20; round++)
            {
                var version = round;
                var rows = ids.Select(id => Row(id, version)).ToArray();
                await UpsertAsync(null, writer == 0 ? rows : [.. rows.Reverse()]);
                await UpsertAsync("version", writer == 0 ? rows : [.. rows.Reverse()]);
                await SwapAsync(writer == 0 ? rows : [.. rows.Reverse()]);
            }
        })));

        Assert.Equal(300, (await RowsAsync()).Count);
    }

    [Fact]
    public async Task Ten_thousand_rows_go_in_one_call()
    {
        var ids = Enumerable.Range(0, 10_000).Select(_ => Guid.CreateVersion7()).ToArray();
        Assert.Equal(10_000, await InsertAsync([.. ids.Select(id => Row(id, 1))]));
        Assert.Equal(0, await InsertAsync([.. ids.Select(id => Row(id, 1))]));
        Assert.Equal(10_000, await UpsertAsync("version", [.. ids.Select(id => Row(id, 2))]));
        Assert.All(await SwapAsync([.. ids.Select(id => Row(id, 3))]), Assert.True);

        var read = await database.WriteAsync(db => db.Dialect.ReadByKeyAsync(db, "probe_row", ["kind", "id"], [.. ids.Select(id => new object?[] { kind, id })], ["version"], Token));

        Assert.Equal(10_000, read.Count);
        Assert.All(read, row => Assert.Equal(3L, row![0]));
    }

    [Fact]
    public async Task Keys_are_told_apart_as_their_bytes_are()
    {
        var id = Guid.CreateVersion7();
        string[] keys = ["key", "Key", "KEY", "kéy", "ke\u0301y", "k", "ſey", "straße", "strasse", "ｋey", "カ", "か", ""];

        Assert.Equal(keys.Length, await InsertAsync([.. keys.Select((key, i) => Row(id, i, kind: kind + key))]));

        var read = await database.WriteAsync(db => db.Dialect.ReadByKeyAsync(db, "probe_row", ["kind", "id"], [.. keys.Select(key => new object?[] { kind + key, id })], ["version"], Token));
        Assert.Equal(Enumerable.Range(0, keys.Length).Select(i => (object?)(long)i), read.Select(row => row![0]));
        Assert.Equal(1, await database.WithAsync(db => db.Set<Probe>().CountAsync(row => row.Kind == kind + "Key", Token)));
    }

    [Fact]
    public async Task Texts_and_ids_sort_alike_on_every_engine()
    {
        string[] names = ["a", "B", "Z", "_", "é", "z", "Ä", "1", "ß"];
        var first = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_000);
        var ids = Enumerable.Range(0, 9).Select(i => Guid.CreateVersion7(first.AddHours(i))).ToArray();
        await InsertAsync([.. names.Select((name, i) => Row(ids[i], i, name)).Reverse()]);

        var byName = await database.WithAsync(db => db.Set<Probe>().Where(row => row.Kind == kind).OrderBy(row => row.Note).Select(row => row.Note).ToListAsync(Token));
        var byId = await database.WithAsync(db => db.Set<Probe>().Where(row => row.Kind == kind).OrderBy(row => row.Id).Select(row => row.Id).ToListAsync(Token));
        var later = await database.WithAsync(db => db.Set<Probe>().Where(row => row.Kind == kind && row.Id > ids[4]).CountAsync(Token));
        var afterZ = await database.WithAsync(db => db.Set<Probe>().Where(row => row.Kind == kind && string.Compare(row.Note, "Z") > 0).CountAsync(Token));

        Assert.Equal(names.Order(StringComparer.Ordinal), byName);
        Assert.Equal(ids, byId);
        Assert.Equal(4, later);
        Assert.Equal(names.Count(name => string.CompareOrdinal(name, "Z") > 0), afterZ);
    }

    [Fact]
    public async Task Read_by_key_answers_in_the_order_asked_with_null_for_what_is_absent()
    {
        var (one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await InsertAsync(Row(one, 1, "one"), Row(two, 2, "two"));

        var read = await database.WriteAsync(db => db.Dialect.ReadByKeyAsync(db, "probe_row", ["id", "kind"], [[two, kind], [Guid.CreateVersion7(), kind], [one, kind], [two, kind], [one, "other"]], ["note", "version"], Token));

        Assert.Equal([["two", 2L], null, ["one", 1L], ["two", 2L], null], read);
    }

    [Fact]
    public async Task Read_by_key_sees_what_its_transaction_wrote()
    {
        var id = Guid.CreateVersion7();
        var read = await database.WriteAsync(async db =>
        {
            await db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with { Rows = [Row(id, 7)] }, Token);
            return await db.Dialect.ReadByKeyAsync(db, "probe_row", ["kind", "id"], [[kind, id]], ["version"], Token);
        });

        Assert.Equal([7L], Assert.Single(read)!);
    }

    [Fact]
    public async Task Who_locks_a_row_second_reads_what_the_first_wrote()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Row(id, 0));

        // Sixteen that read, add one and write back at once: without turns some would overwrite each other.
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => database.WriteAsync(async db =>
        {
            await db.Dialect.LockRowsAsync(db, "probe_row", ["kind", "id"], [[kind, id], [kind, Guid.CreateVersion7()]], Token);
            var read = await db.Dialect.ReadByKeyAsync(db, "probe_row", ["kind", "id"], [[kind, id]], ["version"], Token);
            return await db.Dialect.UpsertAsync(db, ProbeModule.Rows with { Rows = [Row(id, (long)read[0]![0]! + 1)] }, null, Token);
        })));

        Assert.Equal(16, Assert.Single(await RowsAsync()).Version);
    }

    [Fact]
    public async Task No_rows_are_no_work()
    {
        Assert.Equal(0, await InsertAsync());
        Assert.Equal(0, await UpsertAsync("version"));
        Assert.Empty(await SwapAsync());
        Assert.Empty(await database.WriteAsync(db => db.Dialect.ReadByKeyAsync(db, "probe_row", ["kind", "id"], [], ["version"], Token)));
    }

    [Fact]
    public async Task Bulk_work_without_a_transaction_is_refused()
    {
        var rows = ProbeModule.Rows with { Rows = [Row(Guid.CreateVersion7(), 1)] };

        await Assert.ThrowsAsync<InvalidOperationException>(() => database.WithAsync(db => db.Dialect.InsertIfAbsentAsync(db, rows, Token)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.WithAsync(db => db.Dialect.UpsertAsync(db, rows, null, Token)));
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.WithAsync(db => db.Dialect.CompareAndSwapAsync(db, rows, "version", Token)));
        Assert.Empty(await RowsAsync());
    }

    [Fact]
    public async Task Rows_are_read_by_key_without_a_transaction_too()
    {
        var id = Guid.CreateVersion7();
        await database.WriteAsync(db => db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with { Rows = [Row(id, 7)] }, Token));

        var found = await database.WithAsync(db => db.Dialect.ReadByKeyAsync(db, "probe_row", ["kind", "id"], [[kind, Guid.CreateVersion7()], [kind, id]], ["version"], Token));

        Assert.Null(found[0]);
        Assert.Equal([7L], found[1]);
    }

    [Fact]
    public async Task What_is_not_committed_is_not_there()
    {
        await database.WithAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            return await db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with { Rows = [Row(Guid.CreateVersion7(), 1)] }, Token);
        });

        Assert.Empty(await RowsAsync());
    }

    [Fact]
    public async Task Of_two_people_who_change_a_row_the_second_is_told()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Row(id, 1));

        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => database.WithAsync(async slow =>
        {
            var seen = await slow.Set<Probe>().SingleAsync(row => row.Kind == kind, Token);
            await database.WithAsync(async quick =>
            {
                var row = await quick.Set<Probe>().SingleAsync(row => row.Kind == kind, Token);
                row.Note = "quick";
                row.Version++;
                return await quick.SaveChangesAsync(Token);
            });
            seen.Note = "slow";
            seen.Version++;
            return await slow.SaveChangesAsync(Token);
        }));

        Assert.Equal("quick", Assert.Single(await RowsAsync()).Note);
    }

    [Fact]
    public async Task A_key_that_is_taken_is_an_update_exception()
    {
        var id = Guid.CreateVersion7();
        await InsertAsync(Row(id, 1));

        await Assert.ThrowsAsync<DbUpdateException>(() => database.WithAsync(db =>
        {
            db.Add(new Probe { Kind = kind, Id = id });
            return db.SaveChangesAsync(Token);
        }));
    }

    [Fact]
    public async Task The_outbox_hands_out_what_is_due_oldest_first_up_to_the_limit()
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_000);
        var messages = Enumerable.Range(0, 5).Select(i => Message(now.AddSeconds(i), now.AddSeconds(i == 4 ? 1 : -1))).ToList();
        await AddAsync(messages);

        var claimed = await database.WithAsync(db => db.Dialect.ClaimOutboxAsync(db, "probe", 3, now, now.AddMinutes(1), Token));

        Assert.Equal(messages.Take(3).Select(message => message.Id), claimed.Select(message => message.Id));
        Assert.Equal((messages[0].Type, messages[0].Key, messages[0].CreatedAt, 0), (claimed[0].Type, claimed[0].Key, claimed[0].CreatedAt, claimed[0].Attempts));
        Assert.Equal(messages[0].Payload, claimed[0].Payload);
        Assert.Equal(messages[0].Attachment, claimed[0].Attachment);
        Assert.Null(claimed[1].Attachment);
        Assert.Null(claimed[0].LastError);
        await ClearOutboxAsync();
    }

    protected static OutboxMessage Message(DateTimeOffset created, DateTimeOffset due) => new()
    {
        Id = Guid.CreateVersion7(created),
        Type = "probe.happened",
        Key = "k",
        Payload = Encoding.UTF8.GetBytes("{}"),
        Attachment = created.Second % 2 == 0 ? [1, 2, 3] : null,
        CreatedAt = created,
        NextAttemptAt = due,
    };

    protected Task<int> AddAsync(IReadOnlyList<OutboxMessage> messages) => database.WithAsync(db =>
    {
        db.Outbox("probe").AddRange(messages);
        return db.SaveChangesAsync(Token);
    });

    protected Task<int> ClearOutboxAsync() => database.WriteAsync(db => db.Outbox("probe").ExecuteDeleteAsync(Token));

    private Task<List<Probe>> RowsAsync() => database.WithAsync(db => db.Set<Probe>().AsNoTracking().Where(row => row.Kind == kind).ToListAsync(Token));

    private object?[] Row(Guid id, long version, string? note = null, string? kind = null) => [kind ?? this.kind, id, version, (int)version, 0.5, true, note, null, null, null, null];

    private Task<int> InsertAsync(params object?[][] rows) => database.WriteAsync(db => db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with { Rows = rows }, Token));

    private Task<int> UpsertAsync(string? onlyIfNewer, params object?[][] rows) => database.WriteAsync(db => db.Dialect.UpsertAsync(db, ProbeModule.Rows with { Rows = rows }, onlyIfNewer, Token));

    private Task<bool[]> SwapAsync(params object?[][] rows) => database.WriteAsync(db => db.Dialect.CompareAndSwapAsync(db, ProbeModule.Rows with { Rows = rows }, "version", Token));
}
