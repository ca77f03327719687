using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Audit.Anchor;

/// <summary>The place of a log in the tree of every epoch, for ever: from 0 on, without a hole, never another log's. Rows are only ever inserted.</summary>
internal sealed class LogSlot
{
    public const string Table = "audit_log_slot";

    public required long Slot { get; init; }

    public required Guid LogId { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LogSlot>
    {
        public void Configure(EntityTypeBuilder<LogSlot> builder)
        {
            builder.ToTable(Table).HasKey(row => row.Slot);
            builder.IsAppendOnly();
            builder.HasIndex(row => row.LogId).IsUnique();
        }
    }
}

/// <summary>What the slot tree of one of the last epochs was made of, to prove slots from. The epoch itself is an entry of the anchor.</summary>
internal sealed class EpochSlots
{
    public const string Table = "audit_epoch_slots";

    public required long Epoch { get; init; }

    /// <summary>For each slot the size that was bound (eight bytes, big end first) and the hash of its leaf.</summary>
    public required byte[] Content { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<EpochSlots>
    {
        public void Configure(EntityTypeBuilder<EpochSlots> builder) => builder.ToTable(Table).HasKey(row => row.Epoch);
    }
}
