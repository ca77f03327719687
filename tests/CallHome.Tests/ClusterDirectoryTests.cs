using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.CallHome.Clusters;
using MissionControl.CallHome.Intake;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.CallHome.Tests;

/// <summary>What intake knows of clusters, while it is being read.</summary>
public sealed class ClusterDirectoryTests
{
    [Fact]
    public async Task A_cluster_stands_in_the_directory_with_its_keys_or_not_at_all()
    {
        var reading = new Reading();
        await using var host = await ControlPlane.StartAsync(services: services => services.ConfigureDbContext<ControlPlaneDbContext>(options => options.AddInterceptors(reading)));
        var directory = host.Services.GetRequiredService<ClusterDirectory>();
        var keyless = new ConcurrentBag<Guid>();
        var looked = 0;
        reading.Keys = async () =>
        {
            await using var scope = host.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
            db.Scope.OpenAll("test");
            foreach (var id in await db.Set<Cluster>().Select(cluster => cluster.Id).ToListAsync())
            {
                looked++;
                if (directory.TryGet(id, out var known) && known.Keys.Count == 0)
                {
                    keyless.Add(id);
                }
            }
        };

        using var cluster = await TestCluster.EnrollAsync(host, (await host.CreateCustomerAsync()).Id, "Bergen");
        Assert.True(directory.TryGet(Guid.Parse(cluster.Id), out var enrolled));

        Assert.NotEmpty(enrolled.Keys);
        Assert.True(looked > 0, "nobody read keys of a cluster that was enrolled");
        Assert.Empty(keyless);
    }

    /// <summary>Looks round at the moment before keys are read.</summary>
    private sealed class Reading : DbCommandInterceptor
    {
        private readonly AsyncLocal<bool> looking = new();

        public Func<Task>? Keys { get; set; }

        public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            if (Keys is { } look && !looking.Value && command.CommandText.Contains("FROM \"callhome_cluster_key\"", StringComparison.Ordinal))
            {
                looking.Value = true;
                await look();
            }

            return result;
        }
    }
}
