using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Catalog;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;
using MissionControl.Storage.PostgreSql;
using MissionControl.Storage.Sqlite;
using MissionControl.Storage.SqlServer;
using MissionControl.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(MissionControl.Storage.Tests.SharedPostgres))]

namespace MissionControl.Storage.Tests;

/// <summary>One PostgreSQL server for all tests of this assembly.</summary>
public sealed class SharedPostgres : IAsyncLifetime
{
    public PostgresServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await PostgresServer.StartNewAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>
/// A provider under test: one database that holds the probe's tables, and empty ones on request. The registration is the product's
/// own, so that what is tested is what the host gets.
/// </summary>
public abstract class TestDatabase : IAsyncLifetime
{
    private readonly List<ServiceProvider> owned = [];
    private ServiceProvider probe = null!;
    private string? copy;

    /// <summary>Why this provider cannot be tested here; null when it can.</summary>
    public virtual string? Unavailable => null;

    public async ValueTask InitializeAsync()
    {
        if (Unavailable is not null)
        {
            return;
        }

        probe = await EmptyAsync([new ProbeModule()]);
        await using var scope = probe.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>();
        using var turn = await db.Dialect.EnterWriteAsync(db, WritePriority.Normal, CancellationToken.None);
        await db.Database.EnsureCreatedAsync();
    }

    /// <summary>The services over a database that holds nothing yet.</summary>
    public async Task<ServiceProvider> EmptyAsync(IReadOnlyList<IModule>? modules = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new ModuleCatalog(modules ?? ModuleList.All, [ModuleCatalog.AllRoles]));
        await AddStorageAsync(services);
        if (modules is not null)
        {
            // The product has one model, which EF keeps for the process; another must not be taken for it.
            services.ConfigureDbContext<ControlPlaneDbContext>(options => options.EnableServiceProviderCaching(false));
        }

        var provider = services.BuildServiceProvider();
        owned.Add(provider);
        return provider;
    }

    /// <summary>Does something in a unit of work of its own.</summary>
    public Task<T> WithAsync<T>(Func<ControlPlaneDbContext, Task<T>> work) => WithAsync(probe, work);

    /// <summary>Does something in a write transaction of its own, and commits.</summary>
    public Task<T> WriteAsync<T>(Func<ControlPlaneDbContext, Task<T>> work) => WithAsync(async db =>
    {
        await using var transaction = await db.BeginWriteAsync();
        var result = await work(db);
        await transaction.CommitAsync();
        return result;
    });

    public static async Task<T> WithAsync<T>(IServiceProvider services, Func<ControlPlaneDbContext, Task<T>> work)
    {
        await using var scope = services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<ControlPlaneDbContext>());
    }

    /// <summary>The columns of a table, each with a literal that fits it.</summary>
    public abstract string Literal(string storeType);

    /// <summary>The services over a copy of a database as it is now; null where that is not cheap.</summary>
    public async Task<ServiceProvider?> CopyAsync(ServiceProvider original)
    {
        copy = await WithAsync(original, async db => await MakeCopyAsync(await db.OpenConnectionAsync(CancellationToken.None)));
        return copy is null ? null : await EmptyAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var provider in owned)
        {
            await provider.DisposeAsync();
        }
    }

    /// <summary>What the next services are over in place of an empty database; taken once.</summary>
    protected string? TakeCopy() => Interlocked.Exchange(ref copy, null);

    protected virtual Task<string?> MakeCopyAsync(System.Data.Common.DbConnection original) => Task.FromResult<string?>(null);

    protected abstract Task AddStorageAsync(IServiceCollection services);
}

public sealed class SqliteDatabase : TestDatabase
{
    private readonly string directory = Directory.CreateTempSubdirectory("mc-storage-").FullName;
    private int files;

    public override string Literal(string storeType) => storeType is "BLOB" ? "x'00'" : "1";

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(directory, recursive: true);
    }

    protected override Task AddStorageAsync(IServiceCollection services)
    {
        services.AddSqliteStorage(TakeCopy() ?? Path.Combine(directory, $"{++files}.db"));
        return Task.CompletedTask;
    }

    protected override async Task<string?> MakeCopyAsync(System.Data.Common.DbConnection original)
    {
        var file = Path.Combine(directory, $"{++files}.db");
        await using var from = new SqliteConnection($"Data Source={original.DataSource};Pooling=False");
        await using var to = new SqliteConnection($"Data Source={file};Pooling=False");
        await from.OpenAsync();
        await to.OpenAsync();
        from.BackupDatabase(to);
        return file;
    }
}

public sealed class PostgreSqlDatabase(SharedPostgres shared) : TestDatabase
{
    public override string Literal(string storeType) => storeType switch
    {
        "uuid" => "'018f0000-0000-7000-8000-000000000001'",
        "bytea" => "'\\x00'",
        "boolean" => "true",
        _ => "'1'",
    };

    protected override async Task AddStorageAsync(IServiceCollection services) => services.AddPostgreSqlStorage(shared.Server.ConnectionString(TakeCopy() ?? await shared.Server.CreateDatabaseAsync()));

    // As pg_dump and pg_restore would leave it; a template must be nobody's at that moment.
    protected override async Task<string?> MakeCopyAsync(System.Data.Common.DbConnection original)
    {
        var (name, copy) = (original.Database, $"mc_{Guid.CreateVersion7():N}");
        await original.CloseAsync();
        Npgsql.NpgsqlConnection.ClearAllPools();
        await shared.Server.ExecuteAsync("postgres", $"CREATE DATABASE {copy} TEMPLATE {name}");
        return copy;
    }
}

/// <summary>Databases of their own on the server that <c>MC_TEST_SQLSERVER</c> names; no SQL Server can be installed from a package here.</summary>
public sealed class SqlServerDatabase : TestDatabase
{
    private static readonly string? Server = Environment.GetEnvironmentVariable("MC_TEST_SQLSERVER");
    private readonly List<string> made = [];

    public override string? Unavailable => string.IsNullOrEmpty(Server) ? "Set MC_TEST_SQLSERVER to the connection string of an SQL Server's administrator to run the storage contract there." : null;

    public override string Literal(string storeType) => storeType.Contains("binary", StringComparison.Ordinal) ? "0x01" : "'1'";

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var name in made)
        {
            await ExecuteAsync($"ALTER DATABASE [{name}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; DROP DATABASE [{name}];");
        }
    }

    protected override async Task AddStorageAsync(IServiceCollection services)
    {
        var name = $"mc_{Guid.CreateVersion7():N}";
        await ExecuteAsync($"CREATE DATABASE [{name}]; ALTER DATABASE [{name}] SET READ_COMMITTED_SNAPSHOT ON;");
        made.Add(name);
        services.AddSqlServerStorage(new SqlConnectionStringBuilder(Server) { InitialCatalog = name }.ConnectionString);
    }

    private static async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqlConnection(Server);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
