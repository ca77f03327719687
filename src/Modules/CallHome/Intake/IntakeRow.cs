using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.CallHome.Intake;

/// <summary>The stored <see cref="IntakeState"/> of a cluster: the hottest table; written by prepared SQL only.</summary>
internal sealed class IntakeRow
{
    public required Guid ClusterId { get; init; }

    public required long Epoch { get; init; }

    public required long Ack { get; init; }

    public required byte[] State { get; init; }

    public required DateTimeOffset LastSeenAt { get; init; }

    public required long Version { get; init; }

    public IntakeState ToState() => IntakeState.FromBytes(Epoch, Ack, Version, State);

    public static BulkRows Rows(IReadOnlyList<object?[]> rows) => new("callhome_intake", ["cluster_id", "epoch", "ack", "state", "last_seen_at", "version"], ["cluster_id"], rows);

    public static object?[] Values(Guid clusterId, IntakeState state, DateTimeOffset now) =>
        [clusterId, state.Epoch, state.Ack, state.ToBytes(), now.ToUnixTimeMilliseconds(), state.Version];

    internal sealed class Configuration : IEntityTypeConfiguration<IntakeRow>
    {
        public void Configure(EntityTypeBuilder<IntakeRow> builder)
        {
            builder.ToTable("callhome_intake").HasKey(row => row.ClusterId);
        }
    }
}
