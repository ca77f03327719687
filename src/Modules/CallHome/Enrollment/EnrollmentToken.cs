using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Platform.Data;

namespace MissionControl.CallHome.Enrollment;

/// <summary>A one-time right to enrol one cluster for one customer. Only the SHA-256 of its secret is kept.</summary>
internal sealed class EnrollmentToken : ICustomerOwned
{
    /// <summary>The loggable 12 characters of the token.</summary>
    public required string Id { get; init; }

    public required byte[] SecretSha256 { get; init; }

    public required Guid CustomerId { get; init; }

    public string? ClusterName { get; init; }

    /// <summary>The cluster that it gives back its identity; null: it makes a new one.</summary>
    public Guid? ReadmitsCluster { get; init; }

    /// <summary>CIDR networks it may be used from, separated by spaces; empty: any.</summary>
    public required string Networks { get; init; }

    /// <summary>Digest of the anchor document that was shown with it: enrolment hands out that one, a newer one follows with the first check-in.</summary>
    public required string AnchorsSha256 { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; set; }

    public DateTimeOffset? UsedAt { get; set; }

    public Guid? UsedBy { get; set; }

    /// <summary>Key id of the key that used it: the same key asking again gets the same answer.</summary>
    public string? UsedKey { get; set; }

    public long Version { get; set; }

    /// <summary>open, used, revoked or expired.</summary>
    public string StateAt(DateTimeOffset now) => UsedAt is not null ? "used" : RevokedAt is not null ? "revoked" : ExpiresAt <= now ? "expired" : "open";

    /// <summary>Why it cannot be revoked, in words; null: it can.</summary>
    public string? NoRevoking(DateTimeOffset now) => StateAt(now) switch
    {
        "used" => "The token was used already; suspend or decommission its cluster instead.",
        "revoked" => "It is revoked already.",
        "expired" => "It has expired; nobody can use it any more.",
        _ => null,
    };

    internal sealed class Configuration : IEntityTypeConfiguration<EnrollmentToken>
    {
        public void Configure(EntityTypeBuilder<EnrollmentToken> builder)
        {
            builder.ToTable("callhome_enrollment_token").HasKey(row => row.Id);
            builder.Property(row => row.Id).HasMaxLength(12);
            builder.Property(row => row.ClusterName).HasMaxLength(100);
            builder.Property(row => row.Networks).HasMaxLength(1000);
            builder.Property(row => row.UsedKey).HasMaxLength(64);
            builder.Property(row => row.AnchorsSha256).HasMaxLength(71);
            builder.HasIndex(row => new { row.CustomerId, row.CreatedAt });
            builder.HasIndex(row => row.ExpiresAt);
            builder.HasIndex(row => row.ReadmitsCluster);
        }
    }
}

/// <summary>What callhome must know of a customer: its name, and whether clusters may be enrolled for it.</summary>
internal sealed class KnownCustomer
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required string State { get; init; }

    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<KnownCustomer>
    {
        public void Configure(EntityTypeBuilder<KnownCustomer> builder)
        {
            builder.ToTable("callhome_customer").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(200);
            builder.Property(row => row.State).HasMaxLength(20);
        }
    }
}
