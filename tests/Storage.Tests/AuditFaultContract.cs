using System.Data.Common;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Audit.Guard;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Host;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using MissionControl.Trust.TransparencyLog;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>
/// The ten ways in which a log can fail to be kept: each of the five things that are stored (a new log, a full tile, a checkpoint, a slot, an
/// epoch) is not stored, or is and is said not to be. Who goes on afterwards, the same process or another, finds all that was told once
/// and in its order, and nobody ever sees two trees of one size.
/// </summary>
public abstract class AuditFaultContract : IAsyncLifetime
{
    private static readonly Guid Anchor = new("578b770d-dbe4-8036-ab36-87d9ccdda72c");
    private readonly DirectoryInfo data = Directory.CreateTempSubdirectory("mc-storage-");
    private readonly ManualTime time = new(DateTimeOffset.UtcNow);
    private readonly Dictionary<(Guid Log, long Size), TreeHash> seen = [];
    private readonly Dictionary<Guid, List<Guid>> told = [];
    private readonly OneFault fault = new();
    private IReadOnlyDictionary<string, string?> configuration = null!;
    private WebApplication app = null!;
    private long number;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        configuration = await ConfigurationAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        SqliteConnection.ClearAllPools();
        data.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_is_not_stored_or_is_and_is_said_not_to_be_is_there_once_in_the_end()
    {
        await RunAsync("audit.close-epochs");
        foreach (var takesOver in new[] { false, true })
        {
            foreach (var isStored in new[] { false, true })
            {
                // A log is made, with its first entries; then one of its tiles becomes full.
                var customer = Guid.CreateVersion7();
                foreach (var entries in new[] { 3, 300 })
                {
                    var batch = Batch(customer, entries);
                    await FailAsync(1, isStored, takesOver, () => TellAsync(batch));
                    await TellAsync(batch);
                    Assert.Equal(told[customer].Count, await SizeAsync(customer));
                }

                await FailAsync(1, isStored, takesOver, () => RunAsync("audit.sign-checkpoints"));
                await RunAsync("audit.sign-checkpoints");
                await SeenAsync();
                Assert.Contains((Log.IdOf(Log.NameOf("customer", customer)), told[customer].Count), seen.Keys);

                // The epoch gives the new log its slot, and binds it then.
                var epochs = await EpochsAsync();
                time.Advance(TimeSpan.FromMinutes(11));
                await FailAsync(1, isStored, takesOver, () => RunAsync("audit.close-epochs"));
                await FailAsync(isStored ? 1 : 2, isStored, takesOver, () => RunAsync("audit.close-epochs"));
                await RunAsync("audit.close-epochs");
                Assert.Equal(epochs + 1, await EpochsAsync());
                await RunAsync("audit.sign-checkpoints");
                await SeenAsync();
            }
        }

        Assert.Equal(20, fault.Fallen);
        await StartAsync();
        await SeenAsync();
        await WithAsync(async db =>
        {
            foreach (var (customer, ids) in told)
            {
                Assert.Equal(ids, await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == Log.IdOf(Log.NameOf("customer", customer))).OrderBy(row => row.Position).Select(row => row.EventId).ToListAsync(Token));
            }

            var slots = await db.Set<Audit.Anchor.LogSlot>().AsNoTracking().OrderBy(row => row.Slot).ToListAsync(Token);
            Assert.Equal(Enumerable.Range(0, told.Count + 1), slots.Select(row => (int)row.Slot));
            Assert.Distinct(slots.Select(row => row.LogId));
        });

        // Every entry, tile, head and checkpoint, made anew from the rows.
        await using var scope = app.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        Assert.Contains("all as it was signed", await app.Services.GetServices<Job>().Single(job => job.Name == "audit.verify-logs").RunAsync(scope.ServiceProvider, Token), StringComparison.Ordinal);
    }

    /// <summary>An installation, and a database that nobody uses yet.</summary>
    protected abstract Task<IReadOnlyDictionary<string, string?>> ConfigurationAsync();

    // Fails at a commit; what is seen then must still be so when it was mended.
    private async Task FailAsync(int commit, bool isStored, bool takesOver, Func<Task> step)
    {
        fault.Arm(commit, isStored);
        await Assert.ThrowsAsync<DiedException>(step);
        Assert.False(fault.IsArmed);
        if (takesOver)
        {
            await StartAsync();
        }

        await SeenAsync();
    }

    // All that anybody may have been shown, or that is remembered outside of the database.
    private async Task SeenAsync()
    {
        var heads = (await app.Services.GetRequiredService<HeadGuard>().ReadAsync(Token)).Heads.Select(pair => (pair.Key, pair.Value.Size, pair.Value.Root)).ToList();
        await WithAsync(async db => heads.AddRange((await db.Set<LogCheckpoint>().AsNoTracking().ToListAsync(Token)).Select(row => (row.LogId, row.Size, Checkpoint.Parse(SignedNote.Parse(Encoding.UTF8.GetBytes(row.Note)).Text).Root))));
        Assert.All(heads, head => Assert.True(seen.TryAdd((head.Item1, head.Size), head.Root) || seen[(head.Item1, head.Size)] == head.Root, $"two trees of {head.Size} entries"));
    }

    private List<AuditEntryRecorded> Batch(Guid customer, int entries)
    {
        var batch = Enumerable.Range(0, entries).Select(_ => new AuditEntryRecorded(
            1, Guid.CreateVersion7(), "licensing/test", ++number, time.GetUtcNow(), "customer", customer, null, "licensing.customer-changed", "success", new AuditActor("system", "licensing", "local"),
            new AuditTarget("customer", customer.ToString()), [], null, null, null, "none", new Dictionary<string, string> { ["name"] = "Ada Lovelace" })).ToList();
        told[customer] = [.. told.GetValueOrDefault(customer, []), .. batch.Select(one => one.EventId)];
        return batch;
    }

    private async Task TellAsync(IReadOnlyList<AuditEntryRecorded> batch)
    {
        await using var scope = app.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await scope.ServiceProvider.GetRequiredService<Sequencer>().AppendAsync([.. batch.Select(Told.Of)], Token);
        await transaction.CommitAsync(Token);
    }

    private async Task RunAsync(string sweeper)
    {
        await using var scope = app.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("audit");
        await app.Services.GetServices<Sweeper>().Single(one => one.Name == sweeper).RunAsync(scope.ServiceProvider, Token);
    }

    private async Task<long> SizeAsync(Guid customer)
    {
        long size = 0;
        await WithAsync(async db => size = await db.Set<LogHead>().AsNoTracking().Where(row => row.LogId == Log.IdOf(Log.NameOf("customer", customer))).Select(row => row.Size).SingleAsync(Token));
        return size;
    }

    private async Task<long> EpochsAsync()
    {
        long size = 0;
        await WithAsync(async db => size = await db.Set<LogHead>().AsNoTracking().Where(row => row.LogId == Anchor).Select(row => row.Size).SingleAsync(Token));
        return size;
    }

    private async Task WithAsync(Func<ControlPlaneDbContext, Task> work)
    {
        await using var scope = app.Services.CreateAsyncScope();
        await work(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }

    // A process that has died tells nobody what it knew; the next one has the database and the files alone.
    private async Task StartAsync()
    {
        if (app is not null)
        {
            await app.DisposeAsync();
        }

        // Never started: nothing runs but what is called here.
        app = ControlPlaneHost.Build(new HostSettings { Data = data.FullName, Serves = false }, time, builder =>
        {
            builder.Configuration.AddInMemoryCollection(configuration).AddInMemoryCollection(new Dictionary<string, string?> { ["Audit:Epoch"] = "00:10:00" });
            builder.Services.ConfigureDbContext<ControlPlaneDbContext>(options => options.AddInterceptors(fault));
        });
        await WithAsync(db => db.Dialect.MigrateAsync(db, Token));
        await app.Services.GetRequiredService<AppendOnlyTest>().TryAsync(Token);
        for (var watch = app.Services.GetRequiredService<WatchHeads>(); !watch.HasLooked;)
        {
            await watch.LookAsync(Token);
        }
    }

    /// <summary>A commit that fails once: before it is made, or after it was.</summary>
    private sealed class OneFault : DbTransactionInterceptor
    {
        private int left;
        private bool isStored;

        public int Fallen { get; private set; }

        public bool IsArmed => left > 0;

        public void Arm(int commit, bool isStoredThen) => (left, isStored) = (commit, isStoredThen);

        public override ValueTask<InterceptionResult> TransactionCommittingAsync(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default) =>
            isStored ? ValueTask.FromResult(result) : FallAsync(result);

        public override async Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            if (isStored)
            {
                await FallAsync(default);
            }
        }

        private ValueTask<InterceptionResult> FallAsync(InterceptionResult result)
        {
            if (left == 0 || --left > 0)
            {
                return ValueTask.FromResult(result);
            }

            Fallen++;
            throw new DiedException();
        }
    }
}

public sealed class SqliteAuditFaults : AuditFaultContract
{
    protected override Task<IReadOnlyDictionary<string, string?>> ConfigurationAsync() => Task.FromResult<IReadOnlyDictionary<string, string?>>(new Dictionary<string, string?>());
}

public sealed class PostgreSqlAuditFaults(SharedPostgres shared) : AuditFaultContract
{
    protected override async Task<IReadOnlyDictionary<string, string?>> ConfigurationAsync() => new Dictionary<string, string?>
    {
        ["Database:Provider"] = "postgresql", ["Database:ConnectionString"] = shared.Server.ConnectionString(await shared.Server.CreateDatabaseAsync()), ["RabbitMq:Address"] = "amqp://127.0.0.1:1/", ["RabbitMq:User"] = "nobody", ["RabbitMq:Password"] = "nothing",
    };
}
