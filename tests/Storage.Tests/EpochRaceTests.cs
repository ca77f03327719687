using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Guard;
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

/// <summary>Replicas that close the same epoch, or tell the same gap, where several work on one database.</summary>
public sealed class EpochRaceTests(SharedPostgres postgres) : IAsyncLifetime
{
    private const int Rounds = 5;
    private readonly DirectoryInfo data = Directory.CreateTempSubdirectory("mc-storage-");
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private WebApplication app = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.Server.CreateDatabaseAsync();

        // Never started: nothing runs but what a test runs.
        app = ControlPlaneHost.Build(new HostSettings { Data = data.FullName, Serves = false }, time, builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Database:Provider"] = "postgresql", ["Database:ConnectionString"] = postgres.Server.ConnectionString(database), ["RabbitMq:Address"] = "amqp://127.0.0.1:1/", ["RabbitMq:User"] = "nobody", ["RabbitMq:Password"] = "nothing", ["Audit:Epoch"] = "00:10:00",
        }));
        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await db.Dialect.MigrateAsync(db, Token);

        // What the start of a process would do before anything is appended or signed.
        await app.Services.GetRequiredService<AppendOnlyTest>().TryAsync(Token);
        for (var watch = app.Services.GetRequiredService<WatchHeads>(); !watch.HasLooked;)
        {
            await watch.LookAsync(Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        data.Delete(recursive: true);
    }

    [Fact]
    public async Task Close_one_and_give_every_log_one_slot()
    {
        var (signs, closes) = (Of("audit.sign-checkpoints"), Of("audit.close-epochs"));
        var replicas = new[] { closes, (Sweeper)ActivatorUtilities.CreateInstance(app.Services, closes.GetType()), (Sweeper)ActivatorUtilities.CreateInstance(app.Services, closes.GetType()) };
        await RunAsync(closes);
        for (var round = 0; round < Rounds; round++)
        {
            await TellAsync(round);
            await RunAsync(signs);
            time.Advance(TimeSpan.FromMinutes(11));

            // Whoever comes second finds the anchor longer than it was, or the slots given; the next turn is good again.
            var ends = await Task.WhenAll(replicas.Select(replica => Task.Run(() => TryAsync(replica))));
            Assert.Contains(true, ends);
            await RunAsync(signs);
        }

        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        var anchor = new Guid("578b770d-dbe4-8036-ab36-87d9ccdda72c");
        var entries = await db.Dialect.ReadByKeyAsync(db, "audit_log_leaf", ["log_id", "position"], [.. Enumerable.Range(0, Rounds + 1).Select(i => new object?[] { anchor, (long)i })], ["content"], Token);
        var epochs = entries.TakeWhile(entry => entry is not null).Select(entry => Epoch.Parse((byte[])entry![0]!)).ToList();
        Assert.Equal(Enumerable.Range(1, Rounds), epochs.Select(epoch => (int)epoch.Number));
        Assert.All(epochs.Zip(epochs.Skip(1)), pair => Assert.True(pair.First.Time < pair.Second.Time));

        // Ten more logs each round, behind the fleet's, which has the first slot: 0 to 50, without a hole.
        Assert.Equal(Enumerable.Range(1, Rounds).Select(round => (round * 10L) + 1), epochs.Select(epoch => epoch.Slots));
    }

    [Fact]
    public async Task Tell_a_gap_once()
    {
        await RunAsync(Of("audit.catch-up"));
        await TellAsync(0);
        await TellAsync(2);
        await TellAsync(4);
        time.Advance(TimeSpan.FromMinutes(6));
        var tells = Of("audit.tell-gaps");
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => TryAsync((Sweeper)ActivatorUtilities.CreateInstance(app.Services, tells.GetType())))));
        await TellAsync(1);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => TryAsync((Sweeper)ActivatorUtilities.CreateInstance(app.Services, tells.GetType())))));
        await RunAsync(tells);

        await using var scope = app.Services.CreateAsyncScope();
        var found = await scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Set<IndexedEntry>().Where(row => row.Log == "fleet").OrderBy(row => row.Position).Select(row => new { row.Type, row.Producer, row.ProducerSeq }).ToListAsync(Token);
        Assert.Equal([("audit.gap", 21L), ("audit.gap", 41L), ("audit.gap-filled", 11L)], found.Where(row => row.Producer == "licensing/test").Select(row => (row.Type, row.ProducerSeq)));
    }

    // What was numbered for a save that failed is lost nowhere: whoever opened the transaction goes on in it, as a request with an Idempotency-Key does.
    [Fact]
    public async Task A_save_that_failed_in_a_transaction_that_goes_on_leaves_no_gap()
    {
        // In the transaction that goes on, in one that saves again what it can, and in one that begins anew.
        foreach (var (first, refused, clears, last) in new[] { ("one", "none", false, (string?)null), ("two", "three", false, "four"), ("five", "none", true, "six") })
        {
            await using var scope = app.Services.CreateAsyncScope();
            var (db, events) = (scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>(), scope.ServiceProvider.GetRequiredService<IEvents>());
            scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("licensing");
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            events.Audit(Fact(first));
            db.Add(new Progress { Name = first, Place = 0, Id = Guid.Empty, Done = true });
            await db.SaveChangesAsync(Token);
            db.ChangeTracker.Clear();
            var twice = db.Add(new Progress { Name = first, Place = 0, Id = Guid.Empty, Done = true });
            events.Audit(Fact(refused));
            await Assert.ThrowsAnyAsync<DbUpdateException>(() => db.SaveChangesAsync(Token));
            if (last is not null)
            {
                twice.State = EntityState.Detached;
                if (clears)
                {
                    db.ChangeTracker.Clear();
                }

                events.Audit(Fact(last));
                await db.SaveChangesAsync(Token);
            }

            await transaction.CommitAsync(Token);
        }

        await using var reads = app.Services.CreateAsyncScope();
        var rows = await reads.ServiceProvider.GetRequiredService<ControlPlaneDbContext>().Outbox("licensing").AsNoTracking().ToListAsync(Token);
        Assert.Equal([("one", 1L), ("two", 2L), ("three", 3L), ("four", 4L), ("five", 5L), ("six", 6L)], rows.Select(row => (AuditEntryRecorded)MessageJson.Read(row.Type, row.Payload, row.Attachment)).Select(entry => (entry.Target.Id, entry.ProducerSeq)).OrderBy(entry => entry.ProducerSeq));

        static AuditFact Fact(string id) => new("licensing.customer-renamed", AuditLog.Operator, "customer", id);
    }

    private Sweeper Of(string name) => app.Services.GetServices<Sweeper>().Single(sweeper => sweeper.Name == name);

    private async Task<bool> TryAsync(Sweeper sweeper)
    {
        try
        {
            await RunAsync(sweeper);
            return true;
        }
        catch (Microsoft.EntityFrameworkCore.DbUpdateException)
        {
            return false;
        }
        catch (System.Data.Common.DbException)
        {
            return false;
        }
    }

    private async Task RunAsync(Sweeper sweeper)
    {
        await using var scope = app.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter(sweeper.Module);
        await sweeper.RunAsync(scope.ServiceProvider, Token);
    }

    private async Task TellAsync(int round)
    {
        var binding = app.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(one => one.Name == "audit.append-entry");
        for (var i = 0; i < 10; i++)
        {
            var customer = Guid.CreateVersion7();
            await app.Services.GetRequiredService<HandlerRunner>().ApplyAsync(binding, new AuditEntryRecorded(
                1, Guid.CreateVersion7(), "licensing/test", (round * 10) + i + 1, time.GetUtcNow(), "customer", customer, null, "licensing.customer-created", "success", new AuditActor("system", "licensing", "local"),
                new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string>()), new MessageContext(Guid.CreateVersion7(), time.GetUtcNow()), Token);
        }
    }
}
