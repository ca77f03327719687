using System.Globalization;
using System.Text.Json;

namespace MissionControl.Cli.Audit;

/// <summary>What a log says of the entries that it does not have any more.</summary>
/// <param name="First">The first entry that it has.</param>
/// <param name="FirstAt">When that was recorded: those before it are no younger.</param>
/// <param name="Index">Where the entry stands that says so.</param>
/// <param name="At">When that was recorded.</param>
/// <param name="Days">The term that it names.</param>
internal sealed record PrunedPart(long First, DateTimeOffset FirstAt, long Index, DateTimeOffset At, int Days);

/// <summary>Looks, in a log that begins behind its first entry, for the entry <c>audit.log-pruned</c> by which it says so.</summary>
/// <param name="first">The first entry that is there.</param>
internal sealed class PruneRegister(long first)
{
    private const string Type = "audit.log-pruned";
    private DateTimeOffset? firstAt;
    private (long Index, DateTimeOffset At, int Days)? said;

    /// <summary>What was found; null: it does not say so.</summary>
    public PrunedPart? Found => firstAt is { } from && said is { } one ? new PrunedPart(first, from, one.Index, one.At, one.Days) : null;

    /// <summary>Why what it says is not enough; null: it is.</summary>
    public string? Problem => Found is { } part && part.FirstAt.AddDays(part.Days) > part.At ? string.Create(CultureInfo.InvariantCulture, $"Entries 0 to {first - 1} were pruned before they were {part.Days} days old, as entry {part.Index} has it: entry {first} is of {part.FirstAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}.")
        : null;

    /// <summary>Takes the next entry of the log.</summary>
    public void Read(long index, ReadOnlySpan<byte> entry)
    {
        if (index != first && entry.IndexOf("audit.log-pruned"u8) < 0)
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(entry.ToArray());
            var (root, at) = (document.RootElement, document.RootElement.GetProperty("recordedAt").GetDateTimeOffset());
            firstAt = index == first ? at : firstAt;
            if (said is null && TermRegister.IsOwn(root, Type) && Value(root, "/minimum") == first && Value(root, "/days") is { } days and >= TermRegister.Fewest and <= TermRegister.Most)
            {
                // The first one counts: what is said again later makes nothing old enough that was pruned before.
                said = (index, at, (int)days);
            }
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Some text that holds the word, and no entry of ours.
        }
    }

    private static long? Value(JsonElement entry, string path) => entry.GetProperty("changes").EnumerateArray().Where(change => change.GetProperty("path").ValueEquals(path)).Select(change => (long?)change.GetProperty("value").GetInt64()).FirstOrDefault();
}

/// <summary>For how long entries are kept, by the entries <c>audit.retention-set</c> of the fleet's log: which term held when.</summary>
internal sealed class TermRegister
{
    /// <summary>No term is shorter, so that whoever verifies once a month has seen every entry.</summary>
    public const int Fewest = 30;

    /// <summary>No term is longer.</summary>
    public const int Most = 36_500;

    private const string Type = "audit.retention-set";
    private readonly List<(DateTimeOffset At, int? Days)> terms = [];

    /// <summary>Whether an entry is of a type, and of the audit role itself.</summary>
    public static bool IsOwn(JsonElement entry, string type) => entry.GetProperty("type").ValueEquals(type) && entry.GetProperty("producer").GetString()?.Split('/')[0] == "audit";

    /// <summary>Why what was pruned was not permitted; null: it was.</summary>
    public string? ProblemOf(PrunedPart part) => terms.LastOrDefault(term => term.At <= part.At) is { Days: { } days } ? part.FirstAt.AddDays(days) <= part.At ? null
            : string.Create(CultureInfo.InvariantCulture, $"the log of the fleet published a term of {days} days, and entries before {part.First} were pruned sooner, as entry {part.Index} says.")
        : string.Create(CultureInfo.InvariantCulture, $"the log of the fleet had published no term when entries before {part.First} were pruned, as entry {part.Index} says.");

    /// <summary>Takes the next entry of the log.</summary>
    public void Read(ReadOnlySpan<byte> entry)
    {
        if (entry.IndexOf("audit.retention-set"u8) < 0)
        {
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(entry.ToArray());
            var root = document.RootElement;
            var change = root.GetProperty("changes")[0];
            int? days = change.TryGetProperty("value", out var value) && value.ValueKind != JsonValueKind.Null ? value.GetInt32() : null;
            if (IsOwn(root, Type) && change.GetProperty("path").ValueEquals("/days") && days is null or (>= Fewest and <= Most))
            {
                terms.Add((root.GetProperty("recordedAt").GetDateTimeOffset(), days));
            }
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            // Some text that holds the word, and no entry of ours.
        }
    }
}
