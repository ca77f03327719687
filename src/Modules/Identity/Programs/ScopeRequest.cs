using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using Scopes = MissionControl.Platform.Security.Scopes;

namespace MissionControl.Identity.Programs;

/// <summary>That somebody asks one right for a service account, which somebody else grants or refuses within a week.</summary>
internal sealed class ScopeRequest
{
    public const string Asked = "asked", Granted = "granted", Refused = "refused", Withdrawn = "withdrawn", Expired = "expired";

    /// <summary>So long it can be granted.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(7);

    public required Guid Id { get; init; }

    public required Guid AccountId { get; init; }

    public required string Scope { get; init; }

    public required string Reason { get; init; }

    public required string AskedBy { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public string State { get; private set; } = Asked;

    public string? DecidedBy { get; private set; }

    public DateTimeOffset? DecidedAt { get; private set; }

    public long Version { get; private set; } = 1;

    public string StateAt(DateTimeOffset now) => State == Asked && ExpiresAt <= now ? Expired : State;

    public void Decide(string state, string by, DateTimeOffset now)
    {
        (State, DecidedBy, DecidedAt) = (state, by, now);
        Version++;
    }

    /// <summary>Why it can no longer be decided, in words; null: it can.</summary>
    public string? NoDeciding(DateTimeOffset now) => StateAt(now) switch
    {
        Asked => null,
        Granted => "It is granted already.",
        Refused => "It was refused; ask anew.",
        Withdrawn => "It was withdrawn; ask anew.",
        _ => "It was not decided within a week; ask anew.",
    };

    /// <summary>Why this reader may not grant it, in words; null: it may. Two people, neither of whom answers for the account, stand behind each such right.</summary>
    /// <param name="account">The account.</param>
    /// <param name="former">Who answered for it a short while ago.</param>
    /// <param name="reader">Who would grant it.</param>
    /// <param name="now">When.</param>
    public string? NoGranting(ServiceAccount account, IReadOnlyList<Guid> former, ClaimsPrincipal reader, DateTimeOffset now)
    {
        var subject = reader.FindFirst("sub")?.Value;
        return Scopes.Lacking(reader, TokensApi.Right) ?? (Actor.IdOf(reader) is not { } person ? "A person grants this, who confirms it; no program does."
            : subject == AskedBy ? "You asked for it; somebody else grants it."
            : person == account.OwnerId ? "You answer for this account; somebody else grants it."
            : former.Contains(person) ? "You answered for this account within the last week; somebody else grants it."
            : subject == account.MadeBy ? "You made this account; somebody else grants it."
            : Scopes.Lacking(reader, Scope) ?? NoDeciding(now));
    }

    public ScopeRequestItem ToItem(ServiceAccount account, IReadOnlyList<Guid> former, ClaimsPrincipal reader, DateTimeOffset now) => new(
        Id, Scope, Reason, AskedBy, AskedAt, ExpiresAt, StateAt(now), DecidedBy, DecidedAt,
        [
            AllowedAction.Of("grant", NoGranting(account, former, reader, now)),
            AllowedAction.Of("refuse", Scopes.Lacking(reader, TokensApi.Right) ?? NoDeciding(now)),
            AllowedAction.Of("withdraw", reader.FindFirst("sub")?.Value == AskedBy ? NoDeciding(now) : "Whoever asked withdraws it."),
        ]);

    internal sealed class Configuration : IEntityTypeConfiguration<ScopeRequest>
    {
        public void Configure(EntityTypeBuilder<ScopeRequest> builder)
        {
            builder.ToTable("identity_scope_request").HasKey(row => row.Id);
            builder.Property(row => row.Scope).HasMaxLength(50);
            builder.Property(row => row.Reason).HasMaxLength(500);
            builder.Property(row => row.AskedBy).HasMaxLength(60);
            builder.Property(row => row.State).HasMaxLength(20);
            builder.Property(row => row.DecidedBy).HasMaxLength(60);
            builder.HasIndex(row => row.AccountId);
            builder.HasIndex(row => row.ExpiresAt);
        }
    }
}
