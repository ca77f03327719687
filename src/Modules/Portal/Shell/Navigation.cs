namespace MissionControl.Portal.Shell;

/// <summary>An entry of the navigation.</summary>
/// <param name="Name">What it is called, and the area of its pages.</param>
/// <param name="Address">Where it leads.</param>
/// <param name="Icon">Its icon.</param>
/// <param name="Scope">Without this right it is left out.</param>
/// <param name="ForStaff">Customers' people are not shown it, whatever their rights.</param>
internal sealed record NavigationEntry(string Name, string Address, string Icon, string? Scope, bool ForStaff = false);

/// <summary>What there is to go to; entries that the reader can never use are left out.</summary>
internal static class Navigation
{
    public static readonly IReadOnlyList<(string Name, IReadOnlyList<NavigationEntry> Entries)> Groups =
    [
        ("", [new NavigationEntry("Today", "/", "today", null)]),
        ("Fleet",
        [
            new NavigationEntry("Overview", "/fleet", "overview", "fleet:read"),
            new NavigationEntry("Clusters", "/clusters", "clusters", "fleet:read"),
            new NavigationEntry("Versions", "/fleet/versions", "versions", "fleet:read"),
            new NavigationEntry("Enrolment", "/clusters/enrol", "enrolment", "callhome:read"),
        ]),
        ("Business",
        [
            new NavigationEntry("Customers", "/customers", "customers", "licensing:read"),
            new NavigationEntry("Licences", "/licences", "licence", "licensing:read"),
            new NavigationEntry("Price books", "/billing/pricebooks", "prices", "licensing:read", ForStaff: true),
        ]),
        ("Billing",
        [
            new NavigationEntry("Periods", "/billing/periods", "periods", "licensing:read", ForStaff: true),
            new NavigationEntry("Statements", "/billing/statements", "statements", "licensing:read"),
            new NavigationEntry("Adjustments", "/billing/adjustments", "adjustments", "licensing:read", ForStaff: true),
        ]),
        ("Operation",
        [
            new NavigationEntry("People", "/people", "person", "identity:read"),
            new NavigationEntry("Tokens", "/tokens", "token", "identity:read"),
            new NavigationEntry("Programs", "/programs", "program", "identity:read"),
            new NavigationEntry("Leaks", "/leaks", "leak", "identity:read"),
            new NavigationEntry("Posture", "/security/posture", "posture", "identity:read"),
            new NavigationEntry("Audit", "/audit", "audit", "audit:read"),
            new NavigationEntry("Messages", "/messages", "messages", "notifications:read"),
            new NavigationEntry("System", "/system", "system", "system:read"),
            new NavigationEntry("Parked messages", "/system/parked", "parked", "system:read"),
            new NavigationEntry("Jobs", "/system/jobs", "jobs", "system:read"),
        ]),
    ];
}
