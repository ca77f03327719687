using System.Globalization;
using System.Text.Json;

namespace MissionControl.Cli.Audit;

/// <summary>Whose slot is whose, by the entries <c>audit.log-registered</c> of the fleet's log: one slot is of one log, and one log has one.</summary>
/// <param name="slot">The slot in question.</param>
/// <param name="origin">The log that is said to have it.</param>
internal sealed class SlotRegister(long slot, string origin)
{
    private const string Type = "audit.log-registered";

    /// <summary>The entries that give that slot, or a slot to that log.</summary>
    public List<byte[]> Entries { get; } = [];

    /// <summary>Where the entry stands that gives the one to the other; null: there is none.</summary>
    public long? GivenAt { get; private set; }

    /// <summary>What is wrong with them, in a sentence; null: nothing.</summary>
    public string? Problem { get; private set; }

    /// <summary>Takes the next entry of the log.</summary>
    public void Read(long index, ReadOnlySpan<byte> entry)
    {
        if (entry.IndexOf("audit.log-registered"u8) < 0)
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(entry.ToArray());
            var root = document.RootElement;
            if (root.GetProperty("type").GetString() != Type)
            {
                return;
            }

            var (given, to) = (root.GetProperty("changes")[0].GetProperty("value").GetInt64(), root.GetProperty("target").GetProperty("id").GetString());
            if (given != slot && to != origin)
            {
                return;
            }

            Entries.Add(entry.ToArray());
            GivenAt ??= given == slot && to == origin ? index : null;
            Problem ??= given == slot && to == origin ? null
                : string.Create(CultureInfo.InvariantCulture, $"Entry {index} of the fleet's log gives slot {given} to {to}, and the proof has {origin} in slot {slot}: a slot is one log's for ever.");
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            // Some text that holds the word, and no entry of ours.
        }
    }
}
