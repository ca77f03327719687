using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Passkeys;

/// <summary>
/// A question that an authenticator is to answer: for one purpose, one person and session where there is one, one subject, two minutes
/// and once. It is used up before the answer is looked at, so that nobody tries a second time. Of its name only the SHA-256 is kept.
/// </summary>
internal sealed class Challenge
{
    /// <summary>Signs somebody in; who, the answer says.</summary>
    public const string SignIn = "sign-in";

    /// <summary>Makes the first passkey of whoever holds an invitation.</summary>
    public const string Accept = "accept-invitation";

    /// <summary>Adds a passkey to somebody who is signed in.</summary>
    public const string Add = "add-passkey";

    /// <summary>Proves the second factor of a sign-in that a provider or a directory began.</summary>
    public const string Prove = "prove-sign-in";

    /// <summary>Confirms one thing.</summary>
    public const string Confirm = "step-up";

    public static readonly TimeSpan Life = TimeSpan.FromMinutes(2);

    /// <summary>Whoever reads an invitation has to think of a password, too.</summary>
    public static readonly TimeSpan LifeOfInvitation = TimeSpan.FromMinutes(15);

    public required Guid Id { get; init; }

    public required byte[] NameSha256 { get; init; }

    public required string Kind { get; init; }

    /// <summary>The person, or the one that an invitation is to make.</summary>
    public Guid? PersonId { get; init; }

    /// <summary>The session, the invitation, or the sign-in, that it was asked for in.</summary>
    public Guid? Place { get; init; }

    /// <summary>The role that a step-up is for.</summary>
    public string? Audience { get; init; }

    public string? Purpose { get; init; }

    public string? SubjectDigest { get; init; }

    /// <summary>What a new passkey is to be called.</summary>
    public string? Name { get; init; }

    /// <summary>What the framework's handler wants back to check the answer; null: no passkey can answer.</summary>
    public string? State { get; set; }

    public required DateTimeOffset ExpiresAt { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<Challenge>
    {
        public void Configure(EntityTypeBuilder<Challenge> builder)
        {
            builder.ToTable("identity_challenge").HasKey(row => row.Id);
            builder.Property(row => row.NameSha256).HasMaxLength(32);
            builder.Property(row => row.Kind).HasMaxLength(20);
            builder.Property(row => row.Audience).HasMaxLength(30);
            builder.Property(row => row.Purpose).HasMaxLength(40);
            builder.Property(row => row.SubjectDigest).HasMaxLength(43);
            builder.Property(row => row.Name).HasMaxLength(60);
            builder.Property(row => row.State).HasMaxLength(4000);
            builder.HasIndex(row => row.NameSha256).IsUnique();
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
