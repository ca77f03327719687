using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Notifications;

namespace MissionControl.Notifications.Endpoints;

/// <summary>A system that events are delivered to.</summary>
internal sealed class OutboundEndpoint
{
    public required Guid Id { get; init; }

    /// <summary>Whose system it is; null: the vendor's own.</summary>
    public required Guid? CustomerId { get; init; }

    /// <summary>webhook or syslog.</summary>
    public required string Kind { get; init; }

    public required string Name { get; init; }

    public required string Address { get; init; }

    /// <summary>Sealed; empty where nothing is signed.</summary>
    public required byte[] Secret { get; set; }

    /// <summary>Sealed; the secret before, which signs as well until <see cref="OldSecretEndsAt"/>.</summary>
    public byte[]? OldSecret { get; set; }

    public DateTimeOffset? OldSecretEndsAt { get; set; }

    public bool IsDisabled { get; set; }

    /// <summary>Why it is disabled.</summary>
    public string? Why { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    /// <summary>What the API says of it.</summary>
    /// <param name="hindrance">Why its reader may change none; null: it may.</param>
    /// <param name="now">The present instant.</param>
    public EndpointItem ToItem(string? hindrance, DateTimeOffset now) => new(
        Id, CustomerId, Kind, Name, Address, IsDisabled ? "disabled" : "active", Why, OldSecretEndsAt > now ? OldSecretEndsAt : null, CreatedAt,
        [
            AllowedAction.Of("test", hindrance ?? (IsDisabled ? "It is disabled." : null)),
            AllowedAction.Of("rotate-secret", hindrance ?? NoRotating(now)),
            AllowedAction.Of("disable", hindrance ?? (IsDisabled ? "It is disabled already." : null)),
            AllowedAction.Of("enable", hindrance ?? (IsDisabled ? null : "It is active already.")),
            AllowedAction.Of("remove", hindrance),
        ]);

    /// <summary>Why its secret cannot be changed, in words; null: it can.</summary>
    /// <param name="now">The present instant.</param>
    public string? NoRotating(DateTimeOffset now) => Kind != "webhook" ? "Nothing is signed for a syslog server: it knows us by the connection."
        : OldSecretEndsAt > now ? "The secret before still signs beside this one: a third one would take it away too early." : null;

    internal sealed class Configuration : IEntityTypeConfiguration<OutboundEndpoint>
    {
        public void Configure(EntityTypeBuilder<OutboundEndpoint> builder)
        {
            builder.ToTable("notifications_endpoint").HasKey(row => row.Id);
            builder.Property(row => row.Kind).HasMaxLength(20);
            builder.Property(row => row.Name).HasMaxLength(100);
            builder.Property(row => row.Address).HasMaxLength(500);
            builder.Property(row => row.Secret).HasMaxLength(200);
            builder.Property(row => row.OldSecret).HasMaxLength(200);
            builder.Property(row => row.Why).HasMaxLength(300);
            builder.HasIndex(row => row.CustomerId);
        }
    }
}
