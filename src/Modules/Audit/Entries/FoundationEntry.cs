using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Entries;

/// <summary>
/// An entry of before there were logs, as it was written then. The table has another name now and gets no more rows; the database
/// refuses everything else by the triggers that it had. Each row is an entry of a log, too, once it was imported.
/// </summary>
internal sealed class FoundationEntry
{
    public const string Table = "audit_entry_foundation";

    /// <summary>The event's id.</summary>
    public required Guid Id { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    public required string Log { get; init; }

    public Guid? CustomerId { get; init; }

    public Guid? ClusterId { get; init; }

    public required string Type { get; init; }

    public required bool IsRead { get; init; }

    public required string Outcome { get; init; }

    public required string ActorKind { get; init; }

    public required string ActorId { get; init; }

    public required string TargetType { get; init; }

    public required string TargetId { get; init; }

    public string? Reason { get; init; }

    public required string Producer { get; init; }

    public required long ProducerSeq { get; init; }

    /// <summary>The event as it came, names and addresses in clear.</summary>
    public required string Body { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<FoundationEntry>
    {
        public void Configure(EntityTypeBuilder<FoundationEntry> builder)
        {
            // Key and index keep their names: to give them others, one engine would write the whole table anew.
            builder.ToTable(Table).HasKey(row => row.Id).HasName("PK_audit_entry");
            builder.IsAppendOnly();
            builder.Property(row => row.Log).HasMaxLength(20);
            builder.Property(row => row.Type).HasMaxLength(100);
            builder.Property(row => row.Outcome).HasMaxLength(20);
            builder.Property(row => row.ActorKind).HasMaxLength(20);
            builder.Property(row => row.ActorId).HasMaxLength(100);
            builder.Property(row => row.TargetType).HasMaxLength(50);
            builder.Property(row => row.TargetId).HasMaxLength(100);
            builder.Property(row => row.Producer).HasMaxLength(100);
            builder.Property(row => row.Reason).IsText();
            builder.Property(row => row.Body).IsText();
            builder.HasIndex(row => new { row.OccurredAt, row.Id }).HasDatabaseName("IX_audit_entry_occurred_at_id");
        }
    }
}
