using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Storage.Sqlite;

/// <summary>Builds the whole model for <c>infra/dev migration</c>; no database is opened.</summary>
internal sealed class DesignTimeFactory : IDesignTimeDbContextFactory<ControlPlaneDbContext>
{
    public ControlPlaneDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<ControlPlaneDbContext>();
        SqliteStorage.Configure(options, "Data Source=design-time.db");
        return new ControlPlaneDbContext(options.Options, new ModuleCatalog(Catalog.ModuleList.All, [ModuleCatalog.AllRoles]), new SqliteDialect(new SqliteConnections("design-time.db")), new CustomerScope());
    }
}
