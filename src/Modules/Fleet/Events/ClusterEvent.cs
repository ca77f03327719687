using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;
using MissionControl.Protocol.CallHome;

namespace MissionControl.Fleet.Events;

/// <summary>Something that happened at a cluster; its own id makes it one event however often it comes.</summary>
internal sealed class ClusterEvent : ICustomerOwned
{
    /// <summary>The columns, for bulk writes.</summary>
    public static readonly BulkRows Table = new("fleet_event", ["cluster_id", "id", "customer_id", "kind", "severity", "text", "node", "at", "received_at"], ["cluster_id", "id"], []);

    /// <summary>How the ids of events begin that were noted here.</summary>
    public const string OursPrefix = ItemLimits.ReservedEventPrefix;

    public required Guid ClusterId { get; init; }

    public required string Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Kind { get; init; }

    public required string Severity { get; init; }

    public required string Text { get; init; }

    public string? Node { get; init; }

    public required DateTimeOffset At { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>A row for what happened here and not at the cluster: its health or liveness was judged otherwise. Its id begins with <see cref="OursPrefix"/>.</summary>
    public static object?[] Ours(Guid cluster, Guid customer, string id, string kind, string severity, string text, DateTimeOffset now) =>
        [cluster, id, customer, kind, severity, text, null, now.ToUnixTimeMilliseconds(), now.ToUnixTimeMilliseconds()];

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
