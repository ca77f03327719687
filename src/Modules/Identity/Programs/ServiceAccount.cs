using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Contracts.Events.Identity;
using MissionControl.Identity.People;
using MissionControl.Identity.Tokens;
using MissionControl.Platform.Messaging;
using Scope = MissionControl.Platform.Security.Scopes;

namespace MissionControl.Identity.Programs;

/// <summary>
/// A program that calls the API: as an OAuth 2 client, whose <c>client_id</c> is its id, or with tokens of its own. What it holds to
/// prove itself may never do more than the account may at that moment.
/// </summary>
internal sealed class ServiceAccount
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    /// <summary>Binds it to one customer; null: staff.</summary>
    public Guid? CustomerId { get; init; }

    /// <summary>The person who answers for it, and is told what happens to it.</summary>
    public required Guid OwnerId { get; set; }

    /// <summary>Who made it; neither that one nor the owner grants it what needs two.</summary>
    public required string MadeBy { get; init; }

    /// <summary>Separated by spaces.</summary>
    public required string Scopes { get; set; }

    /// <summary>Separated by spaces.</summary>
    public required string Networks { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DisabledAt { get; private set; }

    public long Version { get; private set; } = 1;

    public string ClientId => Id.ToString("N");

    public string Subject => $"client:{Id:N}";

    public bool IsActive => DisabledAt is null;

    public IReadOnlyList<string> ScopeList() => Split(Scopes);

    public IReadOnlyList<string> NetworkList() => Split(Networks);

    public void Disable(DateTimeOffset now)
    {
        DisabledAt = now;
        Version++;
    }

    public void Enable()
    {
        DisabledAt = null;
        Version++;
    }

    /// <summary>Somebody else answers for it.</summary>
    public void PassTo(Guid person)
    {
        OwnerId = person;
        Version++;
    }

    public void Give(string scope)
    {
        Scopes = string.Join(' ', ScopeList().Append(scope).Distinct(StringComparer.Ordinal));
        Version++;
    }

    public void Take(string scope)
    {
        Scopes = string.Join(' ', ScopeList().Where(one => one != scope));
        Version++;
    }

    /// <summary>Why a reader may not give it something to prove itself with, in words; null: it may. Nobody hands on what they do not hold.</summary>
    public string? NoCredential(ClaimsPrincipal reader) => !IsActive ? "It is disabled." : Scope.Lacking(reader, TokensApi.Right) ?? ScopeList().Select(scope => Scope.Lacking(reader, scope)).FirstOrDefault(lacking => lacking is not null);

    public ServiceAccountChanged ToEvent() => new(Id, CustomerId, IsActive, ScopeList(), NetworkList(), Version);

    public ServiceAccountItem ToItem(ClaimsPrincipal reader, string? owner) => new(
        Id, ClientId, Name, CustomerId, OwnerId, owner, IsActive ? "active" : "disabled", ScopeList(), NetworkList(), CreatedAt, Version,
        [
            AllowedAction.Of("make-credential", NoCredential(reader)),
            AllowedAction.Of("ask-scope", Scope.Lacking(reader, TokensApi.Right)),
            AllowedAction.Of("change-owner", Scope.Lacking(reader, TokensApi.Right) ?? (Actor.IdOf(reader) is null ? "A person says who answers for it; no program does." : null)),
            AllowedAction.Of("disable", Scope.Lacking(reader, TokensApi.Right) ?? (IsActive ? null : "It is disabled already.")),
            AllowedAction.Of("enable", Scope.Lacking(reader, TokensApi.Right) ?? (IsActive ? "It is not disabled." : null)),
        ]);

    /// <summary>Where what happens to it is told.</summary>
    public AuditFact Fact(string type) => new(type, CustomerId is null ? AuditLog.Operator : AuditLog.Customer, "serviceAccount", Id.ToString()) { CustomerId = CustomerId };

    private static string[] Split(string words) => words.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    internal sealed class Configuration : IEntityTypeConfiguration<ServiceAccount>
    {
        public void Configure(EntityTypeBuilder<ServiceAccount> builder)
        {
            builder.ToTable("identity_service_account").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.MadeBy).HasMaxLength(60);
            builder.Property(row => row.Scopes).HasMaxLength(2000);
            builder.Property(row => row.Networks).HasMaxLength(1000);
            builder.HasIndex(row => row.Name);
            builder.HasIndex(row => row.CreatedAt);
            builder.Ignore(row => row.ClientId);
            builder.Ignore(row => row.Subject);
            builder.Ignore(row => row.IsActive);
        }
    }
}
