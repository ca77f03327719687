using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Fleet.Clusters;
using MissionControl.Platform.Data;

namespace MissionControl.Fleet.Incidents;

/// <summary>Why many clusters seem silent at once, when the reason is ours or the network's. One row, however many clusters.</summary>
internal sealed class Incident
{
    /// <summary>No watermark of any callhome replica comes through.</summary>
    public const string IntakeStalled = "intake-stalled";

    /// <summary>Fleet itself did not judge: it was stopped, or its database did not answer.</summary>
    public const string JudgingStopped = "judging-stopped";

    /// <summary>Too many clusters went missing at once for it to be theirs.</summary>
    public const string MassOutage = "mass-outage";

    public required Guid Id { get; init; }

    public required string Kind { get; init; }

    public required DateTimeOffset BeganAt { get; init; }

    public DateTimeOffset? EndedAt { get; private set; }

    public required string Cause { get; set; }

    public int Clusters { get; set; }

    /// <summary>See <see cref="ChangeCounter"/>.</summary>
    public long Change { get; private set; }

    public long Version { get; private set; }

    /// <summary>Opens one; the caller saves.</summary>
    public static async Task<Incident> OpenAsync(ControlPlaneDbContext db, string kind, DateTimeOffset began, string cause, int clusters, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var incident = new Incident { Id = Guid.CreateVersion7(now), Kind = kind, BeganAt = began, Cause = cause, Clusters = clusters };
        await incident.ChangedAsync(db, cancellationToken);
        db.Add(incident);
        return incident;
    }

    /// <summary>Ends it, saying how it ended; the caller saves.</summary>
    public async Task EndAsync(ControlPlaneDbContext db, string how, DateTimeOffset now, CancellationToken cancellationToken)
    {
        EndedAt = now;
        Cause = $"{Cause} {how}";
        await ChangedAsync(db, cancellationToken);
    }

    private async Task ChangedAsync(ControlPlaneDbContext db, CancellationToken cancellationToken)
    {
        Change = await ChangeCounter.NextAsync(db, 1, cancellationToken);
        Version++;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<Incident>
    {
        public void Configure(EntityTypeBuilder<Incident> builder)
        {
            builder.ToTable("fleet_incident").HasKey(row => row.Id);
            builder.Property(row => row.Kind).HasMaxLength(40);
            builder.Property(row => row.Cause).HasMaxLength(1000);
            builder.HasIndex(row => row.BeganAt);
            builder.HasIndex(row => row.EndedAt);
            builder.HasIndex(row => row.Change);
        }
    }
}
