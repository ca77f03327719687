using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api.Identity;
using MissionControl.Identity.Federation.Saml;
using MissionControl.Platform.Data;
using MissionControl.Platform.Messaging;

namespace MissionControl.Identity.Federation;

/// <summary>A provider that a customer's administrator set for its own users.</summary>
internal sealed class CustomerProvider : ICustomerOwned
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required string Name { get; set; }

    public required string Issuer { get; set; }

    public required string ClientId { get; set; }

    /// <summary>Sealed for this row; null: a public client.</summary>
    public byte[]? ClientSecret { get; set; }

    /// <summary>Separated by spaces.</summary>
    public required string Scopes { get; set; }

    public required string GroupsClaim { get; set; }

    /// <summary>A JSON object, group to role.</summary>
    public required string Roles { get; set; }

    /// <summary>Separated by spaces.</summary>
    public required string RequiredAcr { get; set; }

    /// <summary>Separated by spaces.</summary>
    public required string RequiredAmr { get; set; }

    /// <summary>A JSON object, how it is spoken to by SAML; null: it is an OpenID provider.</summary>
    public string? Saml { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    public Dictionary<string, string> RoleMap() => JsonSerializer.Deserialize<Dictionary<string, string>>(Roles)!;

    /// <summary>By what somebody comes whom it signs in, for the audit log.</summary>
    public string Way => Saml is null ? "openid" : "saml";

    public SamlPeer? SamlPeer() => Saml is null ? null : KeptSaml.Of(Saml).ToPeer();

    public static string MapOf(IEnumerable<GroupRole> roles) => JsonSerializer.Serialize(roles.ToDictionary(pair => pair.Group!, pair => pair.Role!, StringComparer.Ordinal));

    public AuditFact Fact(string type) => new(type, AuditLog.Customer, "provider", Id.ToString()) { CustomerId = CustomerId };

    internal sealed class Configuration : IEntityTypeConfiguration<CustomerProvider>
    {
        public void Configure(EntityTypeBuilder<CustomerProvider> builder)
        {
            builder.ToTable("identity_provider").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Issuer).HasMaxLength(300);
            builder.Property(row => row.ClientId).HasMaxLength(300);
            builder.Property(row => row.ClientSecret).HasMaxLength(1000);
            builder.Property(row => row.Scopes).HasMaxLength(500);
            builder.Property(row => row.GroupsClaim).HasMaxLength(100);
            builder.Property(row => row.Roles).IsText();
            builder.Property(row => row.RequiredAcr).HasMaxLength(500);
            builder.Property(row => row.RequiredAmr).HasMaxLength(500);
            builder.Property(row => row.Saml).IsText();
            builder.HasIndex(row => row.CustomerId);
        }
    }
}
