using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Entries;

/// <summary>One entry. Rows are only ever inserted: the database refuses everything else by triggers.</summary>
internal sealed class AuditEntry
{
    /// <summary>The event's id: a repeated event is the same entry.</summary>
    public required Guid Id { get; init; }

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

    /// <summary>Why, as the actor said: a column of its own, so that it can be searched.</summary>
    public string? Reason { get; init; }

    public required string Producer { get; init; }

    public required long ProducerSeq { get; init; }

    /// <summary>The event as it came.</summary>
    public required string Body { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<AuditEntry>
    {
        public void Configure(EntityTypeBuilder<AuditEntry> builder)
        {
            builder.ToTable("audit_entry").HasKey(row => row.Id);
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
            builder.HasIndex(row => new { row.OccurredAt, row.Id });
            builder.HasIndex(row => new { row.IsRead, row.OccurredAt, row.Id });
            builder.HasIndex(row => new { row.CustomerId, row.OccurredAt });
            builder.HasIndex(row => new { row.Producer, row.ProducerSeq }).IsUnique();
        }
    }
}
