using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Clusters;

/// <summary>What callhome says of a cluster; its version is callhome's.</summary>
internal sealed class FleetCluster : ICustomerOwned
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Name { get; init; }

    public required string State { get; init; }

    public bool CloneSuspected { get; init; }

    public required DateTimeOffset EnrolledAt { get; init; }

    /// <summary>When its inventory was last asked for out of turn; ours, not callhome's.</summary>
    public DateTimeOffset? InventoryAskedAt { get; set; }

    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<FleetCluster>
    {
        public void Configure(EntityTypeBuilder<FleetCluster> builder)
        {
            builder.ToTable("fleet_cluster").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.State).HasMaxLength(20);
            builder.HasIndex(row => row.CustomerId);
        }
    }
}

/// <summary>A cluster's liveness as last judged.</summary>
internal sealed class ClusterLiveness : ICustomerOwned
{
    /// <summary>The columns, for bulk writes.</summary>
    public static readonly BulkRows Table = new("fleet_liveness", ["cluster_id", "customer_id", "state", "since"], ["cluster_id"], []);

    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required Liveness.LivenessState State { get; set; }

    public required DateTimeOffset Since { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterLiveness>
    {
        public void Configure(EntityTypeBuilder<ClusterLiveness> builder)
        {
            builder.ToTable("fleet_liveness").HasKey(row => row.ClusterId);
            builder.HasIndex(row => row.State);
        }
    }
}

/// <summary>A customer's name and region, for lists.</summary>
internal sealed class FleetCustomer
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required string Region { get; init; }

    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<FleetCustomer>
    {
        public void Configure(EntityTypeBuilder<FleetCustomer> builder)
        {
            builder.ToTable("fleet_customer").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(200);
            builder.Property(row => row.Region).HasMaxLength(40);
        }
    }
}
