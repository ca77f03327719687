using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Factors;

/// <summary>A person's authenticator. One that is not confirmed is not in use: it waits to take the place of the one that is.</summary>
internal sealed class Authenticator
{
    public required Guid Id { get; init; }

    public required Guid PersonId { get; init; }

    /// <summary>Sealed for this row.</summary>
    public required byte[] Secret { get; init; }

    /// <summary>The newest step whose code was accepted: no code of it or of an older one counts again.</summary>
    public long LastStep { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ConfirmedAt { get; set; }

    public DateTimeOffset? LastUsedAt { get; set; }

    /// <summary>From then on its codes are good for step-up, where codes are.</summary>
    public required DateTimeOffset ConfirmsFrom { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<Authenticator>
    {
        public void Configure(EntityTypeBuilder<Authenticator> builder)
        {
            builder.ToTable("identity_authenticator").HasKey(row => row.Id);
            builder.Property(row => row.Secret).HasMaxLength(100);
            builder.HasIndex(row => row.PersonId);
        }
    }
}

/// <summary>A code that opens one session in place of the authenticator. Eighty bits of chance: its digest needs no salt.</summary>
internal sealed class RecoveryCode
{
    public required Guid PersonId { get; init; }

    public required byte[] Sha256 { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? UsedAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<RecoveryCode>
    {
        public void Configure(EntityTypeBuilder<RecoveryCode> builder)
        {
            builder.ToTable("identity_recovery_code").HasKey(row => new { row.PersonId, row.Sha256 });
            builder.Property(row => row.Sha256).HasMaxLength(32);
        }
    }
}
