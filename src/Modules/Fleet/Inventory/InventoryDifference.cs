using System.Globalization;

namespace MissionControl.Fleet.Inventory;

/// <summary>One thing that is not as it was.</summary>
/// <param name="Kind">What sort of change, kebab-case.</param>
/// <param name="Subject">The node, gateway or environment; empty for the cluster itself.</param>
/// <param name="Before">What it was; null when it is new.</param>
/// <param name="After">What it is; null when it is gone.</param>
internal sealed record InventoryDifference(string Kind, string Subject, string? Before, string? After)
{
    private const int MaxText = 200;

    /// <summary>What changed from one inventory to the next; nothing for the first.</summary>
    public static List<InventoryDifference> Between(Protocol.CallHome.Inventory? before, Protocol.CallHome.Inventory after)
    {
        var found = new List<InventoryDifference>();
        if (before is null)
        {
            return found;
        }

        Add(found, "product-version", "", before.ProductVersion, after.ProductVersion);
        Add(found, "agent-version", "", before.AgentVersion, after.AgentVersion);
        Add(found, "time-zone", "", before.TimeZone, after.TimeZone);
        Add(found, "maintenance-window", "", before.MaintenanceWindow, after.MaintenanceWindow);
        Add(found, "update-mode", "", before.UpdateMode, after.UpdateMode);
        Add(found, "remote-access-allowed", "", Word(before.HasRemoteAccessAllowed, before.RemoteAccessAllowed), Word(after.HasRemoteAccessAllowed, after.RemoteAccessAllowed));
        Compare(found, "node", before.Nodes, after.Nodes, node => node.Id, node => node.Version,
            ("role", node => node.Role), ("version", node => node.Version), ("os", node => node.Os),
            ("cores", node => node.HasCores ? node.Cores.ToString(CultureInfo.InvariantCulture) : ""),
            ("memory", node => node.HasMemoryTotalBytes ? node.MemoryTotalBytes.ToString(CultureInfo.InvariantCulture) : ""),
            ("disk-encrypted", node => Word(node.HasDiskEncrypted, node.DiskEncrypted)));
        Compare(found, "gateway", before.Gateways, after.Gateways, gateway => gateway.Id, gateway => gateway.Version,
            ("kind", gateway => gateway.Kind), ("version", gateway => gateway.Version), ("state", gateway => gateway.State), ("os", gateway => gateway.Os));
        Compare(found, "environment", before.Environments, after.Environments, environment => environment.Id, environment => environment.Name,
            ("name", environment => environment.Name));
        return found;
    }

    private static void Compare<T>(
        List<InventoryDifference> found, string noun, IEnumerable<T> before, IEnumerable<T> after, Func<T, string> id, Func<T, string> called, params (string Name, Func<T, string> Read)[] facts)
        where T : class
    {
        var known = before.ToDictionary(id, StringComparer.Ordinal);
        foreach (var thing in after)
        {
            if (!known.Remove(id(thing), out var old))
            {
                found.Add(new InventoryDifference($"{noun}-added", id(thing), null, Cut(called(thing))));
                continue;
            }

            foreach (var (name, read) in facts)
            {
                Add(found, $"{noun}-{name}", id(thing), read(old), read(thing));
            }
        }

        found.AddRange(known.Select(gone => new InventoryDifference($"{noun}-removed", gone.Key, Cut(called(gone.Value)), null)));
    }

    private static void Add(List<InventoryDifference> found, string kind, string subject, string before, string after)
    {
        if (!string.Equals(before, after, StringComparison.Ordinal))
        {
            found.Add(new InventoryDifference(kind, subject, Cut(before), Cut(after)));
        }
    }

    private static string Word(bool known, bool value) => known ? value ? "yes" : "no" : "";

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];
}
