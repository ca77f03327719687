using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MissionControl.Identity.Me;

/// <summary>How a person wants pages to look. There is a row for whoever ever chose something.</summary>
internal sealed class Preferences
{
    public required Guid PersonId { get; init; }

    /// <summary>light or dark; null: as the system.</summary>
    public string? Theme { get; set; }

    /// <summary>compact; null: cosy.</summary>
    public string? Density { get; set; }

    /// <summary>The zone that was chosen, by its name in the IANA database; null: the browser's.</summary>
    public string? Zone { get; set; }

    public bool InUtc { get; set; }

    public bool KeysOff { get; set; }

    public DateTimeOffset ChangedAt { get; set; }

    internal sealed class Configuration : IEntityTypeConfiguration<Preferences>
    {
        public void Configure(EntityTypeBuilder<Preferences> builder)
        {
            builder.ToTable("identity_preferences").HasKey(row => row.PersonId);
            builder.Property(row => row.Theme).HasMaxLength(20);
            builder.Property(row => row.Density).HasMaxLength(20);
            builder.Property(row => row.Zone).HasMaxLength(64);
        }
    }
}
