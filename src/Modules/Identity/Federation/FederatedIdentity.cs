using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Federation;

/// <summary>
/// Who a person is at its provider: issuer and subject, nothing else (OpenID Connect Core 1.0, 5.7). An address can be claimed by
/// anybody and passes from one to another; it links nothing.
/// </summary>
internal sealed class FederatedIdentity
{
    /// <summary>The digest of owner, issuer and subject: subjects differ by case alone, and not every database compares so.</summary>
    public required byte[] Key { get; init; }

    public required Guid PersonId { get; init; }

    /// <summary>The provider that signed it in last.</summary>
    public required string ProviderId { get; set; }

    public required string Issuer { get; init; }

    public required string Subject { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The key of an identity. The customer is part of it: two customers, or one and the vendor, may use one issuer, and their people stay apart.</summary>
    public static byte[] KeyOf(Guid? customerId, string issuer, string subject)
    {
        var owner = customerId?.ToString("N") ?? "staff";
        return SHA256.HashData(Encoding.UTF8.GetBytes($"{owner.Length}:{owner}{issuer.Length}:{issuer}{subject}"));
    }

    internal sealed class Configuration : IEntityTypeConfiguration<FederatedIdentity>
    {
        public void Configure(EntityTypeBuilder<FederatedIdentity> builder)
        {
            builder.ToTable("identity_federated_identity").HasKey(row => row.Key);
            builder.Property(row => row.Key).HasMaxLength(32);
            builder.Property(row => row.ProviderId).HasMaxLength(36);
            builder.Property(row => row.Issuer).HasMaxLength(300);
            builder.Property(row => row.Subject).HasMaxLength(255);
            builder.HasIndex(row => row.PersonId);
            builder.HasIndex(row => row.ProviderId);
        }
    }
}

/// <summary>A logout token that was taken: it counts once (OpenID Connect Back-Channel Logout 1.0, 2.6).</summary>
internal sealed class TakenLogoutToken
{
    /// <summary>The digest of provider and jti.</summary>
    public required byte[] Key { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<TakenLogoutToken>
    {
        public void Configure(EntityTypeBuilder<TakenLogoutToken> builder)
        {
            builder.ToTable("identity_logout_token").HasKey(row => row.Key);
            builder.Property(row => row.Key).HasMaxLength(32);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
