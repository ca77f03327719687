using System.Reflection;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;
using MissionControl.Testing;
using Xunit;

namespace MissionControl.Platform.Tests;

/// <summary>The customer filter over the whole model: closed by default, and of every kind of row that belongs to somebody.</summary>
public sealed class CustomerScopeTests : IAsyncLifetime
{
    private static readonly MethodInfo Counts = typeof(CustomerScopeTests).GetMethod(nameof(CountAsync), BindingFlags.Static | BindingFlags.NonPublic)!;
    private static readonly Guid Owner = new("01900000-0000-7000-8000-000000000001");
    private static readonly Guid Stranger = new("01900000-0000-7000-8000-000000000002");
    private ControlPlane host = null!;

    public async ValueTask InitializeAsync()
    {
        host = await ControlPlane.StartAsync();

        // Nothing sweeps away, or adds to, the rows that the test makes.
        await host.StopAsync();
    }

    public async ValueTask DisposeAsync() => await host.DisposeAsync();

    [Fact]
    public async Task What_belongs_to_a_customer_is_read_by_nobody_until_the_scope_is_opened()
    {
        List<string> owned;
        using (var db = Open())
        {
            var types = db.Value.Model.GetEntityTypes().Where(IsOwned).ToList();
            owned = types.ConvertAll(type => type.Name);
            Assert.True(types.Count > 20, $"only {types.Count} kinds of rows belong to customers");
            Assert.Empty(types.Where(type => type.GetRootType().GetDeclaredQueryFilters().Count == 0).Select(type => type.Name));
            await InsertAsync(types);
        }

        foreach (var name in owned)
        {
            Assert.True(await ReadAsync(name, _ => { }) == 0, $"{name} is read with a scope that nobody opened");
            Assert.True(await ReadAsync(name, scope => scope.OpenOne(Guid.Empty)) == 0, $"{name} is read for the empty customer");
            Assert.True(await ReadAsync(name, scope => scope.OpenOne(Stranger)) == 0, $"{name} is read for another customer");
            Assert.True(await ReadAsync(name, scope => scope.OpenOne(Owner)) == 1, $"{name} is not read by its owner");
            Assert.True(await ReadAsync(name, scope => scope.OpenAll("the test looks at everything")) >= 1, $"{name} is not read when all is open");
        }
    }

    [Fact]
    public void A_row_that_names_its_customer_is_one_that_the_filter_knows()
    {
        using var db = Open();
        var forgotten = db.Value.Model.GetEntityTypes().Where(type => !IsOwned(type) && type.FindProperty("CustomerId") is { IsNullable: false }).Select(type => type.Name);

        Assert.Empty(forgotten);
    }

    private static bool IsOwned(IEntityType type) => typeof(ICustomerOwned).IsAssignableFrom(type.ClrType) || typeof(ITenant).IsAssignableFrom(type.ClrType);

    private Unit Open()
    {
        var scope = host.Services.CreateScope();
        return new Unit(scope, scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }

    private async Task<int> ReadAsync(string name, Action<CustomerScope> open)
    {
        using var db = Open();
        open(db.Value.Scope);
        var type = db.Value.Model.FindEntityType(name)!;
        return await (Task<int>)Counts.MakeGenericMethod(type.ClrType).Invoke(null, [db.Value, type])!;
    }

    private static Task<int> CountAsync<T>(ControlPlaneDbContext db, IEntityType type)
        where T : class => (type.HasSharedClrType ? db.Set<T>(type.Name) : db.Set<T>()).CountAsync(TestContext.Current.CancellationToken);

    /// <summary>One row of each kind, with nothing in it but whose it is.</summary>
    private async Task InsertAsync(IEnumerable<IEntityType> types)
    {
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(host.Data, "missioncontrol.db")};Foreign Keys=False;Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var pragma = connection.CreateCommand();
        pragma.CommandText = "PRAGMA ignore_check_constraints = ON";
        await pragma.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        foreach (var type in types)
        {
            await using var command = connection.CreateCommand();
            var columns = type.GetProperties().Where(property => !property.IsNullable || property.Name == "CustomerId").ToList();
            foreach (var property in columns)
            {
                command.Parameters.Add(property.GetRelationalTypeMapping().CreateParameter(command, $"@{property.Name}", ValueOf(property.ClrType)));
            }

            command.CommandText = $"INSERT INTO \"{type.GetTableName()}\" ({string.Join(", ", columns.Select(property => $"\"{property.GetColumnName()}\""))}) VALUES ({string.Join(", ", columns.Select(property => $"@{property.Name}"))})";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    private static object ValueOf(Type type) => Nullable.GetUnderlyingType(type) is { } inner ? ValueOf(inner)
        : type == typeof(Guid) ? Owner
        : type == typeof(string) ? "x"
        : type == typeof(byte[]) ? new byte[] { 1 }
        : type == typeof(DateTimeOffset) ? DateTimeOffset.UnixEpoch
        : Activator.CreateInstance(type)!;

    private sealed record Unit(IServiceScope Services, ControlPlaneDbContext Value) : IDisposable
    {
        public void Dispose() => Services.Dispose();
    }
}
