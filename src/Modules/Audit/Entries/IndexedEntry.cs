using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;
using MissionControl.Platform.Security;

namespace MissionControl.Audit.Entries;

/// <summary>
/// What an entry of a log is found by. It is made of the entry's bytes alone and can be made of them again, so it is no evidence, and
/// an ordinary row: the tables of the logs are what the database guards. Nothing here names a person.
/// </summary>
internal sealed class IndexedEntry
{
    public const string Table = "audit_index";

    public required Guid LogId { get; init; }

    /// <summary>Where the entry stands in its log.</summary>
    public required long Position { get; init; }

    /// <summary>The event's id, by which its proof is asked for.</summary>
    public required Guid EventId { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    public required string Log { get; init; }

    /// <summary>The customer concerned; an entry of no customer is seen by staff only.</summary>
    public Guid? CustomerId { get; init; }

    public Guid? ClusterId { get; init; }

    public required string Type { get; init; }

    /// <summary>Somebody only looked at something.</summary>
    public required bool IsRead { get; init; }

    public required string Outcome { get; init; }

    public required string ActorKind { get; init; }

    public required string ActorId { get; init; }

    public required string TargetType { get; init; }

    public required string TargetId { get; init; }

    /// <summary>Why, as the actor said.</summary>
    public string? Reason { get; init; }

    public required string Producer { get; init; }

    public required long ProducerSeq { get; init; }

    /// <summary>It comes from the table of before; the other columns say what it said there.</summary>
    public required bool Imported { get; init; }

    /// <summary>Rows of entries, for whoever appends these or makes the index again.</summary>
    public static BulkRows Rows(IReadOnlyList<object?[]> rows) => new(
        Table,
        ["log_id", "position", "event_id", "occurred_at", "recorded_at", "log", "customer_id", "cluster_id", "type", "is_read", "outcome", "actor_kind", "actor_id", "target_type", "target_id", "reason", "producer", "producer_seq", "imported"],
        ["log_id", "position"], rows);

    /// <summary>The row of an entry.</summary>
    /// <exception cref="JsonException">These are not the bytes of an entry.</exception>
    public static object?[] Row(Guid log, long position, ReadOnlyMemory<byte> content)
    {
        using var leaf = JsonDocument.Parse(content);
        try
        {
            return Row(log, position, leaf.RootElement);
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException($"Entry {position} of log {log} is none: {exception.Message}", exception);
        }
    }

    private static object?[] Row(Guid log, long position, JsonElement entry)
    {
        // Of an imported entry what it tells of, so that it is found as it always was.
        var isImported = entry.TryGetProperty("imported", out var old);
        var told = isImported ? old : entry;
        var (type, actor, target) = (Text(told, "type"), told.GetProperty("actor"), told.GetProperty("target"));
        return
        [
            log, position, entry.GetProperty("eventId").GetGuid(), Instant(told, "occurredAt"), Instant(told, "recordedAt"), Text(entry, "log"), Id(entry, "customerId"), Id(entry, "clusterId"),
            type, type.EndsWith(StaffReads.Suffix, StringComparison.Ordinal), Text(told, "outcome"), Text(actor, "kind"), Text(actor, "id"), Text(target, "type"), Text(target, "id"),
            told.TryGetProperty("reason", out var reason) ? reason.GetString() : null, Text(entry, "producer"), entry.GetProperty("producerSeq").GetInt64(), isImported,
        ];
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException($"{name} is null.");

    private static long Instant(JsonElement json, string name) => json.GetProperty(name).GetDateTimeOffset().ToUnixTimeMilliseconds();

    private static Guid? Id(JsonElement json, string name) => json.TryGetProperty(name, out var id) ? id.GetGuid() : null;

    internal sealed class Configuration : IEntityTypeConfiguration<IndexedEntry>
    {
        public void Configure(EntityTypeBuilder<IndexedEntry> builder)
        {
            builder.ToTable(Table).HasKey(row => new { row.LogId, row.Position });
            builder.Property(row => row.Log).HasMaxLength(20);
            builder.Property(row => row.Type).HasMaxLength(100);
            builder.Property(row => row.Outcome).HasMaxLength(20);
            builder.Property(row => row.ActorKind).HasMaxLength(20);
            builder.Property(row => row.ActorId).HasMaxLength(100);
            builder.Property(row => row.TargetType).HasMaxLength(50);
            builder.Property(row => row.TargetId).HasMaxLength(100);
            builder.Property(row => row.Producer).HasMaxLength(100);
            builder.Property(row => row.Reason).IsText();
            builder.HasIndex(row => new { row.OccurredAt, row.LogId, row.Position });
            builder.HasIndex(row => new { row.IsRead, row.OccurredAt, row.LogId, row.Position });
            builder.HasIndex(row => new { row.CustomerId, row.OccurredAt, row.LogId, row.Position });

            // The logs of clusters are reconciled by these few types.
            builder.HasIndex(row => new { row.ClusterId, row.Type });

            // Not unique: that a number came twice is told in the log, and both entries are found by it.
            builder.HasIndex(row => new { row.Producer, row.ProducerSeq });
        }
    }
}
