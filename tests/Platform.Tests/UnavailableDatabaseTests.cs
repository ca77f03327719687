using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>A database that cannot be used for a moment is not the fault of a message.</summary>
public sealed class UnavailableDatabaseTests
{
    [Fact]
    public async Task A_message_that_comes_while_the_disk_is_full_for_a_moment_is_applied_and_not_parked()
    {
        var disk = new FullDisk();
        await using var host = await ControlPlane.StartAsync(services: services => services.ConfigureDbContext<ControlPlaneDbContext>(options => options.AddInterceptors(disk)));
        var binding = host.Services.GetRequiredService<HandlerRegistry>().Bindings.Single(binding => binding.Name == "fleet.keep-customer");
        var context = new MessageContext(Guid.CreateVersion7(), host.Time.GetUtcNow());

        var refused = disk.RefuseCommitsOfThisCall(4);
        await host.Services.GetRequiredService<HandlerRunner>().ApplyAsync(binding, new CustomerChanged(Guid.CreateVersion7(), "Acme", "eu", "active", 1), context, TestContext.Current.CancellationToken);

        Assert.Equal(0, refused.Value);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        Assert.Equal(1, await db.Inbox("fleet").CountAsync(row => row.MessageId == context.MessageId, TestContext.Current.CancellationToken));
        Assert.Equal(0, await db.ParkedMessages("fleet").CountAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Refuses commits as SQLite does on a disk without space, for one flow of calls only.</summary>
    private sealed class FullDisk : DbTransactionInterceptor
    {
        private readonly AsyncLocal<StrongBox<int>?> left = new();

        public StrongBox<int> RefuseCommitsOfThisCall(int times) => left.Value = new StrongBox<int>(times);

        public override ValueTask<InterceptionResult> TransactionCommittingAsync(System.Data.Common.DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default) =>
            left.Value is { Value: > 0 } box && Interlocked.Decrement(ref box.Value) >= 0 ? throw new SqliteException("database or disk is full", 13) : ValueTask.FromResult(result);
    }
}
