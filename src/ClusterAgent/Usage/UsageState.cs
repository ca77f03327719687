using System.Text.Json;
using MissionControl.Protocol.Documents;

namespace MissionControl.ClusterAgent.Usage;

/// <summary>What turns counters into hours: the last readings, and the hours that are still open.</summary>
public sealed class UsageState
{
    /// <summary>The newest reading, by the server's clock; null before the first.</summary>
    public DateTimeOffset? ObservedAt { get; set; }

    /// <summary>The last reading of every counter, by its key.</summary>
    public Dictionary<string, UsageCounter> Counters { get; init; } = [];

    /// <summary>Hours that have not been closed.</summary>
    public SortedDictionary<int, OpenHour> Open { get; init; } = [];

    /// <summary>Digest of the window of the hour closed last.</summary>
    public string? LastDigest { get; set; }

    /// <summary>Versions of agent and server under which refused windows were offered last.</summary>
    public string? OfferedUnder { get; set; }

    /// <summary>Since when an epoch is asked for, by the server's clock: hours that end later are not closed yet. Null: none is.</summary>
    public DateTimeOffset? HeldAfter { get; set; }

    /// <summary>Meter, version and dimensions in one text.</summary>
    public static string KeyOf(UsageCounter counter)
    {
        ArgumentNullException.ThrowIfNull(counter);
        return $"{counter.Meter}/{counter.Version}/{new UsageCell(counter.Meter, counter.Version, counter.Dimensions, "0").DimensionText}";
    }

    /// <summary>A copy that shares nothing.</summary>
    public UsageState Clone() => FromBytes(ToBytes());

    /// <summary>As stored.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <summary>As stored.</summary>
    /// <exception cref="JsonException">The bytes are damaged.</exception>
    public static UsageState FromBytes(ReadOnlySpan<byte> bytes) => JsonSerializer.Deserialize<UsageState>(bytes) ?? throw new JsonException("The usage state is null.");
}

/// <summary>An hour that is being filled.</summary>
public sealed class OpenHour
{
    /// <summary>Quantities so far, by the counter's key.</summary>
    public Dictionary<string, OpenCell> Cells { get; init; } = [];

    /// <summary>Something of it could not be observed.</summary>
    public bool Incomplete { get; set; }

    /// <summary>Adds to a cell; a reading of nothing makes an explicit zero.</summary>
    public void Add(string key, UsageCounter counter, decimal quantity)
    {
        ArgumentNullException.ThrowIfNull(counter);
        Cells[key] = Cells.TryGetValue(key, out var cell)
            ? cell with { Quantity = cell.Quantity + quantity }
            : new OpenCell(counter.Meter, counter.Version, counter.Dimensions, quantity);
    }
}

/// <summary>A cell that is being filled.</summary>
/// <param name="Meter">Key of the meter.</param>
/// <param name="Version">Version of the meter.</param>
/// <param name="Dimensions">Dimensions.</param>
/// <param name="Quantity">So far.</param>
public sealed record OpenCell(string Meter, int Version, IReadOnlyDictionary<string, string> Dimensions, decimal Quantity);
