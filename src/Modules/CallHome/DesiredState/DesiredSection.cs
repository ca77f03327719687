using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.CallHome.DesiredState;

/// <summary>What one role wants a cluster to hold; the newest version only.</summary>
internal sealed class DesiredSection
{
    public required Guid ClusterId { get; init; }

    public required string Section { get; init; }

    public const string Credentials = "credentials";

    public required long Version { get; set; }

    public DateTimeOffset? NotAfter { get; set; }

    public required byte[] Body { get; set; }

    /// <summary>Wants something of a cluster from within callhome itself; the caller saves. The version is the instant, and rises also when two want at once.</summary>
    /// <returns>The version.</returns>
    public static async Task<long> WantAsync(ControlPlaneDbContext db, Guid cluster, string section, byte[] body, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var row = await db.Set<DesiredSection>().SingleOrDefaultAsync(row => row.ClusterId == cluster && row.Section == section, cancellationToken);
        var version = Math.Max(now.ToUnixTimeMilliseconds(), (row?.Version ?? 0) + 1);
        if (row is null)
        {
            db.Add(new DesiredSection { ClusterId = cluster, Section = section, Version = version, Body = body });
        }
        else
        {
            (row.Version, row.Body, row.NotAfter) = (version, body, null);
        }

        await DesiredRevision.RaiseAsync(db, cluster, now, cancellationToken);
        return version;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<DesiredSection>
    {
        public void Configure(EntityTypeBuilder<DesiredSection> builder)
        {
            builder.ToTable("callhome_desired_section").HasKey(row => new { row.ClusterId, row.Section });
            builder.Property(row => row.Section).HasMaxLength(40);
        }
    }
}

/// <summary>Rises with every change of any section of a cluster.</summary>
internal sealed class DesiredRevision
{
    public required Guid ClusterId { get; init; }

    public long Revision { get; set; }

    public DateTimeOffset ChangedAt { get; set; }

    /// <summary>Something that the cluster should hold has changed; the caller saves.</summary>
    public static async Task RaiseAsync(ControlPlaneDbContext db, Guid cluster, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var revision = await db.Set<DesiredRevision>().SingleOrDefaultAsync(row => row.ClusterId == cluster, cancellationToken);
        if (revision is null)
        {
            revision = new DesiredRevision { ClusterId = cluster };
            db.Add(revision);
        }

        revision.Revision++;
        revision.ChangedAt = now;
    }

    internal sealed class Configuration : IEntityTypeConfiguration<DesiredRevision>
    {
        public void Configure(EntityTypeBuilder<DesiredRevision> builder)
        {
            builder.ToTable("callhome_desired_revision").HasKey(row => row.ClusterId);
            builder.HasIndex(row => row.ChangedAt);
        }
    }
}
