using System.Text.Json;
using System.Text.Json.Nodes;
using MissionControl.Audit.Logs;
using MissionControl.Contracts.Api.Audit;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Entries;

/// <summary>Hits of the index with what their logs say, and what stands beside it of persons: a value that was erased is not there any more.</summary>
internal static class EntryBodies
{
    /// <summary>All of them in two statements, by whole keys.</summary>
    public static async Task<IReadOnlyList<AuditEntryItem>> ReadAsync(ControlPlaneDbContext db, IReadOnlyList<IndexedEntry> hits, CancellationToken cancellationToken)
    {
        var leaves = await db.Dialect.ReadByKeyAsync(db, LogLeaf.Table, ["log_id", "position"], [.. hits.Select(hit => new object?[] { hit.LogId, hit.Position })], ["content"], cancellationToken);
        var entries = leaves.Select(leaf => leaf is null ? [] : JsonNode.Parse((byte[])leaf[0]!)!.AsObject()).ToList();
        var fields = hits.Zip(entries).SelectMany(pair => pair.Second["commitments"]?.AsObject().Select(commitment => (Hit: pair.First, Field: commitment.Key)) ?? []).ToList();
        var values = await db.Dialect.ReadByKeyAsync(db, PersonalValue.Table, ["log_id", "position", "field"], [.. fields.Select(one => new object?[] { one.Hit.LogId, one.Hit.Position, one.Field })], ["value"], cancellationToken);
        var kept = fields.Zip(values).Where(pair => pair.Second is not null).ToLookup(pair => pair.First.Hit, pair => (pair.First.Field, Value: (string)pair.Second![0]!));
        return [.. hits.Zip(entries, (hit, entry) => Item(hit, Body(entry, kept[hit].ToDictionary(one => one.Field, one => one.Value, StringComparer.Ordinal))))];
    }

    private static AuditEntryItem Item(IndexedEntry hit, JsonObject body) => new(
        hit.EventId, hit.OccurredAt, hit.RecordedAt, hit.Log, hit.CustomerId, hit.ClusterId, hit.Type, hit.Outcome, hit.ActorKind, hit.ActorId, hit.TargetType, hit.TargetId,
        hit.Reason, hit.Producer, hit.ProducerSeq, JsonSerializer.SerializeToElement(body), hit.LogId, hit.Position, hit.Imported);

    private static JsonObject Body(JsonObject entry, Dictionary<string, string> kept)
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
        return entry;
    }
}
