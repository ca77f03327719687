using MissionControl.Audit;
using MissionControl.CallHome;
using MissionControl.Fleet;
using MissionControl.Identity;
using MissionControl.Licensing;
using MissionControl.Notifications;
using MissionControl.Platform.Modules;
using MissionControl.Portal;
using MissionControl.RemoteAccess;
using MissionControl.Updates;

namespace MissionControl.Catalog;

/// <summary>Every role of Mission Control. Adding one here is all it takes to be hosted, migrated and checked.</summary>
public static class ModuleList
{
    /// <summary>The roles in the order in which their services start.</summary>
    public static IReadOnlyList<IModule> All { get; } =
    [
        new IdentityModule(),
        new AuditModule(),
        new CallHomeModule(),
        new LicensingModule(),
        new FleetModule(),
        new UpdatesModule(),
        new RemoteAccessModule(),
        new NotificationsModule(),
        new PortalModule(),
    ];
}
