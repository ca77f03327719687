using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;

namespace MissionControl.Notifications.Contacts;

/// <summary>Somebody who is told by mail.</summary>
internal sealed class Contact
{
    public required Guid Id { get; init; }

    /// <summary>Whose contact it is; null: the vendor's own.</summary>
    public required Guid? CustomerId { get; init; }

    /// <summary>technical, security or billing.</summary>
    public required string Kind { get; init; }

    public required string Name { get; init; }

    public required string Email { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public ContactItem ToItem(string? hindrance) => new(Id, CustomerId, Kind, Name, Email, CreatedAt, [AllowedAction.Of("remove", hindrance)]);

    internal sealed class Configuration : IEntityTypeConfiguration<Contact>
    {
        public void Configure(EntityTypeBuilder<Contact> builder)
        {
            builder.ToTable("notifications_contact").HasKey(row => row.Id);
            builder.Property(row => row.Kind).HasMaxLength(20);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Email).HasMaxLength(254);
            builder.HasIndex(row => new { row.CustomerId, row.Kind });
        }
    }
}

/// <summary>A customer, as licensing tells of it.</summary>
internal sealed class NotifiedCustomer
{
    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required long Version { get; init; }

    internal sealed class Configuration : IEntityTypeConfiguration<NotifiedCustomer>
    {
        public void Configure(EntityTypeBuilder<NotifiedCustomer> builder)
        {
            builder.ToTable("notifications_customer").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(200);
        }
    }
}
