using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MissionControl.Platform.Data;

namespace MissionControl.Storage.SqlServer;

/// <summary>Registers SQL Server (2019 or later) as the database of the control plane: for several replicas.</summary>
public static class SqlServerStorage
{
    /// <summary>Adds the context over one database.</summary>
    public static void AddSqlServerStorage(this IServiceCollection services, string connection)
    {
        services.AddSingleton<IDatabaseDialect, SqlServerDialect>();
        services.AddScoped<CustomerScope>();
        services.AddDbContext<ControlPlaneDbContext>(options => Configure(options, connection));
    }

    internal static void Configure(DbContextOptionsBuilder options, string connection) => options
        .UseSqlServer(connection, server => server.MigrationsAssembly(typeof(SqlServerStorage).Assembly.FullName).MigrationsHistoryTable("schema_history"));
}
