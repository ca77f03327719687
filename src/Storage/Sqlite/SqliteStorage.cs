using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
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
        services.AddSingleton(_ => new SqliteConnections(file));
        services.AddScoped<SqliteConnections.Lease>();
        services.AddHostedService<SqliteCheckpoints>();
        services.AddDbContext<ControlPlaneDbContext>(options => Configure(options, $"Data Source={file}"), optionsLifetime: ServiceLifetime.Singleton);
        services.Replace(ServiceDescriptor.Scoped(provider =>
        {
            var db = ActivatorUtilities.CreateInstance<ControlPlaneDbContext>(provider);
            db.Database.SetDbConnection(provider.GetRequiredService<SqliteConnections.Lease>().Connection);
            return db;
        }));
    }

    internal static void Configure(DbContextOptionsBuilder options, string connection) => options
        .UseSqlite(connection, sqlite => sqlite.MigrationsAssembly(typeof(SqliteStorage).Assembly.FullName));
}
