using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MissionControl.Audit.Entries;
using MissionControl.Audit.Erasure;
using MissionControl.Audit.Logs;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Check;

/// <summary>Whose values a log says to have been erased: what is not there and stands in none of its entries was taken away by somebody who has told nobody.</summary>
internal sealed class Erasures
{
    private const int AtOnce = 500;

    // By kind and id of the target, the last entry that says so.
    private readonly Dictionary<(string Kind, string Id), long> told = [];

    private Erasures()
    {
    }

    /// <summary>Reads them. The index says only where to look: what counts is what stands in the log, whose hashes the check makes anew.</summary>
    public static async Task<Erasures> ReadAsync(ControlPlaneDbContext db, Guid log, CancellationToken cancellationToken)
    {
        var erasures = new Erasures();
        for (var after = -1L; ;)
        {
            var places = await db.Set<IndexedEntry>().AsNoTracking().Where(row => row.LogId == log && row.Position > after && row.Type == ErasePersonal.Told).OrderBy(row => row.Position).Take(AtOnce).Select(row => row.Position).ToListAsync(cancellationToken);
            foreach (var (place, leaf) in places.Zip(await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. places.Select(place => new object?[] { log, place })], ["content"], cancellationToken)))
            {
                erasures.Add(place, leaf?[0] as byte[]);
            }

            if (places.Count < AtOnce)
            {
                return erasures;
            }

            after = places[^1];
        }
    }

    /// <summary>Whether a later entry says that a value of an entry was erased.</summary>
    /// <param name="place">Where the entry stands.</param>
    /// <param name="entry">Who acted in it, and whom it was about.</param>
    /// <param name="field">The value.</param>
    public bool Explain(long place, Concerned entry, string field) => field != Leaf.ChangesField
        && (After(place, ErasePersonal.Entry, entry.EventId) || After(place, ErasePersonal.Person, entry.Actor) || (!ErasePersonal.IsOfActor(field) && After(place, ErasePersonal.Person, entry.Target)));

    private bool After(long place, string kind, string id) => told.TryGetValue((kind, id), out var last) && last > place;

    private void Add(long place, byte[]? content)
    {
        try
        {
            using var entry = JsonDocument.Parse(content);
            if (entry.RootElement.GetProperty("type").ValueEquals(ErasePersonal.Told) && entry.RootElement.GetProperty("target") is var target)
            {
                told[(target.GetProperty("type").GetString()!, target.GetProperty("id").GetString()!)] = place;
            }
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException)
        {
            // Not what the log wrote; its hash says so.
        }
    }
}

/// <summary>Whom an entry names.</summary>
/// <param name="EventId">The event.</param>
/// <param name="Actor">Who acted; of an imported entry who acted then.</param>
/// <param name="Target">What it was done to.</param>
internal sealed record Concerned(string EventId, string Actor, string Target)
{
    /// <summary>Whom an entry names.</summary>
    /// <exception cref="KeyNotFoundException">These are not the bytes of an entry.</exception>
    public static Concerned Of(JsonElement entry)
    {
        var at = entry.TryGetProperty("imported", out var imported) ? imported : entry;
        return new Concerned(entry.GetProperty("eventId").GetString()!, at.GetProperty("actor").GetProperty("id").GetString()!, at.GetProperty("target").GetProperty("id").GetString()!);
    }
}
