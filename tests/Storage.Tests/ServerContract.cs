using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using MissionControl.Platform.Data;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>What a provider for several replicas promises besides: SQLite has one process, and so one dispatcher.</summary>
public abstract class ServerContract<TDatabase>(TDatabase database) : StorageContract<TDatabase>(database)
    where TDatabase : TestDatabase
{
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_000);

    [Fact]
    public async Task Dispatchers_that_claim_at_once_never_take_the_same_row_and_leave_none()
    {
        await AddAsync([.. Enumerable.Range(0, 1_000).Select(i => Message(Now.AddMilliseconds(i), Now))]);
        var taken = new ConcurrentBag<Guid>();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            // A dispatcher that finds nothing may have met only rows that another was just taking: the outbox is empty when all are claimed.
            for (var left = 1; left > 0;)
            {
                foreach (var message in await ClaimAsync(40, Now))
                {
                    taken.Add(message.Id);
                }

                left = await Database.WithAsync(db => db.Outbox("probe").CountAsync(row => row.NextAttemptAt <= Now, Token));
            }
        })));

        Assert.Equal(1_000, taken.Count);
        Assert.Equal(1_000, taken.Distinct().Count());
        await ClearOutboxAsync();
    }

    [Fact]
    public async Task A_claim_holds_until_it_lapses_and_then_another_takes_the_row()
    {
        await AddAsync([Message(Now, Now)]);

        Assert.Single(await ClaimAsync(10, Now));
        Assert.Empty(await ClaimAsync(10, Now.AddSeconds(59)));
        Assert.Single(await ClaimAsync(10, Now.AddSeconds(60)));
        await ClearOutboxAsync();
    }

    [Fact]
    public async Task A_row_that_another_transaction_holds_is_passed_over_without_a_wait()
    {
        var held = Message(Now, Now);
        var free = Message(Now.AddSeconds(1), Now);
        await AddAsync([held, free]);

        await Database.WriteAsync(async db =>
        {
            await db.Outbox("probe").Where(row => row.Id == held.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Attempts, 1), Token);
            Assert.Equal(free.Id, Assert.Single(await ClaimAsync(10, Now)).Id);
            return 0;
        });
        await ClearOutboxAsync();
    }

    private Task<IReadOnlyList<OutboxMessage>> ClaimAsync(int limit, DateTimeOffset now) =>
        Database.WithAsync(db => db.Dialect.ClaimOutboxAsync(db, "probe", limit, now, now.AddMinutes(1), Token));
}
