using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.People;

/// <summary>Somebody who signs in: staff of the vendor or a user of one customer, for good. A mail address belongs to one person.</summary>
internal sealed class Person
{
    public const string Staff = "staff";
    public const string CustomerUser = "customerUser";

    /// <summary>Wrong tries in a row that cost nothing but the try.</summary>
    private const int FreeTries = 5;
    private static readonly TimeSpan LongestLock = TimeSpan.FromMinutes(15);

    public required Guid Id { get; init; }

    public required string Kind { get; init; }

    public Guid? CustomerId { get; init; }

    /// <summary>As it was written; <see cref="EmailKey"/> is what it is found by. What a provider claimed, or nothing, of a federated person.</summary>
    public required string Email { get; set; }

    /// <summary>Null: a federated person, whom no address finds.</summary>
    public required string? EmailKey { get; set; }

    public required string Name { get; set; }

    /// <summary>Null: passkeys or a provider sign the person in, and nothing else does.</summary>
    public string? PasswordHash { get; set; }

    public DateTimeOffset? PasswordSetAt { get; set; }

    public DateTimeOffset? DisabledAt { get; private set; }

    /// <summary>Wrong tries since it last signed in; counted before a try is looked at, so that many at once are no more than one after the other.</summary>
    public int FailedTries { get; init; }

    /// <summary>Until then no try is looked at.</summary>
    public DateTimeOffset? LockedUntil { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastSignInAt { get; init; }

    /// <summary>Rises whenever user tokens from before are to be worth nothing.</summary>
    public long Stamp { get; private set; } = 1;

    public long Version { get; private set; } = 1;

    /// <summary>Whether a provider signs it in, and nothing else does.</summary>
    public bool IsFederated => EmailKey is null;

    /// <summary>Whether passkeys of its own sign it in, and no password does.</summary>
    public bool HasPasskeysOnly => PasswordHash is null && !IsFederated;

    /// <summary>What an authenticator shows it as.</summary>
    public string Label => Email.Length > 0 ? Email : Name;

    public string Subject => SubjectOf(Id);

    public static string SubjectOf(Guid id) => $"person:{id:N}";

    /// <summary>What a mail address is found by: people do not write it the same way twice.</summary>
    public static string KeyOf(string email) => email.Trim().ToUpperInvariant();

    /// <summary>So long after a lock ended wrong tries are counted anew.</summary>
    public static readonly TimeSpan Forgiven = TimeSpan.FromHours(1);

    /// <summary>How long no try is looked at after so many wrong ones: twice as long each time, never more than a quarter of an hour.</summary>
    public static TimeSpan LockAfter(int tries) => tries < FreeTries ? TimeSpan.Zero
        : TimeSpan.FromSeconds(Math.Min(LongestLock.TotalSeconds, 10 * Math.Pow(2, Math.Min(tries - FreeTries, 20))));

    public string StateAt(DateTimeOffset now) => DisabledAt is not null ? "disabled" : LockedUntil > now ? "locked" : "active";

    public void Disable(DateTimeOffset now)
    {
        DisabledAt = now;
        Renew();
    }

    public void Enable()
    {
        DisabledAt = null;
        Renew();
    }

    public void SetPassword(string hash, DateTimeOffset now)
    {
        (PasswordHash, PasswordSetAt) = (hash, now);
        Renew();
    }

    /// <summary>It signs in with passkeys only from now on.</summary>
    public void ForgetPassword()
    {
        (PasswordHash, PasswordSetAt) = (null, null);
        Renew();
    }

    /// <summary>User tokens from before are worth nothing from now on.</summary>
    public void Renew()
    {
        Stamp++;
        Version++;
    }

    public PersonChanged ToEvent() => new(Id, Kind, CustomerId, DisabledAt is null, Stamp);

    /// <summary>Where what happens to it is told.</summary>
    public AuditFact Fact(string type) => new(type, CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "person", Id.ToString()) { CustomerId = CustomerId };

    internal sealed class Configuration : IEntityTypeConfiguration<Person>
    {
        public void Configure(EntityTypeBuilder<Person> builder)
        {
            builder.ToTable("identity_person").HasKey(row => row.Id);
            builder.Property(row => row.Kind).HasMaxLength(20);
            builder.Property(row => row.Email).HasMaxLength(254);
            builder.Property(row => row.EmailKey).HasMaxLength(254);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.PasswordHash).HasMaxLength(200);
            builder.HasIndex(row => row.EmailKey).IsUnique();
            builder.HasIndex(row => row.CustomerId);
            builder.Ignore(row => row.Subject);
            builder.Ignore(row => row.IsFederated);
            builder.Ignore(row => row.HasPasskeysOnly);
            builder.Ignore(row => row.Label);
        }
    }
}

/// <summary>A role that somebody holds or held: the row is ended, never deleted, since others ask who held a role when.</summary>
internal sealed class HeldRole
{
    public required Guid PersonId { get; init; }

    public required string Role { get; init; }

    /// <summary>Through which group; empty: it is given to the person itself. A role held in two ways has two rows, and the end of one leaves the other.</summary>
    public Guid GroupId { get; init; }

    public required DateTimeOffset Since { get; init; }

    public DateTimeOffset? Until { get; set; }

    public bool IsDirect => GroupId == Guid.Empty;

    internal sealed class Configuration : IEntityTypeConfiguration<HeldRole>
    {
        public void Configure(EntityTypeBuilder<HeldRole> builder)
        {
            builder.ToTable("identity_held_role").HasKey(row => new { row.PersonId, row.Role, row.GroupId, row.Since });
            builder.Property(row => row.Role).HasMaxLength(40);
            builder.Ignore(row => row.IsDirect);
        }
    }
}
