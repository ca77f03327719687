using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.CallHome.DesiredState;

/// <summary>What one role wants a cluster to hold; the newest version only.</summary>
internal sealed class DesiredSection
{
    public required Guid ClusterId { get; init; }

    public required string Section { get; init; }

    public required long Version { get; init; }

    public DateTimeOffset? NotAfter { get; init; }

    public required byte[] Body { get; init; }

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

    internal sealed class Configuration : IEntityTypeConfiguration<DesiredRevision>
    {
        public void Configure(EntityTypeBuilder<DesiredRevision> builder)
        {
            builder.ToTable("callhome_desired_revision").HasKey(row => row.ClusterId);
            builder.HasIndex(row => row.ChangedAt);
        }
    }
}
