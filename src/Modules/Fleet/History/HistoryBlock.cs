using System.Buffers.Binary;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.History;

/// <summary>Samples of one cluster within one hour; written once.</summary>
internal sealed class HistoryBlock : ICustomerOwned
{
    /// <summary>How long samples are kept.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(14);

    /// <summary>What a block spans.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromHours(1);

    /// <summary>The columns, for bulk writes.</summary>
    public static readonly BulkRows Table = new("fleet_history", ["cluster_id", "from_at", "part", "customer_id", "samples", "data"], ["cluster_id", "from_at", "part"], []);

    public required Guid ClusterId { get; init; }

    /// <summary>Begin of its hour, which each cluster counts from another minute: else all would be written at once.</summary>
    public required DateTimeOffset FromAt { get; init; }

    /// <summary>Rank of the item that closed it: an hour has more than one block when samples come late or metrics appear.</summary>
    public required long Part { get; init; }

    public required Guid CustomerId { get; init; }

    public required int Samples { get; init; }

    public required byte[] Data { get; init; }

    /// <summary>The begin of the hour that an instant falls into.</summary>
    public static DateTimeOffset HourOf(Guid cluster, DateTimeOffset at)
    {
        Span<byte> id = stackalloc byte[16];
        cluster.TryWriteBytes(id);
        var phase = BinaryPrimitives.ReadUInt32LittleEndian(id[12..]) % 3600;
        var seconds = at.ToUnixTimeSeconds() - phase;
        return DateTimeOffset.FromUnixTimeSeconds(seconds - (((seconds % 3600) + 3600) % 3600) + phase);
    }

    internal sealed class Configuration : IEntityTypeConfiguration<HistoryBlock>
    {
        public void Configure(EntityTypeBuilder<HistoryBlock> builder)
        {
            builder.ToTable("fleet_history").HasKey(row => new { row.ClusterId, row.FromAt, row.Part });
            builder.HasIndex(row => row.FromAt);
        }
    }
}
