using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Federation.Saml;

/// <summary>An assertion that signed somebody in, or was refused after its signature was good: it counts once (SAML profiles 2.0, 4.1.4.5).</summary>
internal sealed class ConsumedAssertion
{
    // Its request is good for ten minutes: a day covers whatever end a provider writes.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>The digest of whose provider it is, the issuer and the assertion's id.</summary>
    public required byte[] Key { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public static byte[] KeyOf(Provider provider, string id) => FederatedIdentity.KeyOf(provider.CustomerId, $"assertion:{provider.Issuer}", id);

    public static DateTimeOffset KeptUntil(DateTimeOffset ends, DateTimeOffset now) => ends < now + Longest ? ends + SamlPeer.Skew : now + Longest;

    internal sealed class Configuration : IEntityTypeConfiguration<ConsumedAssertion>
    {
        public void Configure(EntityTypeBuilder<ConsumedAssertion> builder)
        {
            builder.ToTable("identity_consumed_assertion").HasKey(row => row.Key);
            builder.Property(row => row.Key).HasMaxLength(32);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
