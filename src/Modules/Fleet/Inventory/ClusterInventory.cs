using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Inventory;

/// <summary>The newest inventory of a cluster, as received; complete, so what it does not name is gone.</summary>
internal sealed class ClusterInventory : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>Epoch and sequence: an older inventory never overwrites a newer one.</summary>
    public required long Rank { get; init; }

    public required DateTimeOffset At { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required string ProductVersion { get; init; }

    public required string AgentVersion { get; init; }

    public required byte[] Body { get; init; }

    /// <summary>Rises with every write: two replicas never compute their differences from the same predecessor.</summary>
    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterInventory>
    {
        public void Configure(EntityTypeBuilder<ClusterInventory> builder)
        {
            builder.ToTable("fleet_inventory").HasKey(row => row.ClusterId);
            builder.Property(row => row.ProductVersion).HasMaxLength(100);
            builder.Property(row => row.AgentVersion).HasMaxLength(100);
        }
    }
}

/// <summary>How many collectors of a version report to a cluster: for counting over the fleet.</summary>
internal sealed class CollectorVersion : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    /// <summary>Their version; may be empty.</summary>
    public required string Release { get; init; }

    public required string Os { get; init; }

    public required Guid CustomerId { get; init; }

    public required long Collectors { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<CollectorVersion>
    {
        public void Configure(EntityTypeBuilder<CollectorVersion> builder)
        {
            builder.ToTable("fleet_collector_version").HasKey(row => new { row.ClusterId, row.Release, row.Os });
            builder.Property(row => row.Release).HasMaxLength(100);
            builder.Property(row => row.Os).HasMaxLength(100);
        }
    }
}

/// <summary>One difference between an inventory and the one before it. Counts of collectors change daily and are not differences.</summary>
internal sealed class InventoryChange : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required long Rank { get; init; }

    public required int Ordinal { get; init; }

    public required Guid CustomerId { get; init; }

    public required DateTimeOffset At { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    public required string Kind { get; init; }

    public required string Subject { get; init; }

    public string? Before { get; init; }

    public string? After { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<InventoryChange>
    {
        public void Configure(EntityTypeBuilder<InventoryChange> builder)
        {
            builder.ToTable("fleet_inventory_change").HasKey(row => new { row.ClusterId, row.Rank, row.Ordinal });
            builder.Property(row => row.Kind).HasMaxLength(40);
            builder.Property(row => row.Subject).HasMaxLength(100);
            builder.Property(row => row.Before).HasMaxLength(200);
            builder.Property(row => row.After).HasMaxLength(200);
            builder.HasIndex(row => row.ReceivedAt);
        }
    }
}
