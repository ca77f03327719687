using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MissionControl.Contracts.Api.Licensing;
using MissionControl.Licensing.Accounts;
using MissionControl.Licensing.Rating;
using MissionControl.Platform.Data;
using MissionControl.Protocol.Documents;

namespace MissionControl.Licensing.Billing;

/// <summary>
/// What a period comes to, as its bytes say. The first generation of a period is what is billed; a later one says what it comes to after
/// what was learned since, and what differs is booked in the statement of a later period. Rows never change.
/// </summary>
internal sealed class Statement : ICustomerOwned
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { IgnoreReadOnlyProperties = true };

    public required Guid Id { get; init; }

    /// <summary>S-, the contract's number, the month, and the generation from the second on.</summary>
    public required string Number { get; init; }

    public required Guid CustomerId { get; init; }

    public required Guid ContractId { get; init; }

    public required Guid PeriodId { get; init; }

    /// <summary>The period whose closing made it.</summary>
    public required Guid BookedIn { get; init; }

    public required int Generation { get; init; }

    public required int FromHour { get; init; }

    public required int ToHour { get; init; }

    public required long Watermark { get; init; }

    public required int ContractVersion { get; init; }

    public required Guid PriceBookId { get; init; }

    public required int PriceBookVersion { get; init; }

    public required string Currency { get; init; }

    /// <summary>What is to be paid for the first generation, in minor units; of a later one what its period comes to.</summary>
    public required long PayableMinor { get; init; }

    /// <summary>The document.</summary>
    public required byte[] Content { get; init; }

    /// <summary><c>sha256:</c> of <see cref="Content"/>.</summary>
    public required string ContentSha256 { get; init; }

    public required string InputsSha256 { get; init; }

    /// <summary>What it was rated from, as JSON: see <see cref="StoredInputs"/>.</summary>
    public required string Inputs { get; init; }

    /// <summary>What was rated, as JSON: see <see cref="RatedPeriod"/>.</summary>
    public required string Rated { get; init; }

    /// <summary>What its closing was told to put up with, and why.</summary>
    public string? Waived { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public bool IsBill => Generation == 1;

    public RatedPeriod ReadRated() => JsonSerializer.Deserialize<RatedPeriod>(Rated, Json)!;

    public StoredInputs ReadInputs() => JsonSerializer.Deserialize<StoredInputs>(Inputs, Json)!;

    public static string Text(RatedPeriod rated) => JsonSerializer.Serialize(rated, Json);

    public static string Text(StoredInputs inputs) => JsonSerializer.Serialize(inputs, Json);

    public StatementItem ToItem() => new(
        Id, Number, CustomerId, ContractId, PeriodId, Period.Month(FromHour), UsageWindow.StartOf(FromHour), UsageWindow.StartOf(ToHour), Generation, IsBill ? "bill" : "restatement", BookedIn,
        Money.Item(PayableMinor, Currency), Watermark, ContractVersion, PriceBookId, PriceBookVersion, ContentSha256, InputsSha256, CreatedAt, Waived);

    internal sealed class Configuration : IEntityTypeConfiguration<Statement>
    {
        public void Configure(EntityTypeBuilder<Statement> builder)
        {
            builder.ToTable("licensing_statement").HasKey(row => row.Id);
            builder.Property(row => row.Number).HasMaxLength(80);
            builder.Property(row => row.Currency).HasMaxLength(3);
            builder.Property(row => row.ContentSha256).HasMaxLength(71);
            builder.Property(row => row.InputsSha256).HasMaxLength(71);
            builder.Property(row => row.Inputs).IsText();
            builder.Property(row => row.Rated).IsText();
            builder.Property(row => row.Waived).IsText();
            builder.HasIndex(row => row.Number).IsUnique();
            builder.HasIndex(row => new { row.PeriodId, row.Generation }).IsUnique();
            builder.HasIndex(row => new { row.CustomerId, row.FromHour });
            builder.HasIndex(row => row.ContractId);
            builder.HasIndex(row => row.BookedIn);
        }
    }
}

/// <summary>What a period was rated from.</summary>
/// <param name="Totals">What was counted.</param>
/// <param name="Missing">What did not come.</param>
/// <param name="Before">What earlier periods left.</param>
internal sealed record StoredInputs(IReadOnlyList<MeterTotal> Totals, IReadOnlyList<MissingHours> Missing, Carry Before);

/// <summary>An amount that is booked besides what was rated: what a restatement comes to, or what somebody decided.</summary>
internal sealed class Adjustment : ICustomerOwned
{
    public required Guid Id { get; init; }

    /// <summary>CN- and a credit, or DN- and a debit: the statement it stands on, and which of it; decided ones have their id.</summary>
    public required string Number { get; init; }

    public required Guid CustomerId { get; init; }

    public required Guid ContractId { get; init; }

    /// <summary>The statement that it is about; null: none.</summary>
    public Guid? OriginalId { get; init; }

    /// <summary>The new generation that it comes from; null of one that somebody decided.</summary>
    public Guid? RestatedId { get; init; }

    /// <summary>The statement that it is booked on; null: it waits for the next one of the contract.</summary>
    public Guid? StatementId { get; private set; }

    /// <summary>In minor units; less than 0 is a credit.</summary>
    public required long AmountMinor { get; init; }

    public required string Currency { get; init; }

    public required string Description { get; init; }

    public required string Reason { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public long Version { get; set; } = 1;

    public void Book(Guid statement)
    {
        StatementId = statement;
        Version++;
    }

    public AdjustmentItem ToItem() => new(
        Id, Number, CustomerId, ContractId, AmountMinor < 0 ? "credit-note" : "debit-note", RestatedId is null ? "decided" : "restatement", OriginalId, RestatedId, StatementId,
        Money.Item(AmountMinor, Currency), Description, Reason, CreatedAt);

    internal sealed class Configuration : IEntityTypeConfiguration<Adjustment>
    {
        public void Configure(EntityTypeBuilder<Adjustment> builder)
        {
            builder.ToTable("licensing_adjustment").HasKey(row => row.Id);
            builder.Property(row => row.Number).HasMaxLength(90);
            builder.Property(row => row.Currency).HasMaxLength(3);
            builder.Property(row => row.Description).HasMaxLength(300);
            builder.Property(row => row.Reason).HasMaxLength(500);
            builder.HasIndex(row => row.CustomerId);
            builder.HasIndex(row => new { row.ContractId, row.StatementId });
        }
    }
}
