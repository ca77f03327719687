using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api.Identity;

namespace MissionControl.Identity.Passkeys;

/// <summary>A key that somebody signs in with (WebAuthn). Of it only the public half is here, and nothing that tells its maker.</summary>
internal sealed class Passkey
{
    /// <summary>How many one person may have.</summary>
    public const int MaxOfPerson = 20;

    /// <summary>Longest credential id that is taken, in bytes.</summary>
    public const int MaxCredentialId = 512;

    public required Guid Id { get; init; }

    public required Guid PersonId { get; init; }

    /// <summary>What the authenticator calls it; of one person in the whole installation.</summary>
    public required byte[] CredentialId { get; init; }

    /// <summary>COSE_Key.</summary>
    public required byte[] PublicKey { get; init; }

    /// <summary>The highest count that was seen; those that never count stay at nought.</summary>
    public long SignCount { get; init; }

    /// <summary>How the browser reaches it, separated by spaces.</summary>
    public string Transports { get; init; } = "";

    public required string Name { get; init; }

    /// <summary>Whether it may be copied to other devices; never changes.</summary>
    public bool IsBackupEligible { get; init; }

    public bool IsBackedUp { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>From then on it is good for step-up.</summary>
    public required DateTimeOffset ConfirmsFrom { get; init; }

    /// <summary>How a session that it opened was proved, in words of RFC 8176: a key in hardware or in software, and a person who was asked.</summary>
    public string Amr => AmrOf(IsBackupEligible);

    public static string AmrOf(bool isBackupEligible) => $"{(isBackupEligible ? "swk" : "hwk")} user mfa";

    public static Passkey Of(UserPasskeyInfo made, Guid personId, string name, DateTimeOffset confirmsFrom, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(now),
        PersonId = personId,
        CredentialId = made.CredentialId,
        PublicKey = made.PublicKey,
        SignCount = made.SignCount,
        Transports = string.Join(' ', (made.Transports ?? []).Where(one => one is { Length: > 0 and <= 20 } && one.All(letter => char.IsAsciiLetter(letter) || letter == '-')).Take(6)),
        Name = name,
        IsBackupEligible = made.IsBackupEligible,
        IsBackedUp = made.IsBackedUp,
        CreatedAt = now,
        ConfirmsFrom = confirmsFrom,
    };

    public UserPasskeyInfo ToInfo() =>
        new(CredentialId, PublicKey, CreatedAt, (uint)SignCount, Transports.Split(' ', StringSplitOptions.RemoveEmptyEntries), isUserVerified: true, IsBackupEligible, IsBackedUp, [], []);

    public PasskeyItem ToItem() => new(Id, Name, CreatedAt, LastUsedAt, IsBackupEligible, ConfirmsFrom);

    internal sealed class Configuration : IEntityTypeConfiguration<Passkey>
    {
        public void Configure(EntityTypeBuilder<Passkey> builder)
        {
            builder.ToTable("identity_passkey").HasKey(row => row.Id);

            // WebAuthn Level 3, 4: a credential id has at most 1023 bytes; one that an index of every engine takes is shorter.
            builder.Property(row => row.CredentialId).HasMaxLength(MaxCredentialId);
            builder.Property(row => row.PublicKey).HasMaxLength(2000);
            builder.Property(row => row.Transports).HasMaxLength(130);
            builder.Property(row => row.Name).HasMaxLength(60);
            builder.HasIndex(row => row.CredentialId).IsUnique();
            builder.HasIndex(row => row.PersonId);
        }
    }
}
