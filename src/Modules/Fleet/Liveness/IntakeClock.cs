using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Events.CallHome;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Fleet.Liveness;

/// <summary>The newest watermark of a callhome replica that was processed here. One fresh replica is enough: clusters reach any of them.</summary>
internal sealed class IntakeReplica
{
    public required string Replica { get; init; }

    /// <summary>When the watermark was written, by the replica's clock; when it came, where that is ahead of ours.</summary>
    public required DateTimeOffset At { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<IntakeReplica>
    {
        public void Configure(EntityTypeBuilder<IntakeReplica> builder)
        {
            builder.ToTable("fleet_intake_replica").HasKey(row => row.Replica);
            builder.Property(row => row.Replica).HasMaxLength(100);
            builder.HasIndex(row => row.At);
        }
    }
}

/// <summary>Keeps each replica's newest proof that intake delivers. One whose clock is ahead proves nothing of the time to come: nobody would notice then that intake stands still.</summary>
internal sealed class KeepWatermark(ControlPlaneDbContext db, TimeProvider time) : IMessageHandler<IntakeWatermark>
{
    public Task HandleAsync(IntakeWatermark message, MessageContext context, CancellationToken cancellationToken) => db.Dialect.UpsertAsync(
        db, new BulkRows("fleet_intake_replica", ["replica", "at"], ["replica"], [[message.Replica, Math.Min(message.At.ToUnixTimeMilliseconds(), time.GetUtcNow().ToUnixTimeMilliseconds())]]), "at", cancellationToken);
}

/// <summary>How far liveness has been judged, and from when silence counts.</summary>
internal sealed class IntakeClock
{
    public required int Id { get; init; }

    /// <summary>Up to when liveness has been judged.</summary>
    public DateTimeOffset JudgedAt { get; set; }

    /// <summary>Set while intake delivers nothing.</summary>
    public DateTimeOffset? StalledSince { get; set; }

    /// <summary>No silence counts from before this instant: the end of the last standstill, or our own start.</summary>
    public DateTimeOffset FloorAt { get; set; }

    /// <summary>Until when clusters that went missing all at once are held back; null when none are.</summary>
    public DateTimeOffset? HoldUntil { get; set; }

    /// <summary>When those were let go that were still missing: they do not count for the next mass outage.</summary>
    public DateTimeOffset ReleasedAt { get; set; }

    /// <summary>From when silence counts.</summary>
    public static async Task<DateTimeOffset> FloorAsync(ControlPlaneDbContext db, CancellationToken cancellationToken) =>
        await db.Set<IntakeClock>().AsNoTracking().Select(row => (DateTimeOffset?)row.FloorAt).SingleOrDefaultAsync(cancellationToken) ?? DateTimeOffset.UnixEpoch;

    internal sealed class Configuration : IEntityTypeConfiguration<IntakeClock>
    {
        public void Configure(EntityTypeBuilder<IntakeClock> builder) => builder.ToTable("fleet_intake_clock").HasKey(row => row.Id);
    }
}
