using System.Data.Common;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.Incidents;
using MissionControl.Fleet.Liveness;
using MissionControl.Host;
using MissionControl.Licensing.Ledger;
using MissionControl.Platform.Data;
using Xunit;

namespace MissionControl.Storage.Tests;

/// <summary>What another replica does between a read and the write that follows from it, where several work on one database.</summary>
public sealed class ReplicaRaceTests(SharedPostgres postgres) : IAsyncLifetime
{
    private readonly DirectoryInfo data = Directory.CreateTempSubdirectory("mc-storage-");
    private readonly Guid cluster = Guid.CreateVersion7();
    private readonly Meanwhile meanwhile = new();
    private WebApplication app = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        app = ControlPlaneHost.Build(new HostSettings { Data = data.FullName, Serves = false }, null, builder =>
        {
            // Never started, so that no broker is asked.
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Database:Provider"] = "postgresql", ["Database:ConnectionString"] = postgres.Server.ConnectionString(database), ["RabbitMq:Address"] = "amqp://127.0.0.1:1/", ["RabbitMq:User"] = "nobody", ["RabbitMq:Password"] = "nothing",
            });
            builder.Services.ConfigureDbContext<ControlPlaneDbContext>(options => options.AddInterceptors(meanwhile));
        });
        await WithAsync(db => db.Dialect.MigrateAsync(db, Token));
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        data.Delete(recursive: true);
    }

    [Fact]
    public async Task A_window_that_is_stored_while_others_are_judged_goes_on_waiting()
    {
        await WaitAsync(1);
        meanwhile.AfterReading("licensing_waiting_window", () => WaitAsync(2));

        // What waits cannot be judged here either: nobody has told of the cluster, so that both must be there afterwards.
        await using (var scope = app.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            db.Scope.OpenAll("test");
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            await WaitingWindow.JudgeAsync(db, scope.ServiceProvider.GetRequiredService<Ledger>(), [cluster], Token);
            await transaction.CommitAsync(Token);
        }

        Assert.True(meanwhile.IsOver);
        await WithAsync(async db => Assert.Equal([1L, 2L], await db.Set<WaitingWindow>().Select(item => item.Seq).Order().ToListAsync(Token)));
    }

    [Fact]
    public async Task A_deadline_that_arriving_usage_sets_while_health_is_judged_again_stands()
    {
        var now = app.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        var set = now.AddSeconds(30);
        await SetAsync(now.AddMinutes(-1));
        meanwhile.AfterReading("fleet_last_usage", () => SetAsync(set));

        await using (var scope = app.Services.CreateAsyncScope())
        {
            await app.Services.GetServices<Platform.Time.Sweeper>().OfType<RejudgeHealth>().Single().RunAsync(scope.ServiceProvider, Token);
        }

        Assert.True(meanwhile.IsOver);
        await WithAsync(async db => Assert.Equal(set.ToUnixTimeMilliseconds(), (await db.Set<HealthDeadline>().SingleAsync(Token)).At.ToUnixTimeMilliseconds()));
    }

    [Fact]
    public async Task Replicas_that_judge_silence_at_once_open_one_incident_and_whatever_is_open_ends()
    {
        var now = app.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        await HeardAsync(now.AddMinutes(-2));
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => JudgeAsync()));
        await WithAsync(async db => Assert.Equal([Incident.IntakeStalled], await db.Set<Incident>().Where(row => row.EndedAt == null).Select(row => row.Kind).ToListAsync(Token)));

        // As an earlier version could leave it: nothing was judged any more.
        await WithAsync(async db =>
        {
            await Incident.OpenAsync(db, Incident.JudgingStopped, now, "a second one", 0, now, Token);
            await db.SaveChangesAsync(Token);
        });
        await HeardAsync(now.AddSeconds(1));
        await JudgeAsync();
        await WithAsync(async db => Assert.Equal([true, true], await db.Set<Incident>().Select(row => row.EndedAt != null).ToListAsync(Token)));

        Task HeardAsync(DateTimeOffset at) => WithAsync(async db =>
        {
            await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
            await db.Dialect.UpsertAsync(db, new BulkRows("fleet_intake_replica", ["replica", "at"], ["replica"], [["callhome", at.ToUnixTimeMilliseconds()]]), "at", Token);
            await transaction.CommitAsync(Token);
        });

        async Task JudgeAsync()
        {
            await using var scope = app.Services.CreateAsyncScope();
            await new JudgeLiveness(app.Services.GetRequiredService<TimeProvider>()).RunAsync(scope.ServiceProvider, Token);
        }
    }

    private Task WaitAsync(long number) => WithAsync(async db =>
    {
        db.Add(new WaitingWindow { ClusterId = cluster, CustomerId = cluster, Sha256 = $"sha256:{number}", Epoch = 1, Seq = number, Reason = WaitingWindow.ClusterUnknown, Due = true, ReceivedAt = TimeProvider.System.GetUtcNow(), Body = [] });
        await db.SaveChangesAsync(Token);
    });

    private Task SetAsync(DateTimeOffset at) => WithAsync(async db =>
    {
        await using var transaction = await db.BeginWriteAsync(cancellationToken: Token);
        await HealthDeadline.SetAsync(db, [(cluster, cluster, at)], Token);
        await transaction.CommitAsync(Token);
    });

    private Task WithAsync(Func<ControlPlaneDbContext, Task> work) => TestDatabase.WithAsync(app.Services, async db =>
    {
        db.Scope.OpenAll("test");
        await work(db);
        return 0;
    });

    /// <summary>What another replica does right after a table was read; once.</summary>
    private sealed class Meanwhile : DbCommandInterceptor
    {
        private (string Table, Func<Task> Act)? next;

        public bool IsOver => next is null;

        public void AfterReading(string table, Func<Task> act) => next = (table, act);

        public override async ValueTask<DbDataReader> ReaderExecutedAsync(DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
        {
            if (next is var (table, act) && command.CommandText.StartsWith("SELECT", StringComparison.Ordinal) && command.CommandText.Contains(table, StringComparison.Ordinal))
            {
                next = null;
                await act();
            }

            return result;
        }
    }
}
