using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary>Whether a period was closed. That one waits for it is a matter of the hour.</summary>
internal enum PeriodState
{
    Open,
    Closed,
}

/// <summary>A calendar month, UTC, of a contract. Once closed it stays closed: what comes later is booked in a later one.</summary>
internal sealed class Period : ICustomerOwned
{
    public required Guid Id { get; init; }

    public required Guid CustomerId { get; init; }

    public required Guid ContractId { get; init; }

    /// <summary>First hour of the month.</summary>
    public required int FromHour { get; init; }

    /// <summary>Its last hour, not included.</summary>
    public required int ToHour { get; init; }

    public PeriodState State { get; private set; }

    public Guid? StatementId { get; private set; }

    public DateTimeOffset? ClosedAt { get; private set; }

    public long Version { get; set; } = 1;

    /// <summary>As people write it: 2026-03.</summary>
    public string Name => Month(FromHour);

    public static string Month(int hour) => UsageWindow.StartOf(hour).ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The month that an hour lies in.</summary>
    public static (int From, int To) MonthOf(int hour)
    {
        var at = UsageWindow.StartOf(hour);
        var first = new DateTimeOffset(at.Year, at.Month, 1, 0, 0, 0, TimeSpan.Zero);
        return (UsageWindow.HourOf(first), UsageWindow.HourOf(first.AddMonths(1)));
    }

    /// <summary>Its hours that are in a contract which runs from one hour to another; null when none is.</summary>
    public RatingPeriod? Within(int contractFrom, int contractTo) =>
        Math.Max(FromHour, contractFrom) is var from && Math.Min(ToHour, contractTo) is var to && from < to ? new RatingPeriod(from, to, FromHour, ToHour) : null;

    public void Close(Guid statement, DateTimeOffset now)
    {
        (State, StatementId, ClosedAt) = (PeriodState.Closed, statement, now);
        Version++;
    }

    /// <summary>open until its end, closing until somebody closes it, closed.</summary>
    public string Word(DateTimeOffset now) => State == PeriodState.Closed ? "closed" : UsageWindow.HourOf(now) < ToHour ? "open" : "closing";

    /// <summary>Why it cannot be closed whatever it says, in words; null: it can.</summary>
    public string? NoClosing(DateTimeOffset now) => State == PeriodState.Closed ? "It is closed." : Word(now) == "open" ? "It has not ended." : null;

    public PeriodItem ToItem(string contract, string? hindrance, DateTimeOffset now) => new(
        Id, CustomerId, ContractId, contract, Name, UsageWindow.StartOf(FromHour), UsageWindow.StartOf(ToHour), Word(now), StatementId, ClosedAt, Version, [AllowedAction.Of("close", hindrance ?? NoClosing(now))]);

    internal sealed class Configuration : IEntityTypeConfiguration<Period>
    {
        public void Configure(EntityTypeBuilder<Period> builder)
        {
            builder.ToTable("licensing_period").HasKey(row => row.Id);
            builder.HasIndex(row => new { row.ContractId, row.FromHour }).IsUnique();
            builder.HasIndex(row => new { row.CustomerId, row.FromHour });
            builder.HasIndex(row => new { row.State, row.ToHour });
        }
    }
}
