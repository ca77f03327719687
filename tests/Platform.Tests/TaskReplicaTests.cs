using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Host;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Security;
using MissionControl.Platform.Tasks;
using MissionControl.Platform.Time;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>Workers of several replicas over one PostgreSQL, their leases overlapping, as under a slow holder.</summary>
public sealed class TaskReplicaTests : IAsyncLifetime
{
    private readonly string root = Directory.CreateTempSubdirectory("mc-replicas-").FullName;
    private PostgresServer server = null!;
    private WebApplication app = null!;

    public async ValueTask InitializeAsync()
    {
        server = await PostgresServer.StartNewAsync();
        var connection = server.ConnectionString(await server.CreateDatabaseAsync());
        var data = Directory.CreateDirectory(Path.Combine(root, "data")).FullName;
        await HostCommand.RunAsync(0, "admin", "keys", "make", "--data", Path.Combine(root, "operator"), "--hand-out", Path.Combine(root, "roles"));
        Directory.Move(Path.Combine(root, "roles", "updates"), Path.Combine(data, "keys"));

        // Put together and never started: nothing but the workers here touches the database, and no broker is needed.
        app = ControlPlaneHost.Build(new HostSettings { Data = data, Roles = ["updates"] }, null, builder => builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Database:Provider"] = "postgresql",
            ["Database:ConnectionString"] = connection,
            ["RabbitMq:Address"] = "amqp://localhost:5672/",
            ["RabbitMq:User"] = "nobody",
            ["RabbitMq:Password"] = "none",
        }));
        await WithAsync(async (_, db) =>
        {
            await db.Dialect.MigrateAsync(db, CancellationToken.None);
            return 0;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await server.DisposeAsync();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task Each_thing_is_dealt_with_once_however_many_workers_there_are()
    {
        var action = new CountingAction();
        var id = await StartAsync(action, 200);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => RunAsync(action))));

        var task = await FindAsync(id);
        Assert.Equal((LongTaskState.Incomplete, 198, 1, 1), (task.State, task.Succeeded, task.Failed, task.Refused));
        var rows = await WithAsync((_, db) => db.Projections("updates").Where(row => row.Kind == CountingAction.Effect).Select(row => row.Body).ToListAsync());
        Assert.Equal(198, rows.Count);
        Assert.Equal(198, rows.Distinct().Count());
    }

    private async Task<Guid> StartAsync(CountingAction action, int count) => await WithAsync(async (services, db) =>
    {
        services.GetRequiredService<CurrentPrincipal>().Set(new AuditActor("staff", "token:test", "token"), null);
        db.Scope.OpenAll("a test");
        return (await services.GetRequiredService<LongTasks>().StartAsync(action, "Count", null, [.. Enumerable.Range(1, count).Select(i => new TaskTarget(i.ToString(CultureInfo.InvariantCulture), $"number {i}"))], null, CancellationToken.None))!.Id;
    });

    private async Task RunAsync(CountingAction action)
    {
        Sweeper worker = new TaskWorker("updates", [action], app.Services.GetRequiredService<IServiceScopeFactory>(), app.Services.GetRequiredService<IDatabaseDialect>(), TimeProvider.System, NullLogger<TaskWorker>.Instance);
        while (await WithAsync((_, db) => db.LongTasks("updates").AnyAsync(row => row.State == LongTaskState.Running)))
        {
            await WithAsync(async (services, _) =>
            {
                await worker.RunAsync(services, CancellationToken.None);
                return 0;
            });
        }
    }

    private Task<LongTask> FindAsync(Guid id) => WithAsync((_, db) => db.LongTasks("updates").AsNoTracking().SingleAsync(row => row.Id == id));

    private async Task<T> WithAsync<T>(Func<IServiceProvider, ControlPlaneDbContext, Task<T>> work)
    {
        await using var scope = app.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<ModuleScope>().Enter("updates");
        return await work(scope.ServiceProvider, scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }
}
