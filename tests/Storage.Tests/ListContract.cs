using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using MissionControl.Contracts.Api;
using MissionControl.Platform.Data;
using MissionControl.Platform.Http;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>Lists page alike on every provider, whatever its engine thinks of the order of texts, ids and what is absent.</summary>
public abstract class ListContract<TDatabase>(TDatabase database) : IClassFixture<TDatabase>, IAsyncLifetime
    where TDatabase : TestDatabase
{
    private static readonly ListOrders<Probe> Orders = new ListOrders<Probe>("id").By("id", row => row.Id).By("note", row => row.Note!, row => row.Id).By("at", row => row.At, row => row.Id)
        .By("numbers", row => row.Number, row => row.Version, row => row.Id).Only("worst", row => row.Version, row => row.Note!, row => row.Id);

    private readonly string kind = Guid.CreateVersion7().ToString("N");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(database.Unavailable is not null, database.Unavailable ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Every_order_shows_each_row_once_both_ways()
    {
        // Keys that are equal, and keys that are absent: the id alone tells such rows apart.
        var at = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123);
        var rows = Enumerable.Range(0, 24).Select(i => new Probe
        {
            Kind = kind,
            Id = Guid.CreateVersion7(at.AddMilliseconds(i % 5)),
            Version = i % 2,
            Number = (i % 3) - 1,
            Note = new[] { "a", "B", "é", "" }[i % 4],
            At = i % 4 == 0 ? null : at.AddMilliseconds(i % 6),
        }).ToList();
        await database.WriteAsync(db => db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with
        {
            Rows = [.. rows.Select(row => new object?[] { row.Kind, row.Id, row.Version, row.Number, 0.0, false, row.Note, null, null, row.At?.ToUnixTimeMilliseconds(), null })],
        }, Token));
        var expected = new Dictionary<string, IEnumerable<Probe>>
        {
            ["id"] = rows.OrderBy(row => row.Id),
            ["note"] = rows.OrderBy(row => row.Note, StringComparer.Ordinal).ThenBy(row => row.Id),
            ["at"] = rows.OrderBy(row => row.At ?? DateTimeOffset.MaxValue).ThenBy(row => row.Id),
            ["numbers"] = rows.OrderBy(row => row.Number).ThenBy(row => row.Version).ThenBy(row => row.Id),
            ["worst"] = rows.OrderBy(row => row.Version).ThenBy(row => row.Note, StringComparer.Ordinal).ThenBy(row => row.Id),
        };

        foreach (var name in Orders.Names.Names)
        {
            var ordered = expected[name.TrimStart('-')].Select(row => row.Id).ToList();
            if (name[0] == '-')
            {
                ordered.Reverse();
            }

            Assert.Equal(ordered, await WalkAsync(name, 1));
            Assert.Equal(ordered, await WalkAsync(name, 5));
        }
    }

    [Fact]
    public async Task Any_of_several_words_is_found_in_a_text_of_words()
    {
        Guid[] ids = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        await database.WriteAsync(db => db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with
        {
            Rows = [.. ids.Zip([" backup-age disk-free ", " node-down-without-spare ", ""], (id, words) => new object?[] { kind, id, 1L, 1, 0.0, false, words, null, null, null, null })],
        }, Token));
        foreach (var (marks, found) in new (List<string> Marks, int[] Found)[] { ([" disk-free ", " cpu "], [0]), ([" node-down "], []), ([" backup-age ", " node-down-without-spare "], [0, 1]), ([" disk_free "], []) })
        {
            Assert.Equal(found.Select(i => ids[i]).Order(), await database.WithAsync(db => db.Set<Probe>().AsNoTracking()
                .Where(row => row.Kind == kind && marks.Any(mark => row.Note!.Contains(mark))).OrderBy(row => row.Id).Select(row => row.Id).ToListAsync(Token)));
        }
    }

    [Fact]
    public async Task A_search_looks_at_several_texts_of_which_some_are_absent()
    {
        Guid[] ids = [Guid.CreateVersion7(), Guid.CreateVersion7()];
        await database.WriteAsync(db => db.Dialect.InsertIfAbsentAsync(db, ProbeModule.Rows with
        {
            Rows = [[kind, ids[0], 1L, 1, 0.0, false, "callhome.cluster-suspended", "The LAWYERS asked", null, null, null], [kind, ids[1], 1L, 1, 0.0, false, "callhome.token-made", null, null, null, null]],
        }, Token));
        foreach (var (part, found) in new[] { ("Cluster Suspended", 0), ("cluster-susp", 0), ("lawyers ask", 0), ("TOKEN", 1), ("cluster_susp", -1), ("asked, and", -1) })
        {
            var rows = await database.WithAsync(db => db.Set<Probe>().AsNoTracking().Where(row => row.Kind == kind)
                .Holding(row => row.Note! + " " + row.Note!.Replace("-", " ") + " " + (row.Document ?? ""), part).Select(row => row.Id).ToListAsync(Token));
            Assert.Equal(found < 0 ? [] : [ids[found]], rows);
        }
    }

    private async Task<List<Guid>> WalkAsync(string name, int limit)
    {
        var walked = new List<Guid>();
        string? cursor = null;
        do
        {
            var list = new ListQuery { Request = new DefaultHttpContext().Request, Sort = name, Limit = limit, Cursor = cursor };
            var answer = await database.WithAsync(db => Orders.PageAsync(list, db.Set<Probe>().AsNoTracking().Where(row => row.Kind == kind), row => row.Id, Token));
            var page = Assert.IsType<Ok<Page<Guid>>>(answer).Value!;
            walked.AddRange(page.Items);
            cursor = page.Next is null ? null : QueryHelpers.ParseQuery(page.Next)["cursor"].ToString();
        }
        while (cursor is not null);
        return walked;
    }
}
