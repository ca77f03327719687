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

/// <summary>The newest health of a cluster, by (epoch, time); written in bulk only.</summary>
internal sealed class LastHealth : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    /// <summary>Epoch and time of the cluster's clock in one number: an older message never overwrites a newer one.</summary>
    public required long Rank { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Status { get; init; }

    public string? WorstReason { get; init; }

    public required string ProductVersion { get; init; }

    public required int NodesUp { get; init; }

    public required int NodesAll { get; init; }

    /// <summary>The message as received.</summary>
    public required byte[] Body { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<LastHealth>
    {
        public void Configure(EntityTypeBuilder<LastHealth> builder)
        {
            builder.ToTable("fleet_last_health").HasKey(row => row.ClusterId);
            builder.Property(row => row.Status).HasMaxLength(10);
            builder.Property(row => row.WorstReason).HasMaxLength(300);
            builder.Property(row => row.ProductVersion).HasMaxLength(100);
        }
    }
}

/// <summary>A cluster's liveness as last judged.</summary>
internal sealed class ClusterLiveness : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required Guid CustomerId { get; init; }

    public required Liveness.LivenessState State { get; set; }

    public required DateTimeOffset Since { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterLiveness>
    {
        public void Configure(EntityTypeBuilder<ClusterLiveness> builder) => builder.ToTable("fleet_liveness").HasKey(row => row.ClusterId);
    }
}

/// <summary>A customer's name, for lists.</summary>
internal sealed class FleetCustomer
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<FleetCustomer>
    {
        public void Configure(EntityTypeBuilder<FleetCustomer> builder)
        {
            builder.ToTable("fleet_customer").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(200);
        }
    }
}

/// <summary>Something that happened at a cluster; its own id makes it one event however often it comes.</summary>
internal sealed class ClusterEvent : ICustomerOwned
{
    public required Guid ClusterId { get; init; }

    public required string Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Kind { get; init; }

    public required string Severity { get; init; }

    public required string Text { get; init; }

    public string? Node { get; init; }

    public required DateTimeOffset At { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<ClusterEvent>
    {
        public void Configure(EntityTypeBuilder<ClusterEvent> builder)
        {
            builder.ToTable("fleet_event").HasKey(row => new { row.ClusterId, row.Id });
            builder.Property(row => row.Id).HasMaxLength(100);
            builder.Property(row => row.Kind).HasMaxLength(100);
            builder.Property(row => row.Severity).HasMaxLength(10);
            builder.Property(row => row.Text).HasMaxLength(500);
            builder.Property(row => row.Node).HasMaxLength(100);
            builder.HasIndex(row => new { row.ClusterId, row.At });
            builder.HasIndex(row => row.ReceivedAt);
        }
    }
}

/// <summary>The newest intake watermark that arrived, and how long intake stood still in all.</summary>
internal sealed class IntakeClock
{
    public required int Id { get; init; }

    /// <summary>Newest watermark processed.</summary>
    public DateTimeOffset WatermarkAt { get; set; }

    /// <summary>Up to when liveness has been judged.</summary>
    public DateTimeOffset JudgedAt { get; set; }

    /// <summary>Set while intake delivers nothing.</summary>
    public DateTimeOffset? StalledSince { get; set; }

    /// <summary>No deadline counts from before this instant: the end of the last standstill or our own start.</summary>
    public DateTimeOffset FloorAt { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<IntakeClock>
    {
        public void Configure(EntityTypeBuilder<IntakeClock> builder) => builder.ToTable("fleet_intake_clock").HasKey(row => row.Id);
    }
}
