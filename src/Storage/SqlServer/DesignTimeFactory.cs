using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using MissionControl.Platform.Data;
using MissionControl.Platform.Modules;

namespace MissionControl.Storage.SqlServer;

/// <summary>Builds the whole model for <c>infra/dev migration</c>; no database is opened.</summary>
internal sealed class DesignTimeFactory : IDesignTimeDbContextFactory<ControlPlaneDbContext>
{
    public ControlPlaneDbContext CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<ControlPlaneDbContext>();
        SqlServerStorage.Configure(options, "Server=localhost;Database=design-time");
        return new ControlPlaneDbContext(options.Options, new ModuleCatalog(Catalog.ModuleList.All, [ModuleCatalog.AllRoles]), new SqlServerDialect(), new CustomerScope());
    }
}
