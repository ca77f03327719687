using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Sessions;

/// <summary>A signed-in browser. Only the SHA-256 of its secret is kept. It is a person's, or, before there is an administrator, a token's, and ends with it.</summary>
internal sealed class Session
{
    public required Guid Id { get; init; }

    public required byte[] SecretSha256 { get; init; }

    /// <summary>The token it was traded for; null: a person's.</summary>
    public string? TokenId { get; init; }

    /// <summary>The person; null: a token's.</summary>
    public Guid? PersonId { get; init; }

    /// <summary>How the person proved who it is (RFC 8176), separated by spaces.</summary>
    public string? Factors { get; init; }

    /// <summary>The provider that signed the person in; null: none did.</summary>
    public string? ProviderId { get; set; }

    /// <summary>The provider's own session (<c>sid</c>) as its digest, by which the provider ends it.</summary>
    public byte[]? ProviderSession { get; set; }

    /// <summary>Of a program without a browser: the session that it was permitted in, which takes it along when it is ended in a list.</summary>
    public Guid? OpenerId { get; set; }

    /// <summary>The browser, as it called itself.</summary>
    public string? Agent { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a person last did something with it, to the minute.</summary>
    public DateTimeOffset SeenAt { get; init; }

    /// <summary>How long it lasts when nobody does anything.</summary>
    public TimeSpan Idle { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>A session of a person who has just proved who it is.</summary>
    public static Session Of(People.Person person, string factors, string? agent, SessionLimits limits, DateTimeOffset now, out string secret)
    {
        var bytes = RandomNumberGenerator.GetBytes(32);
        secret = Base64Url.EncodeToString(bytes);
        return new Session
        {
            Id = Guid.CreateVersion7(now),
            SecretSha256 = SHA256.HashData(bytes),
            PersonId = person.Id,
            Factors = factors,
            Agent = agent is { Length: > 0 } ? agent[..Math.Min(agent.Length, 300)] : null,
            CreatedAt = now,
            SeenAt = now,
            Idle = limits.Idle,
            ExpiresAt = now + limits.Longest,
        };
    }

    public bool IsLive(DateTimeOffset now) => EndedAt is null && ExpiresAt > now && (PersonId is null || SeenAt + Idle > now);

    internal sealed class Configuration : IEntityTypeConfiguration<Session>
    {
        public void Configure(EntityTypeBuilder<Session> builder)
        {
            builder.ToTable("identity_session").HasKey(row => row.Id);
            builder.Property(row => row.TokenId).HasMaxLength(12);
            builder.Property(row => row.Factors).HasMaxLength(100);
            builder.Property(row => row.Agent).HasMaxLength(300);
            builder.Property(row => row.Idle).HasConversion(span => (long)span.TotalSeconds, seconds => TimeSpan.FromSeconds(seconds));
            builder.HasIndex(row => row.SecretSha256).IsUnique();
            builder.Property(row => row.ProviderId).HasMaxLength(36);
            builder.Property(row => row.ProviderSession).HasMaxLength(32);
            builder.HasIndex(row => row.PersonId);
            builder.HasIndex(row => row.ProviderSession);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
