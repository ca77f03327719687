using System.Text.Json;
using System.Text.Unicode;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Export;

/// <summary>An entry on its way out: its exact bytes, where it stands, and what is kept beside it of persons.</summary>
internal sealed class ExportedEntry
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    // What some readers end a line at: NEL, U+2028 and U+2029.
    private static readonly byte[][] Separators = [[0xC2, 0x85], [0xE2, 0x80, 0xA8], [0xE2, 0x80, 0xA9]];

    /// <summary>Takes it apart.</summary>
    /// <param name="log">Where it stands.</param>
    /// <param name="index">Its place there.</param>
    /// <param name="content">Its exact bytes.</param>
    /// <param name="kept">What is kept beside it; null: the reader may not see that, whether or not it is there.</param>
    /// <exception cref="FormatException">No log wrote these bytes: in a line they could end it, or say two things at once.</exception>
    /// <exception cref="JsonException">They are no JSON.</exception>
    public ExportedEntry(Log log, long index, byte[] content, IReadOnlyList<PersonalValue>? kept)
    {
        (Log, Index, Content, Hash) = (log, index, content, TreeHash.OfLeaf(content));
        if (!Utf8.IsValid(content) || content.Any(one => one < ' ') || Separators.Any(one => content.AsSpan().IndexOf(one) >= 0))
        {
            throw new FormatException($"Entry {index} of log {log.Id} has characters that no log writes as they are.");
        }

        Entry = JsonElement.Parse(content, Options);

        // As the search has it: only what the entry is committed to is told as what it says, and what is not there any more was erased.
        var commitments = kept is null ? [] : Entry.GetProperty("commitments").EnumerateObject().ToList();
        var values = (kept ?? []).ToDictionary(one => one.Field, StringComparer.Ordinal);
        Personal = new SortedDictionary<string, string>(
            commitments.Where(one => values.TryGetValue(one.Name, out var value) && EntryBodies.IsOf(one.Value.GetString(), value.Salt, one.Name, value.Value)).ToDictionary(one => one.Name, one => values[one.Name].Value), StringComparer.Ordinal);
        Erased = [.. commitments.Select(one => one.Name).Where(name => !values.ContainsKey(name)).Order(StringComparer.Ordinal)];

        // Of an imported entry what it tells of, as it is found; its names and addresses stand in the bytes of before.
        IsImported = Entry.TryGetProperty("imported", out var imported);
        Told = IsImported ? imported : Entry;
        Named = IsImported ? NamesOf(Personal.GetValueOrDefault(Leaf.ImportedField)) : Personal;
        Changes = Told.TryGetProperty("changes", out var changes) ? changes : Personal.TryGetValue(Leaf.ChangesField, out var aside) ? JsonElement.Parse(aside) : null;
    }

    public Log Log { get; }

    public long Index { get; }

    /// <summary>Its exact bytes.</summary>
    public byte[] Content { get; }

    public TreeHash Hash { get; }

    /// <summary>The entry.</summary>
    public JsonElement Entry { get; }

    /// <summary>What it tells of: itself, or the entry of before.</summary>
    public JsonElement Told { get; }

    public bool IsImported { get; }

    /// <summary>What it changed; null where that was too much to stand in it and is erased.</summary>
    public JsonElement? Changes { get; }

    /// <summary>What is kept beside it, by field.</summary>
    public IReadOnlyDictionary<string, string> Personal { get; }

    /// <summary>Of these the names and addresses.</summary>
    public IReadOnlyDictionary<string, string> Named { get; }

    /// <summary>Fields of which nothing is kept any more.</summary>
    public IReadOnlyList<string> Erased { get; }

    public string Type => Told.GetProperty("type").GetString()!;

    public string Outcome => Told.GetProperty("outcome").GetString()!;

    public string EventId => Entry.GetProperty("eventId").GetString()!;

    public JsonElement Actor => Told.GetProperty("actor");

    public JsonElement Target => Told.GetProperty("target");

    /// <summary>A text that it may have.</summary>
    public static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A time as Unix milliseconds.</summary>
    public static long Milliseconds(JsonElement json, string name) => json.GetProperty(name).GetDateTimeOffset().ToUnixTimeMilliseconds();

    /// <summary>Entries from one place to before another, in two statements.</summary>
    /// <param name="db">The database.</param>
    /// <param name="log">The log.</param>
    /// <param name="reader">The customer who gets them; null: the vendor. Of the fleet's log a customer gets the entries, and what is kept beside its own alone.</param>
    /// <param name="from">The first.</param>
    /// <param name="to">Behind the last.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<IReadOnlyList<ExportedLeaf>> ReadAsync(ControlPlaneDbContext db, Log log, Guid? reader, long from, long to, CancellationToken cancellationToken)
    {
        var leaves = await db.Set<LogLeaf>().AsNoTracking().Where(row => row.LogId == log.Id && row.Position >= from && row.Position < to).Select(row => new { row.Position, row.Hash, row.Content }).ToDictionaryAsync(row => row.Position, cancellationToken);

        var mayName = reader is null || log.CustomerId == reader;
        var kept = mayName ? (await db.Set<PersonalValue>().AsNoTracking().Where(row => row.LogId == log.Id && row.Position >= from && row.Position < to).ToListAsync(cancellationToken)).ToLookup(row => row.Position) : null;
        return [.. Enumerable.Range(0, (int)(to - from)).Select(i => from + i).Select(at => new ExportedLeaf(log, at, leaves.GetValueOrDefault(at)?.Content, leaves.GetValueOrDefault(at)?.Hash, kept is null ? null : [.. kept[at]]))];
    }

    private static SortedDictionary<string, string> NamesOf(string? before)
    {
        var names = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (before is not null && JsonElement.Parse(before).TryGetProperty("personal", out var personal) && personal.ValueKind == JsonValueKind.Object)
        {
            foreach (var one in personal.EnumerateObject().Where(one => one.Value.ValueKind == JsonValueKind.String))
            {
                names[one.Name] = one.Value.GetString()!;
            }
        }

        return names;
    }
}
