using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Fleet.Clusters;
using MissionControl.Fleet.Events;
using MissionControl.Fleet.Health;
using MissionControl.Fleet.History;
using MissionControl.Fleet.Incidents;
using MissionControl.Fleet.Inventory;
using MissionControl.Fleet.Liveness;
using MissionControl.Platform.Messaging;
using MissionControl.Platform.Modules;
using MissionControl.Platform.Retention;

namespace MissionControl.Fleet;

/// <summary>The role <c>fleet</c>: inventory, liveness, health and events of the clusters.</summary>
public sealed class FleetModule : IModule
{
    /// <inheritdoc />
    public string Name => "fleet";

    /// <inheritdoc />
    public void ConfigureModel(ModelBuilder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.ApplyConfiguration(new FleetCluster.Configuration());
        model.ApplyConfiguration(new FleetCustomer.Configuration());
        model.ApplyConfiguration(new StoredHealth.Configuration());
        model.ApplyConfiguration(new HealthDeadline.Configuration());
        model.ApplyConfiguration(new LastUsage.Configuration());
        model.ApplyConfiguration(new RuleChange.Configuration());
        model.ApplyConfiguration(new HistoryBlock.Configuration());
        model.ApplyConfiguration(new ClusterOverview.Configuration());
        model.ApplyConfiguration(new ChangeCounter.Configuration());
        model.ApplyConfiguration(new IntakeReplica.Configuration());
        model.ApplyConfiguration(new Incident.Configuration());
        model.ApplyConfiguration(new LastContact.Configuration());
        model.ApplyConfiguration(new ClusterLiveness.Configuration());
        model.ApplyConfiguration(new ClusterEvent.Configuration());
        model.ApplyConfiguration(new IntakeClock.Configuration());
        model.ApplyConfiguration(new ClusterInventory.Configuration());
        model.ApplyConfiguration(new CollectorVersion.Configuration());
        model.ApplyConfiguration(new InventoryChange.Configuration());
    }

    /// <inheritdoc />
    public void ConfigureServices(IHostApplicationBuilder host)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.Services.AddSweeper<JudgeLiveness>();
        host.Services.AddSweeper<RejudgeHealth>();
    }

    /// <inheritdoc />
    public void AddHandlers(HandlerRegistry handlers)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        handlers.Add<ItemsReceived, RecordHealth>("fleet.record-health", "health");
        handlers.Add<ItemsReceived, RecordEvents>("fleet.record-events", "event");
        handlers.Add<ItemsReceived, RecordUsageArrival>("fleet.record-usage-arrival", "usage");
        handlers.Add<ItemsReceived, RecordInventory>("fleet.record-inventory", "inventory");
        handlers.Add<ClusterChanged, KeepCluster>("fleet.keep-cluster");
        handlers.Add<CustomerChanged, KeepCustomer>("fleet.keep-customer");
        handlers.Add<IntakeWatermark, KeepWatermark>("fleet.keep-watermark");
    }

    /// <inheritdoc />
    public void DeclareRetention(RetentionTable records)
    {
        ArgumentNullException.ThrowIfNull(records);
        records.Keep("cluster", "which clusters there are, and how they are now", personal: false, "replaced by the newest",
            typeof(FleetCluster), typeof(FleetCustomer), typeof(StoredHealth), typeof(HealthDeadline), typeof(LastUsage), typeof(LastContact), typeof(ClusterLiveness), typeof(ClusterOverview), typeof(ChangeCounter));
        records.Purge<HistoryBlock>("health-history", "how a cluster's metrics went", personal: false, Term.Days(14, 14, 14), "after the hour it tells of", row => row.FromAt);
        records.Purge<RuleChange>("rule-change", "when which rule of a cluster turned", personal: false, Term.Days(14, 14, 14), "after it turned", row => row.At);
        records.Purge<Incident>("incident", "why many clusters seemed silent at once", personal: false, Term.Days(400, 30, 1200), "after it ended", row => row.EndedAt);
        records.Purge<IntakeReplica>("intake-replica", "which callhome replicas deliver", personal: false, Term.Days(1, 1, 30), "after the last watermark", row => row.At);
        records.Keep("inventory", "what a cluster is made of", personal: false, "replaced by the newest", typeof(ClusterInventory), typeof(CollectorVersion));
        records.Purge<InventoryChange>("inventory-change", "what changed in a cluster's inventory", personal: false, Term.Days(400, 30, 1200), "after it came in", row => row.ReceivedAt);
        records.Keep("intake-clock", "how far intake has delivered", personal: false, "overwritten", typeof(IntakeClock));
        records.Purge<ClusterEvent>("event", "what happened at a cluster", personal: false, Term.Days(400, 30, 1200), "after it came in", row => row.ReceivedAt);
    }

    /// <inheritdoc />
    public void MapEndpoints(IEndpointRouteBuilder api) => FleetApi.Map(api);
}
