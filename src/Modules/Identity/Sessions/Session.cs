using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Sessions;

/// <summary>A signed-in browser. Only the SHA-256 of its secret is kept; it ends with the token it was traded for.</summary>
internal sealed class Session
{
    public required Guid Id { get; init; }

    public required byte[] SecretSha256 { get; init; }

    public required string TokenId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? EndedAt { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<Session>
    {
        public void Configure(EntityTypeBuilder<Session> builder)
        {
            builder.ToTable("identity_session").HasKey(row => row.Id);
            builder.Property(row => row.TokenId).HasMaxLength(12);
            builder.HasIndex(row => row.SecretSha256).IsUnique();
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
