using System.Text.Json;
using System.Text.Json.Nodes;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;
using MissionControl.Trust.TransparencyLog;

namespace MissionControl.Audit.Entries;

/// <summary>Hits of the index with what their logs say, and what stands beside it of persons: a value that was erased is not there any more.</summary>
internal static class EntryBodies
{
    /// <summary>All of them in two statements, by whole keys.</summary>
    public static async Task<IReadOnlyList<AuditEntryItem>> ReadAsync(ControlPlaneDbContext db, IReadOnlyList<IndexedEntry> hits, CancellationToken cancellationToken)
    {
        var leaves = await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. hits.Select(hit => new object?[] { hit.LogId, hit.Position })], ["content"], cancellationToken);
        var entries = leaves.Select(leaf => leaf is null ? [] : Read((byte[])leaf[0]!)).ToList();
        var fields = hits.Zip(entries).SelectMany(pair => (pair.Second["commitments"] as JsonObject)?.Select(commitment => (Hit: pair.First, Field: commitment.Key, Commitment: commitment.Value)) ?? []).ToList();
        var values = await db.Dialect.ReadByKeyAsync(db, PersonalValue.Table, ["log_id", "position", "field"], [.. fields.Select(one => new object?[] { one.Hit.LogId, one.Hit.Position, one.Field })], ["salt", "value"], cancellationToken);

        // What stands beside the log can be erased, and changed: only what the entry is committed to is told as what it says.
        var kept = fields.Zip(values).Where(pair => pair.Second is [byte[] salt, string value] && IsOf(pair.First.Commitment is JsonValue text && text.TryGetValue<string>(out var encoded) ? encoded : null, salt, pair.First.Field, value)).ToLookup(pair => pair.First.Hit, pair => (pair.First.Field, Value: (string)pair.Second![1]!));
        var erased = fields.Zip(values).Where(pair => pair.Second is null).ToLookup(pair => pair.First.Hit, pair => pair.First.Field);
        return [.. hits.Zip(entries, (hit, entry) => Item(hit, Body(entry, kept[hit].ToDictionary(one => one.Field, one => one.Value, StringComparer.Ordinal), erased[hit])))];
    }

    // One that is damaged does not take the page away; whoever verifies finds it.
    private static JsonObject Read(byte[] content)
    {
        try
        {
            return JsonNode.Parse(content) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    /// <summary>Whether a value is the one that an entry is committed to.</summary>
    public static bool IsOf(string? commitment, byte[] salt, string field, string value)
    {
        Span<byte> bytes = stackalloc byte[TreeHash.Size];
        return commitment is not null && Convert.TryFromBase64String(commitment, bytes, out var length) && Commitment.Verify(bytes[..length], salt, field, value);
    }

    private static AuditEntryItem Item(IndexedEntry hit, JsonObject body) => new(
        hit.EventId, hit.OccurredAt, hit.RecordedAt, hit.Log, hit.CustomerId, hit.ClusterId, hit.Type, hit.Outcome, hit.ActorKind, hit.ActorId, hit.TargetType, hit.TargetId,
        hit.Reason, hit.Producer, hit.ProducerSeq, JsonSerializer.SerializeToElement(body), hit.LogId, hit.Position, hit.Imported);

    private static JsonObject Body(JsonObject entry, Dictionary<string, string> kept, IEnumerable<string> erased)
    {
        if (kept.TryGetValue(Leaf.ImportedField, out var bytes))
        {
            return JsonNode.Parse(bytes)!.AsObject();
        }

        if (entry["imported"] is JsonObject imported)
        {
            entry.Remove("imported");
            foreach (var (name, value) in imported)
            {
                entry[name] = value?.DeepClone();
            }
        }

        if (!entry.ContainsKey("changes") && kept.Remove(Leaf.ChangesField, out var changes))
        {
            entry["changes"] = JsonNode.Parse(changes);
        }

        entry["personal"] = new JsonObject(kept.Select(one => KeyValuePair.Create<string, JsonNode?>(one.Key, one.Value)));
        if (erased.Any())
        {
            entry["erased"] = new JsonArray([.. erased.Select(field => JsonValue.Create(field))]);
        }

        return entry;
    }
}
