using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;

namespace MissionControl.Storage.PostgreSql;

/// <summary>Registers PostgreSQL as the database of the control plane: for several replicas.</summary>
public static class PostgreSqlStorage
{
    /// <summary>Adds the context over one database.</summary>
    public static void AddPostgreSqlStorage(this IServiceCollection services, string connection)
    {
        services.AddSingleton<IDatabaseDialect, PostgreSqlDialect>();
        services.AddScoped<CustomerScope>();
        services.AddDbContext<ControlPlaneDbContext>(options => Configure(options, connection));
    }

    internal static void Configure(DbContextOptionsBuilder options, string connection) => options
        .UseNpgsql(connection, npgsql => npgsql.MigrationsAssembly(typeof(PostgreSqlStorage).Assembly.FullName).MigrationsHistoryTable("schema_history"));
}
