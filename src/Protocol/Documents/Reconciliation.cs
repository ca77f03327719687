using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace MissionControl.Protocol.Documents;

/// <summary>
/// By what the log of a customer and the cluster's own log are joined, the same for whoever does it. Joined is only what both sides
/// write down for certain and call by one name; everything else says nothing when it is on one side alone.
/// </summary>
public static class Reconciliation
{
    /// <summary>The agent was enrolled.</summary>
    public const string Enrolled = "enrolled";

    /// <summary>A key is about to be announced.</summary>
    public const string KeyAnnounced = "key-announced";

    /// <summary>Mission Control has taken the key.</summary>
    public const string KeyRotated = "key-rotated";

    /// <summary>A new key is asked for.</summary>
    public const string RotationAsked = "rotation-asked";

    /// <summary>The inventory is asked for.</summary>
    public const string InventoryAsked = "inventory-asked";

    /// <summary>A new epoch.</summary>
    public const string EpochTaken = "epoch-taken";

    /// <summary>The cluster is refused because it is suspended.</summary>
    public const string Suspended = "suspended";

    /// <summary>It is taken again.</summary>
    public const string Resumed = "resumed";

    /// <summary>It is refused for good.</summary>
    public const string Decommissioned = "decommissioned";

    private static readonly FrozenSet<string> Joined = new[] { Enrolled, KeyRotated, RotationAsked, InventoryAsked, EpochTaken, Suspended, Resumed, Decommissioned }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Types of the entries of a customer's log by which entries of a cluster's log are joined.</summary>
    public static IReadOnlyList<string> Types { get; } =
    [
        "callhome.cluster-decommissioned", "callhome.cluster-enrolled", "callhome.cluster-readmitted", "callhome.cluster-resumed", "callhome.cluster-suspended", "callhome.cluster-unenrolled",
        "callhome.epoch-issued", "callhome.key-rotated", "callhome.key-rotation-requested", "fleet.inventory-requested",
    ];

    /// <summary>By what an entry of a cluster's log has to be found in the log of its customer; null: it need not be there.</summary>
    public static string? WantedBy(ClusterLogEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Reference is not null && Joined.Contains(entry.Type) ? $"{entry.Type} {entry.Reference}" : null;
    }

    /// <summary>The key that an entry of a cluster's log says the cluster has made itself; null: it says nothing of the kind.</summary>
    public static string? KeyOf(ClusterLogEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Type is KeyAnnounced or KeyRotated ? entry.Reference : null;
    }
}

/// <summary>A key that a customer's log says the cluster has replaced its own by.</summary>
/// <param name="Reference">The key, as the cluster's log calls it.</param>
/// <param name="RecordedAt">When the customer's log took it.</param>
/// <param name="EventId">Its entry.</param>
public sealed record ToldRotation(string Reference, DateTimeOffset RecordedAt, Guid EventId);

/// <summary>What the log of a customer says was done to one of its clusters.</summary>
/// <param name="cluster">The cluster.</param>
public sealed class VendorSide(Guid cluster)
{
    private readonly HashSet<string> given = new(StringComparer.Ordinal);
    private readonly List<ToldRotation> rotations = [];
    private int suspended;
    private int resumed;

    /// <summary>The keys that it says the cluster has introduced. The cluster notes a key before it announces it, so each must be in its log.</summary>
    public IReadOnlyList<ToldRotation> Rotations => rotations;

    /// <summary>Whether there is what an entry of the cluster's log is joined by.</summary>
    public bool Has(string wanted) => given.Contains(wanted);

    /// <summary>Takes an entry of the customer's log, in the order of that log.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public void Add(JsonElement entry)
    {
        try
        {
            if (!entry.TryGetProperty("clusterId", out var id) || id.GetGuid() != cluster)
            {
                return;
            }

            // Of an imported entry what it tells of: the cluster may have seen it only now.
            var told = entry.TryGetProperty("imported", out var imported) ? imported : entry;
            if (told.GetProperty("outcome").GetString() == "success")
            {
                Take(told, entry.GetProperty("recordedAt").GetDateTimeOffset(), entry.GetProperty("eventId").GetGuid());
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException($"This is no entry of an audit log: {exception.Message}", exception);
        }
    }

    private void Take(JsonElement told, DateTimeOffset recordedAt, Guid eventId)
    {
        switch (told.GetProperty("type").GetString())
        {
            case "callhome.cluster-enrolled" or "callhome.cluster-readmitted" when Value(told, "/key") is { ValueKind: JsonValueKind.String } key:
                given.Add($"{Reconciliation.Enrolled} key:{key.GetString()}");
                break;
            case "callhome.key-rotated" when Value(told, "/keys/-") is { ValueKind: JsonValueKind.String } key:
                given.Add($"{Reconciliation.KeyRotated} key:{key.GetString()}");
                rotations.Add(new ToldRotation($"key:{key.GetString()}", recordedAt, eventId));
                break;
            case "callhome.key-rotation-requested" when Value(told, "/retire") is { ValueKind: JsonValueKind.Array } keys:
                given.UnionWith(keys.EnumerateArray().Select(key => $"{Reconciliation.RotationAsked} key:{key.GetString()}"));
                break;
            case "callhome.epoch-issued" when Value(told, "/epoch") is { ValueKind: JsonValueKind.Number } epoch:
                given.Add(string.Create(CultureInfo.InvariantCulture, $"{Reconciliation.EpochTaken} epoch:{epoch.GetInt64()}"));
                break;
            case "fleet.inventory-requested" when Value(told, "/inventoryAskedAt") is { ValueKind: JsonValueKind.String } at:
                given.Add(string.Create(CultureInfo.InvariantCulture, $"{Reconciliation.InventoryAsked} inventory:{at.GetDateTimeOffset().ToUnixTimeMilliseconds()}"));
                break;
            case "callhome.cluster-suspended":
                given.Add(string.Create(CultureInfo.InvariantCulture, $"{Reconciliation.Suspended} suspended:{++suspended}"));
                break;
            case "callhome.cluster-resumed":
                given.Add(string.Create(CultureInfo.InvariantCulture, $"{Reconciliation.Resumed} resumed:{++resumed}"));
                break;
            case "callhome.cluster-decommissioned" or "callhome.cluster-unenrolled":
                given.Add($"{Reconciliation.Decommissioned} decommissioned");
                break;
            default:
                break;
        }
    }

    private static JsonElement? Value(JsonElement told, string path) =>
        told.TryGetProperty("changes", out var changes) && changes.EnumerateArray().FirstOrDefault(change => change.GetProperty("path").GetString() == path) is { ValueKind: JsonValueKind.Object } change && change.TryGetProperty("value", out var value) ? value : null;
}
