namespace MissionControl.Portal.Pages.Views;

/// <summary>A list whose views can be saved.</summary>
/// <param name="List">What the API calls it.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Path">Its address.</param>
/// <param name="Area">The entry of the navigation it belongs to.</param>
internal sealed record ListOfViews(string List, string Name, string Path, string Area)
{
    private static readonly ListOfViews[] All =
    [
        new("clusters", "Clusters", "/clusters", "Clusters"),
        new("customers", "Customers", "/customers", "Customers"),
        new("audit", "Audit", "/audit", "Audit"),
        new("parked", "Parked messages", "/system/parked", "Parked messages"),
        new("tasks", "Tasks", "/tasks", "Tasks"),
    ];

    /// <summary>The list of a name; null when there is none.</summary>
    public static ListOfViews? Find(string? list) => Array.Find(All, one => one.List == list);

    /// <summary>The address of a view: even the empty one has a query, else the list would open with the default instead.</summary>
    public string Address(string query) => query.Length == 0 ? Path + "?view=none" : $"{Path}?{query}";
}
