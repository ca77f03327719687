using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Factors;
using MissionControl.Identity.People;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Invitations;

/// <summary>
/// What makes a person, once: whoever holds its code sets the password and the authenticator. Of the code only the SHA-256 is kept. One
/// for somebody who exists is the way back after a lost device.
/// </summary>
internal sealed class Invitation
{
    /// <summary>How long one is good.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(7);

    public required Guid Id { get; init; }

    public required byte[] CodeSha256 { get; init; }

    /// <summary>Null: whoever accepts says, which only the first administrator does.</summary>
    public string? Email { get; init; }

    public string? Name { get; init; }

    public required string Kind { get; init; }

    public Guid? CustomerId { get; init; }

    /// <summary>Separated by spaces.</summary>
    public required string Roles { get; init; }

    /// <summary>The person that it gives a new password and new factors; null: it makes one.</summary>
    public Guid? PersonId { get; init; }

    /// <summary>The person's stamp when it was made: whatever happened to the person since, it is worth nothing any more.</summary>
    public long? PersonStamp { get; init; }

    /// <summary>Who made it; worth nothing any more when that one is stopped or may do less.</summary>
    public required string InvitedBy { get; init; }

    /// <summary>The secret that the authenticator will have, sealed for this row. Another one each time the invitation is opened, so that who opened it before knows nothing; empty once it was accepted.</summary>
    public required byte[] TotpSecret { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? AcceptedAt { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>Wrong tries to accept it; with too many it is worth nothing any more.</summary>
    public int FailedTries { get; init; }

    public long Version { get; private set; } = 1;

    public static Invitation Create(FactorBook factors, string? email, string? name, string kind, Guid? customerId, IEnumerable<string> roles, Person? person, string invitedBy, DateTimeOffset now, out string code)
    {
        // 100 bits of chance: five groups of four letters and digits that people can read out.
        code = string.Join('-', Totp.Base32(RandomNumberGenerator.GetBytes(15))[..20].Chunk(4).Select(part => new string(part)));
        var id = Guid.CreateVersion7(now);
        return new Invitation
        {
            Id = id,
            CodeSha256 = Digest(code),
            Email = email,
            Name = name,
            Kind = kind,
            CustomerId = customerId,
            Roles = string.Join(' ', roles),
            PersonId = person?.Id,
            PersonStamp = person?.Stamp,
            InvitedBy = invitedBy,
            TotpSecret = factors.Seal(id, Totp.NewSecret()),
            CreatedAt = now,
            ExpiresAt = now + Life,
        };
    }

    /// <summary>What a code is found by, however it was typed.</summary>
    public static byte[] Digest(string code) => SHA256.HashData(Encoding.UTF8.GetBytes(new string([.. code.Where(char.IsAsciiLetterOrDigit).Select(char.ToUpperInvariant)])));

    public IReadOnlyList<string> RoleList() => Roles.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public string StateAt(DateTimeOffset now) => AcceptedAt is not null ? "accepted" : RevokedAt is not null ? "revoked" : ExpiresAt <= now ? "expired" : "open";

    public string? NoRevoking(DateTimeOffset now) => StateAt(now) is "open" ? null : $"It is {StateAt(now)} already.";

    public void Accept(DateTimeOffset now)
    {
        AcceptedAt = now;
        TotpSecret = [];
        Version++;
    }

    /// <summary>Gives the authenticator another secret.</summary>
    public byte[] Renew(FactorBook factors)
    {
        var secret = Totp.NewSecret();
        TotpSecret = factors.Seal(Id, secret);
        Version++;
        return secret;
    }

    /// <summary>Revokes what is open of a selection, within the open transaction.</summary>
    public static async Task RevokeOpenAsync(IQueryable<Invitation> selection, IEvents events, string reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var one in await selection.Where(row => row.AcceptedAt == null && row.RevokedAt == null).ToListAsync(cancellationToken))
        {
            one.Revoke(now);
            events.Audit(one.Fact("identity.invitation-revoked") with { Reason = reason, Changes = [Change.Add("/revokedAt", now)] });
        }
    }

    public void Revoke(DateTimeOffset now)
    {
        RevokedAt = now;
        Version++;
    }

    public InvitationItem ToItem(ClaimsPrincipal reader, DateTimeOffset now) => new(Id, Email, Name, Kind, CustomerId, RoleList(), PersonId is not null, StateAt(now), CreatedAt, ExpiresAt,
        [AllowedAction.Of("revoke", Platform.Security.Scopes.Lacking(reader, PeopleApi.Right) ?? NoRevoking(now))]);

    public AuditFact Fact(string type) => new(type, CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "invitation", Id.ToString()) { CustomerId = CustomerId };

    internal sealed class Configuration : IEntityTypeConfiguration<Invitation>
    {
        public void Configure(EntityTypeBuilder<Invitation> builder)
        {
            builder.ToTable("identity_invitation").HasKey(row => row.Id);
            builder.Property(row => row.CodeSha256).HasMaxLength(32);
            builder.Property(row => row.Email).HasMaxLength(254);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Kind).HasMaxLength(20);
            builder.Property(row => row.Roles).HasMaxLength(500);
            builder.Property(row => row.TotpSecret).HasMaxLength(100);
            builder.Property(row => row.InvitedBy).HasMaxLength(60);
            builder.HasIndex(row => row.CodeSha256).IsUnique();
            builder.HasIndex(row => row.InvitedBy);
            builder.HasIndex(row => row.CreatedAt);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
