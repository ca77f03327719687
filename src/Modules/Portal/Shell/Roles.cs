namespace MissionControl.Portal.Shell;

/// <summary>The roles that answer the REST API.</summary>
internal static class Roles
{
    public static readonly IReadOnlyList<string> All = ["callhome", "licensing", "fleet", "updates", "remoteaccess", "audit", "identity", "notifications", "portal"];
}
