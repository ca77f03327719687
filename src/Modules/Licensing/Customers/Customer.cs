using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Contracts.Events.Licensing;
using MissionControl.Platform.Data;

namespace MissionControl.Licensing.Customers;

/// <summary>Whether clusters may be enrolled for a customer.</summary>
internal enum CustomerState
{
    Active,
    Closed,
}

/// <summary>The tenant. Everything else of a customer hangs below it.</summary>
internal sealed class Customer : ITenant
{
    public required Guid Id { get; init; }

    public required string Name { get; set; }

    public required string Region { get; set; }

    public CustomerState State { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Since when nothing of this customer may be purged; null: no hold.</summary>
    public DateTimeOffset? HeldSince { get; private set; }

    /// <summary>Why it is held, as whoever held it said.</summary>
    public string? HoldReason { get; private set; }

    public long Version { get; set; } = 1;

    public void Hold(string reason, DateTimeOffset now)
    {
        HeldSince = now;
        HoldReason = reason;
        Version++;
    }

    public void Release()
    {
        HeldSince = null;
        HoldReason = null;
        Version++;
    }

    public CustomerChanged ToEvent() => new(Id, Name, Region, Word(State), Version);

    /// <summary>Why it cannot be moved to a state, in words; null: it can.</summary>
    public string? NoEntering(CustomerState state) => state != State ? null : state == CustomerState.Active ? "It is active already." : "It is closed already.";

    /// <summary>What the API says of it.</summary>
    /// <param name="hindrance">Why its reader may change no customer; null: it may.</param>
    public CustomerItem ToItem(string? hindrance) => new(
        Id, Name, Region, Word(State), CreatedAt, Version,
        [AllowedAction.Of("change", hindrance), AllowedAction.Of("close", hindrance ?? NoEntering(CustomerState.Closed)), AllowedAction.Of("reopen", hindrance ?? NoEntering(CustomerState.Active))]);

    public static string Word(CustomerState state) => state.ToString().ToLowerInvariant();

    internal sealed class Configuration : IEntityTypeConfiguration<Customer>
    {
        public void Configure(EntityTypeBuilder<Customer> builder)
        {
            builder.ToTable("licensing_customer").HasKey(row => row.Id);
            builder.Property(row => row.Name).HasMaxLength(200);
            builder.Property(row => row.Region).HasMaxLength(40);
            builder.Property(row => row.HoldReason).HasMaxLength(500);
            builder.HasIndex(row => row.Name);
        }
    }
}
