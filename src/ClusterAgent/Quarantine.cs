using System.Text.Json;
using MissionControl.Protocol.CallHome;

namespace MissionControl.ClusterAgent;

/// <summary>An item that Mission Control refused for good.</summary>
/// <param name="Type">Its class.</param>
/// <param name="At">When it happened.</param>
/// <param name="Code">Why.</param>
/// <param name="Detail">Why, in the server's words.</param>
/// <param name="Body">Its bytes.</param>
public sealed record QuarantinedItem(string Type, DateTimeOffset At, string Code, string Detail, byte[] Body);

/// <summary>Items that were refused for good, kept aside for a person to look at: the newest hundred. Usage is kept by its own store, all of it.</summary>
public sealed class Quarantine(string directory)
{
    private const int Most = 100;

    /// <summary>How many there are.</summary>
    public int Count => Directory.Exists(directory) ? Directory.EnumerateFiles(directory, "*.json").Count() : 0;

    /// <summary>Puts one aside.</summary>
    public void Keep(Item item, long epoch, string code, string detail)
    {
        DurableFile.CreateDirectory(directory);
        var kept = new QuarantinedItem(item.Type, DateTimeOffset.FromUnixTimeMilliseconds(item.AtMs), code, detail, item.Body.ToByteArray());
        DurableFile.Write(Path.Combine(directory, $"{epoch:D10}-{item.Seq:D19}.json"), JsonSerializer.SerializeToUtf8Bytes(kept));
        foreach (var old in Directory.EnumerateFiles(directory, "*.json").Order(StringComparer.Ordinal).SkipLast(Most).ToList())
        {
            File.Delete(old);
        }
    }

    /// <summary>All of them, oldest number first.</summary>
    public IReadOnlyList<QuarantinedItem> Read() => Directory.Exists(directory)
        ? [.. Directory.EnumerateFiles(directory, "*.json").Order(StringComparer.Ordinal).Select(file => JsonSerializer.Deserialize<QuarantinedItem>(File.ReadAllBytes(file))!)]
        : [];
}
