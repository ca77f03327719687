using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Views;

/// <summary>Filter, order and columns of a list under a name.</summary>
internal sealed class SavedView
{
    public required Guid Id { get; init; }

    public required string List { get; init; }

    public required string Name { get; set; }

    public required string Query { get; set; }

    /// <summary>Subject of the principal that made it.</summary>
    public required string Owner { get; init; }

    /// <summary>The owner's customer, whose people see it when it is shared; null: staff.</summary>
    public Guid? CustomerId { get; init; }

    public bool IsShared { get; set; }

    /// <summary>The list opens with it for its owner.</summary>
    public bool IsDefault { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    internal sealed class Configuration : IEntityTypeConfiguration<SavedView>
    {
        public void Configure(EntityTypeBuilder<SavedView> builder)
        {
            builder.ToTable("identity_view").HasKey(row => row.Id);
            builder.Property(row => row.List).HasMaxLength(40);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Query).HasMaxLength(1000);
            builder.Property(row => row.Owner).HasMaxLength(100);
            builder.HasIndex(row => new { row.Owner, row.List, row.Name }).IsUnique();
        }
    }
}
