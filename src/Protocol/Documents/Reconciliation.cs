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

    /// <summary>The agent has a key that its log does not tell of: it was replaced before there was a log, or by an agent that keeps none.</summary>
    public const string KeyHeld = "key-held";

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

    /// <summary>Whether that is told apart from others of its kind only by how many there were.</summary>
    public static bool IsCounted(string wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return wanted.StartsWith($"{Suspended} ", StringComparison.Ordinal) || wanted.StartsWith($"{Resumed} ", StringComparison.Ordinal);
    }

    /// <summary>The key that an entry of a cluster's log says the cluster has made itself; null: it says nothing of the kind.</summary>
    public static string? KeyOf(ClusterLogEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Type is KeyAnnounced or KeyRotated or KeyHeld ? entry.Reference : null;
    }
}

/// <summary>A key that a customer's log says the cluster has replaced its own by.</summary>
/// <param name="Reference">The key, as the cluster's log calls it.</param>
/// <param name="RecordedAt">When the customer's log took it; of what was imported, when it was.</param>
/// <param name="EventId">Its entry.</param>
public sealed record ToldRotation(string Reference, DateTimeOffset RecordedAt, Guid EventId);

/// <summary>What the log of a customer says was done to one of its clusters.</summary>
/// <param name="cluster">The cluster.</param>
public sealed class VendorSide(Guid cluster)
{
    private readonly HashSet<string> given = new(StringComparer.Ordinal);
    private readonly List<ToldRotation> rotations = [];
    private readonly List<(bool Suspended, DateTimeOffset At)> states = [];

    /// <summary>The keys that it says the cluster has introduced. The cluster notes a key before it announces it, so each must be in its log.</summary>
    public IReadOnlyList<ToldRotation> Rotations => rotations;

    /// <summary>Whether there is what an entry of the cluster's log is joined by.</summary>
    /// <param name="wanted">By what it is joined.</param>
    /// <param name="begun">When that log began: states are counted from then on. It sees one that it begins in, too.</param>
    public bool Has(string wanted, DateTimeOffset begun)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (!Reconciliation.IsCounted(wanted))
        {
            return given.Contains(wanted);
        }

        var isSuspended = wanted.StartsWith($"{Reconciliation.Suspended} ", StringComparison.Ordinal);
        var count = states.Count(state => state.Suspended == isSuspended && state.At >= begun);
        var before = states.Where(state => state.At < begun).OrderBy(state => state.At).LastOrDefault();
        return int.TryParse(wanted.AsSpan(wanted.LastIndexOf(':') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= count + (isSuspended && before.Suspended ? 1 : 0);
    }

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

            // Of an imported entry what it tells of, and when that was: the cluster may have seen it only now.
            var isImported = entry.TryGetProperty("imported", out var imported);
            var told = isImported ? imported : entry;
            if (told.GetProperty("outcome").GetString() == "success")
            {
                Take(told, told.GetProperty(isImported ? "occurredAt" : "recordedAt").GetDateTimeOffset(), entry.GetProperty("eventId").GetGuid());
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
                states.Add((true, recordedAt));
                break;
            case "callhome.cluster-resumed":
                states.Add((false, recordedAt));
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
