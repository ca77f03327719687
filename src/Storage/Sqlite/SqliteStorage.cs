using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;

namespace MissionControl.Storage.Sqlite;

/// <summary>Registers SQLite as the database of the control plane: the embedded default.</summary>
public static class SqliteStorage
{
    /// <summary>The database file below the data directory.</summary>
    public const string FileName = "missioncontrol.db";

    /// <summary>Adds the context over one file.</summary>
    public static void AddSqliteStorage(this IServiceCollection services, string file)
    {
        services.AddSingleton<IDatabaseDialect, SqliteDialect>();
        services.AddScoped<CustomerScope>();
        var connection = new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWriteCreate, Cache = SqliteCacheMode.Private }.ToString();
        services.AddDbContext<ControlPlaneDbContext>(options => Configure(options, connection));
    }

    internal static void Configure(DbContextOptionsBuilder options, string connection) => options
        .UseSqlite(connection, sqlite => sqlite.MigrationsAssembly(typeof(SqliteStorage).Assembly.FullName))
        .AddInterceptors(new SqliteConnectionSettings());
}
