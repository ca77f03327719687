using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using MissionControl.Audit.Access;
using MissionControl.Audit.Entries;
using MissionControl.Contracts.Events.Audit;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;

namespace MissionControl.Audit;

/// <summary>The role <c>audit</c>: an append-only table, fed by the one event <c>audit.entry</c>.</summary>
public sealed class AuditModule : IModule
{
    /// <inheritdoc />
    public string Name => "audit";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new AuditEntry.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<AuditEntryRecorded, AppendEntry>("audit.append-entry");
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Keep("entry", "who did what, for whom and why", personal: true, "for good: the database itself refuses to change or delete an entry", typeof(AuditEntry));
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api)
    {
        ListEntries.Map(api);
        AccessApi.Map(api);
    }
}
