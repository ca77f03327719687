using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Licensing.Changes;
using MissionControl.Platform.Data;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>
/// The trap of numbers whose order is not that of the commits: a number that was taken first may be committed last, and whoever read what
/// lies behind it never sees it. Of the stream of licensing none is ever missing below one that can be read, however late a commit comes.
/// </summary>
public abstract class ChangeOrderContract<TDatabase>(TDatabase database) : IClassFixture<TDatabase>, IAsyncLifetime
    where TDatabase : TestDatabase
{
    private const int Writers = 4;
    private const int Rounds = 12;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        Assert.SkipWhen(database.Unavailable is not null, database.Unavailable ?? "");
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Nothing_is_missing_below_a_number_that_can_be_read_however_late_it_is_committed()
    {
        var services = await database.EmptyAsync();
        await TestDatabase.WithAsync(services, async db =>
        {
            await db.Dialect.MigrateAsync(db, Token);
            return 0;
        });
        var looks = new Looks();
        var now = DateTimeOffset.UnixEpoch.AddYears(100);
        var writers = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                await using var scope = services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
                db.Scope.OpenAll("test");
                await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);

                // Clocks of replicas differ, and so does what each of them does between its number and its commit; some fail.
                var count = 1 + ((writer + round) % 3);
                var (seq, at) = await ChangeStream.TakeAsync(db, now.AddSeconds((round * 7 % 5) - writer), count, Token);
                db.AddRange(Enumerable.Range(0, count).Select(i => new Noted("test", Guid.Empty, $"{writer}").ToRow(seq + i, at)));
                await db.SaveChangesAsync(Token);
                await looks.PassAsync((writer + round) % 4);
                if (round % 5 != 4)
                {
                    await transaction.CommitAsync(Token);
                }
            }
        }, Token)));
        while (!writers.IsCompleted)
        {
            await LookAsync(services);
            looks.Done();
        }

        await writers;

        // The answer for an instant stands, also against a clock that is behind.
        await TestDatabase.WithAsync(services, async db =>
        {
            db.Scope.OpenAll("test");
            var newest = await ChangeStream.ReadAsync(db, Token);
            var asked = newest.At.AddSeconds(10);
            Assert.Equal(newest.Seq, await ChangeStream.AtAsync(db, asked, Token));
            await ChangeStream.SaveAsync(db, TimeProvider.System, [new Noted("test", Guid.Empty, "late")], Token);
            Assert.Equal(newest.Seq, await ChangeStream.AtAsync(db, asked, Token));
            Assert.Equal(newest.Seq + 1, await ChangeStream.AtAsync(db, asked.AddSeconds(1), Token));
            return 0;
        });
        Assert.Equal(Enumerable.Range(0, Writers).Sum(writer => Enumerable.Range(0, Rounds).Where(round => round % 5 != 4).Sum(round => 1 + ((writer + round) % 3))) + 1, await LookAsync(services));
    }

    private static Task<long> LookAsync(ServiceProvider services) => TestDatabase.WithAsync(services, async db =>
    {
        db.Scope.OpenAll("test");
        var newest = await ChangeStream.ReadAsync(db, Token);
        var rows = await db.Set<RecordedChange>().AsNoTracking().Where(row => row.Seq <= newest.Seq).OrderBy(row => row.Seq).ToListAsync(Token);
        Assert.Equal(Enumerable.Range(1, (int)newest.Seq).Select(seq => (long)seq), rows.Select(row => row.Seq));
        Assert.Equal(rows.Select(row => row.At).Order(), rows.Select(row => row.At));
        return newest.Seq;
    });

    /// <summary>How often somebody has looked, for those who wait for it.</summary>
    private sealed class Looks
    {
        private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Done() => Interlocked.Exchange(ref next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

        public async Task PassAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await Volatile.Read(ref next).Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
            }
        }
    }
}

public sealed class SqliteChangeOrder(SqliteDatabase database) : ChangeOrderContract<SqliteDatabase>(database);

public sealed class PostgreSqlChangeOrder(PostgreSqlDatabase database) : ChangeOrderContract<PostgreSqlDatabase>(database);

public sealed class SqlServerChangeOrder(SqlServerDatabase database) : ChangeOrderContract<SqlServerDatabase>(database);
